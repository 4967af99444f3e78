/** Lives of the serving processes: signals, readiness, what they count. */

import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createManagementClient } from '../../../src/management/client.ts'
import { issueCa } from '../../../src/testing/index.ts'
import { Fleet, until } from './support.ts'

let fleet: Fleet
beforeAll(async () => {
  fleet = await Fleet.open()
}, 60_000)
afterAll(() => fleet?.close(), 60_000)

describe('manager', () => {
  test('reads its certificate again on SIGHUP, keeps the old one when the new is none, and goes on', async () => {
    const ca = await issueCa('Manager CA')
    const file = (name: string): string => join(fleet.folder, name)
    const issue = async (serialNumber: number): Promise<void> => {
      const { chainPem, privateKeyPem } = await ca.issue('localhost', {
        serialNumber,
        subjectAltName: [{ dns: 'localhost' }],
        extendedKeyUsage: ['serverAuth'],
      })
      writeFileSync(file('manager.pem'), chainPem)
      writeFileSync(file('manager-tls.key'), privateKeyPem)
    }
    await issue(0x11)
    const program = await fleet.run([
      ...['manager', '--database', `file:${file('tls.sqlite')}`, '--port', '0'],
      ...['--signing-key', 'tls.key', '--admin-token-file', 'tls.token'],
      ...['--tls-certificate', 'manager.pem', '--tls-key', 'manager-tls.key'],
    ])
    const port = Number(new URL(String(program.line.url)).port)
    expect(await serialAt(port)).toBe('11')
    // Not before it is told.
    await issue(0x22)
    expect(await serialAt(port)).toBe('11')
    program.signal('SIGHUP')
    await until(
      async () => (await serialAt(port)) === '22',
      () => 'the certificate is not read again',
    )
    writeFileSync(file('manager.pem'), 'no certificate')
    program.signal('SIGHUP')
    await until(
      () => program.log().includes('not read again'),
      () => 'nobody says that it is no certificate',
    )
    expect(await serialAt(port)).toBe('22')
    expect(await program.end('SIGTERM')).toBe(0)
  }, 30_000)

  test('counts at /metrics, with the facts of the process, and without a token', async () => {
    const manager = await fleet.manager(`file:${join(fleet.folder, 'metrics.sqlite')}`)
    await manager.client.projects()
    await fetch(`${manager.url}/apiops/projects/`, { headers: { authorization: 'Bearer wrong' } })
    const response = await fetch(`${manager.url}/metrics`)
    const text = await response.text()
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    for (const line of [
      'mtls_policy_manager_requests_total{method="GET",route="/apiops/projects/",status="200"} 1',
      'mtls_policy_manager_requests_total{method="GET",route="/apiops/projects/",status="401"} 1',
      'mtls_policy_manager_bad_tokens_total 1',
    ]) {
      expect(text.split('\n')).toContain(line)
    }
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m)
    expect(text).not.toContain('mtlsp_')
    await manager.program.end('SIGTERM')
  }, 30_000)
})

describe('gateway', () => {
  test('is not ready while it drains, counts on, and finishes what is under way; SIGHUP does not end it', async () => {
    const held: ServerResponse[] = []
    const upstreamPort = await fleet.listen(
      createServer((request, response) => {
        if (request.url === '/held') held.push(response)
        else response.end('hello\n')
      }),
    )
    const manager = await fleet.manager()
    await fleet.makeProject(manager, upstreamPort)
    const gateway = await fleet.gateway(manager, 'gw-drain')
    const at = async (path: string): Promise<[number, string]> => {
      const response = await fetch(`http://127.0.0.1:${gateway.metricsPort}${path}`)
      return [response.status, await response.text()]
    }
    const statusOf = async (): Promise<[number, unknown]> => {
      const [status, text] = await at('/ready')
      return [status, JSON.parse(text).status]
    }
    await until(
      async () => (await at('/ready'))[0] === 200 && (await fleet.ask(gateway, 'client-a')) === 200,
      () => 'the gateway does not serve',
    )
    expect(await statusOf()).toEqual([200, 'ready'])
    gateway.signal('SIGHUP')
    expect(await fleet.ask(gateway, 'client-a')).toBe(200)

    const answer = askHeld(gateway.port)
    await until(
      () => held.length === 1,
      () => 'the request does not reach the upstream',
    )
    const end = gateway.end('SIGTERM')
    await until(
      async () => (await statusOf())[0] === 503,
      () => 'the gateway that drains is ready',
    )
    expect(await statusOf()).toEqual([503, 'draining'])
    expect((await at('/health'))[0]).toBe(200)
    expect((await at('/metrics'))[1]).toMatch(/^mtls_policy_gateway_requests 1$/m)
    held[0]?.end('at last\n')
    expect(await answer).toContain('200 OK')
    expect(await end).toBe(0)
    await manager.program.end('SIGTERM')
  }, 60_000)

  /** One request as it is, that the upstream holds back. */
  async function askHeld(port: number): Promise<string> {
    const socket = connect({
      ...{ host: '127.0.0.1', port, servername: 'localhost' },
      ca: fleet.read('pki/ca.pem'),
      cert: fleet.read('pki/clients/client-a.pem'),
      key: fleet.read('pki/keys/client-a.key'),
    })
    await once(socket, 'secureConnect')
    socket.write(`GET /held HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`)
    const [first] = await once(socket.setEncoding('utf8'), 'data')
    socket.destroy()
    return first as string
  }
})

describe('serve --no-demo', () => {
  test('has no project and no demo upstream, and is ready for one of your own, over a restart', async () => {
    const argv = ['serve', '--port', '0', '--data', 'plain', '--no-demo']
    let program = await fleet.run(argv)
    const url = String(program.line.url)
    const token = String(program.line.token)
    const client = createManagementClient({ url, token })
    expect((await client.projects()).items).toEqual([])
    expect((await client.environments.list()).items).toEqual([{ name: 'production' }])
    expect(existsSync(join(fleet.folder, 'plain', 'demo.json'))).toBe(false)
    const port = Number(new URL(String(program.line.gatewayUrl)).port)
    expect(await fleet.ask({ port }, 'client-a').catch(() => 'refused')).not.toBe(200)

    const project = client.project('Mine')
    await project.create()
    const proxy = project.apiProxy('Api')
    await proxy.create({
      upstream: { url: `http://127.0.0.1:${await fleet.upstream()}` },
      environments: ['production'],
    })
    expect(await proxy.deployments.deploy()).toMatchObject({
      success: true,
      deploymentResults: [{ message: 'Deployment successful' }],
    })
    expect(await program.end('SIGTERM')).toBe(0)

    program = await fleet.run(argv)
    const again = createManagementClient({ url: String(program.line.url), token })
    expect((await again.projects()).items.map(({ name }) => name)).toEqual(['Mine'])
    expect(await program.end('SIGTERM')).toBe(0)
  }, 60_000)
})

/** Of the certificate that a server shows. */
async function serialAt(port: number): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const { serialNumber } = socket.getPeerCertificate()
  socket.destroy()
  return serialNumber
}
