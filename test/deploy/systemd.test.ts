import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { pathsOf, read, readCommandLine, readUnit, secretsIn } from './support.ts'

const program = '/opt/mtls-policy/node_modules/.bin/mtls-policy'
const units = ['manager', 'gateway'].map((name) => {
  const file = `mtls-policy-${name}.service`
  const settings = readUnit(read(file))
  const one = (key: string) => {
    const values = settings.get(`Service.${key}`) ?? []
    expect(values, key).toHaveLength(1)
    return values[0] as string
  }
  const words = one('ExecStart').split(/\s+/)
  return { name, file, settings, one, words }
})
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0
if (!hasSystemd) console.log('no systemd-analyze here: units are not verified by it')

describe.each(units)('deploy/$file', ({ name, file, settings, one, words }) => {
  test('starts the program with a command line that it takes', () => {
    expect(words[0]).toBe(program)
    expect(readCommandLine(words.slice(1)).command).toBe(name)
  })

  test('uses each credential, state folder and path, and names each that it uses', () => {
    const paths = pathsOf(readCommandLine(words.slice(1)))
    const credentials = (settings.get('Service.LoadCredential') ?? []).map((value) => {
      const [id = '', source = ''] = value.split(':')
      expect(source).toMatch(/^\/etc\/mtls-policy\//)
      return id
    })
    const within = (prefix: string) =>
      paths.flatMap((path) => (path.startsWith(prefix) ? [path.slice(prefix.length)] : []))
    expect(within('%d/').toSorted()).toEqual(credentials.toSorted())
    expect([...new Set(within('%S/').map((path) => path.split('/')[0]))]).toEqual([
      one('StateDirectory'),
    ])
    const readable = one('ReadOnlyPaths').split(' ')
    const files = within('/').map((path) => `/${path}`)
    for (const path of files) {
      expect(
        readable.some((from) => path === from || path.startsWith(`${from}/`)),
        path,
      ).toBe(true)
    }
    for (const from of readable)
      expect(
        files.some((path) => path.startsWith(from)),
        from,
      ).toBe(true)
    expect(within('%d/').length + within('%S/').length + files.length).toBe(paths.length)
  })

  test('has its secrets in credentials, not in the environment or the command line', () => {
    expect(secretsIn(words.join('\n'))).toEqual([])
    expect(settings.get('Service.Environment')).toEqual(['NODE_ENV=production'])
    expect(settings.get('Service.EnvironmentFile')).toBeUndefined()
    const secret = name === 'manager' ? ['database-file', 'signing-key'] : ['token-file']
    const { flags } = readCommandLine(words.slice(1))
    for (const flag of secret) expect(flags.get(flag)?.[0]).toMatch(/^%d\//)
  })

  test('comes back always, and has time to end what it began', () => {
    expect(one('Restart')).toBe('always')
    expect(settings.get('Unit.StartLimitIntervalSec')).toEqual(['0'])
    expect(one('KillSignal')).toBe('SIGTERM')
    expect(one('ExecReload')).toMatch(/kill -HUP \$MAINPID$/)
    expect(Number(one('TimeoutStopSec'))).toBeGreaterThanOrEqual(30)
  })

  test('is shut in', () => {
    const wanted = {
      DynamicUser: 'yes',
      ProtectSystem: 'strict',
      ProtectHome: 'yes',
      PrivateTmp: 'yes',
      PrivateDevices: 'yes',
      NoNewPrivileges: 'yes',
      RestrictNamespaces: 'yes',
      UMask: '0077',
      StateDirectoryMode: '0700',
    }
    for (const [key, value] of Object.entries(wanted)) expect(one(key), key).toBe(value)
    // The JavaScript engine would not start.
    expect(settings.get('Service.MemoryDenyWriteExecute')).toBeUndefined()
    const { flags } = readCommandLine(words.slice(1))
    const ports = [...(flags.get('listen') ?? []), ...(flags.get('port') ?? [])]
    const low = ports.some((port) => Number(port.split(':').at(-1)) < 1024)
    expect(one('CapabilityBoundingSet')).toBe(low ? 'CAP_NET_BIND_SERVICE' : '')
    expect(one('AmbientCapabilities')).toBe(one('CapabilityBoundingSet'))
  })

  test.runIf(hasSystemd)('passes systemd-analyze', () => {
    const scratch = mkdtempSync(join(tmpdir(), 'mtls-policy-units-'))
    try {
      // It looks whether the program is there.
      writeFileSync(join(scratch, file), read(file).replace(program, '/bin/sh'))
      const verify = ['verify', '--man=no', join(scratch, file)]
      expect(analyze(verify)).toEqual({ status: 0, stderr: '' })
      writeFileSync(join(scratch, file), read(file).replace('Restart=always', 'Restart=allways'))
      expect(analyze(verify).stderr).toMatch(/allways/)
      writeFileSync(join(scratch, file), read(file))
      const security = ['security', '--offline=yes', '--no-pager', join(scratch, file)]
      expect(analyze([...security, '--threshold=20'])).toEqual({ status: 0, stderr: '' })
      expect(analyze([...security, '--threshold=5']).status).not.toBe(0)
    } finally {
      rmSync(scratch, { recursive: true })
    }
  })
})

function analyze(argv: readonly string[]): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync('systemd-analyze', argv, { encoding: 'utf8' })
  return { status, stderr }
}
