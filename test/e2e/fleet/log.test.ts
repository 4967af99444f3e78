/** What the serving processes say of who was refused: JSON for machines, words for a terminal; and where they are counted. */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Fleet, linesOf, type Program, until } from './support.ts'

let fleet: Fleet
beforeAll(async () => {
  fleet = await Fleet.open()
}, 60_000)
afterAll(() => fleet?.close(), 60_000)

describe('serve', () => {
  let program: Program
  let url: string
  let gateway: { readonly port: number }
  beforeAll(async () => {
    program = await fleet.run(['serve', '--port', '0', '--data', 'data'])
    url = String(program.line.url)
    gateway = { port: Number(new URL(String(program.line.gatewayUrl)).port) }
  }, 60_000)
  afterAll(() => program?.end('SIGTERM'))

  test('says on standard error who was refused and why, under the id that the client was told', async () => {
    const { stdout } = askedOf(gateway.port, 'expired')
    const { instance } = JSON.parse(stdout)
    await until(
      () => linesOf(program).some(({ msg }) => msg === 'refused'),
      () => 'nobody says that somebody was refused',
    )
    const refusals = linesOf(program).filter(({ msg }) => msg === 'refused')
    expect(refusals).toHaveLength(1)
    expect(refusals[0]).toMatchObject({
      decisionId: String(instance).replace('urn:uuid:', ''),
      project: 'MyProject',
      proxy: 'MyAPI',
      policy: 'mtls-auth-policy',
      code: 'certificate-expired',
      subject: 'CN=client-expired,O=Example',
      issuer: 'CN=Example Issuing CA,O=Example',
      address: '127.0.0.1',
      method: 'GET',
      path: '/',
    })
  })

  test("counts at the manager's /metrics what the gateway decided", async () => {
    expect(JSON.parse(askedOf(gateway.port, 'expired').stdout).status).toBe(401)
    const text = await (await fetch(`${url}/metrics`)).text()
    expect(text).toMatch(
      /^mtls_policy_decisions_total\{project="MyProject",proxy="MyAPI",outcome="refused",policy="mtls-auth-policy",code="certificate-expired"\} [12]$/m,
    )
    for (const name of [
      'mtls_policy_gateway_connections',
      'mtls_policy_gateway_manager_contact_seconds',
      'mtls_policy_manager_requests_total',
      'process_resident_memory_bytes',
    ]) {
      expect(text.match(new RegExp(`^# TYPE ${name} `, 'gm'))).toHaveLength(1)
    }
  })

  test('has levels: at error nobody is told of refusals', async () => {
    const quiet = await fleet.run([
      ...['serve', '--port', '0', '--data', 'quiet', '--log-level', 'error'],
    ])
    const port = Number(new URL(String(quiet.line.gatewayUrl)).port)
    const files = (name: string) => name.replace('data/', 'quiet/')
    expect(JSON.parse(askedOf(port, 'expired', files).stdout).status).toBe(401)
    expect(await quiet.end('SIGTERM')).toBe(0)
    expect(quiet.log()).toBe('')
  }, 60_000)
})

describe.skipIf(!hasTerminal())('serve at a terminal', () => {
  test('tells it in words, and no JSON', async () => {
    const cli = `exec ${process.execPath} cli.mjs serve --port 0 --data data-of-people`
    const child = spawn('script', ['-qfec', cli, '/dev/null'], {
      cwd: fleet.folder,
      env: { PATH: process.env.PATH, TERM: 'xterm', NO_COLOR: '1', NODE_ENV: 'production' },
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    const exited = once(child, 'exit')
    let shown = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      shown += text
    })
    try {
      await until(
        () => shown.includes('Ctrl-C stops both'),
        () => `it does not begin:\n${shown}`,
      )
      const port = Number(/gateway +https:\/\/localhost:(\d+)/.exec(shown)?.[1])
      const files = (name: string) => name.replace('data/', 'data-of-people/')
      const { instance } = JSON.parse(askedOf(port, 'expired', files).stdout)
      await until(
        () => shown.includes(instance),
        () => `nobody tells why:\n${shown}`,
      )
      const told = shown.slice(shown.indexOf('Ctrl-C stops both'))
      for (const words of [
        'refused CN=client-expired,O=Example',
        '(certificate-expired;',
        `GET localhost/ from 127.0.0.1`,
        'mtls-auth-policy of MyProject/MyAPI',
      ]) {
        expect(told).toContain(words)
      }
      expect(told).not.toContain('{"')
    } finally {
      // As Ctrl-C does.
      child.stdin.write('\u0003')
      await exited
    }
  }, 60_000)
})

describe('gateway', () => {
  test('warns of a manager of plain HTTP elsewhere, and says which one does not answer', async () => {
    const manager = await fleet.manager(`file:${join(fleet.folder, 'plain.sqlite')}`)
    await manager.client.environments.create('production')
    const gateway = await fleet.gateway(manager, 'gw-plain', 'http://manager.invalid:8080')
    await until(
      () => linesOf(gateway).some(({ code }) => code === 'manager-unreachable'),
      () => 'nobody says that the manager is away',
    )
    const [first] = linesOf(gateway)
    expect(first).toMatchObject({ level: 40, manager: 'http://manager.invalid:8080' })
    const alarms = linesOf(gateway).filter(({ code }) => code === 'manager-unreachable')
    expect(String(alarms[0]?.message)).toContain('http://manager.invalid:8080')
    expect(gateway.log()).not.toContain('mtlsp_')
    expect(await gateway.end('SIGTERM')).toBe(0)

    // On the same machine it is nothing to warn of.
    const near = await fleet.gateway(manager, 'gw-near')
    expect(await near.end('SIGTERM')).toBe(0)
    expect(linesOf(near).map(({ manager: at }) => at)).not.toContain(manager.url)
    await manager.program.end('SIGTERM')
  }, 60_000)
})

/** Whether there is util-linux's `script`, which makes one. */
function hasTerminal(): boolean {
  if (spawnSync('script', ['--version']).status === 0) return true
  if (process.env.CI === 'true') throw new Error('there is no program script')
  console.error('skipped: serve at a terminal: there is no program script')
  return false
}

/** The curl line of the demo, and what it shows. @param files - Where those of `data` are. */
function askedOf(
  port: number,
  name: string,
  files: (name: string) => string = (own) => own,
): { readonly stdout: string } {
  const { stdout, stderr, status } = spawnSync(
    'curl',
    [
      ...['--silent', '--show-error', '--cacert', files('data/pki/ca.pem')],
      ...['--cert', files(`data/pki/clients/${name}.pem`)],
      ...['--key', files(`data/pki/keys/${name}.key`), `https://localhost:${port}/`],
    ],
    { encoding: 'utf8', cwd: fleet.folder },
  )
  if (status !== 0) throw new Error(stderr)
  return { stdout }
}
