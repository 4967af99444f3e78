import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { serverManifest, serverPackages } from '../../deploy/server-packages.mjs'
import { root } from '../docs/markdown.ts'
import { readSource } from '../source-text.ts'
import { folder, read, readCompose } from './support.ts'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
if (!hasOpenssl) console.log('no openssl here: prepare.sh is not run')

describe.runIf(hasOpenssl)('deploy/prepare.sh', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'mtls-policy-prepare-'))
  const secrets = join(scratch, 'secrets')
  const text = (name: string) => readFileSync(join(secrets, name), 'utf8')
  const prepare = () =>
    spawnSync('sh', [join(scratch, 'prepare.sh')], { cwd: '/', encoding: 'utf8' })
  beforeAll(() => {
    copyFileSync(`${folder}prepare.sh`, join(scratch, 'prepare.sh'))
    expect(prepare()).toMatchObject({ status: 0, stderr: '' })
  })
  afterAll(() => rmSync(scratch, { recursive: true }))

  test('makes every file that compose.yaml mounts, but the tokens that a manager gives', () => {
    const { secrets: named, services } = readCompose()
    const files = Object.values(named).map(({ file }) => file.slice('./secrets/'.length))
    const folders = Object.values(services)
      .flatMap(({ volumes = [] }) => volumes)
      .flatMap((volume) => /^\.\/secrets\/([^:]+)/.exec(volume)?.[1] ?? [])
    const tokens = ['gateway-1-token', 'gateway-2-token', 'gateway-3-token']
    expect([...readdirSync(secrets), ...tokens].toSorted()).toEqual(
      [...new Set([...files, ...folders])].toSorted(),
    )
    expect(readdirSync(join(secrets, 'manager-tls')).toSorted()).toEqual([
      'manager.key',
      'manager.pem',
    ])
    expect(readdirSync(join(secrets, 'gateway-tls')).toSorted()).toEqual([
      'gateway.key',
      'gateway.pem',
    ])
  })

  test('keeps others on this machine out of the folder', () => {
    expect(statSync(secrets).mode & 0o777).toBe(0o700)
  })

  test('puts one password into both files', () => {
    const url = new URL(text('database-url'))
    expect(url.password).toBe(text('database-password'))
    expect(url.password).toMatch(/^[0-9a-f]{48}$/)
    expect([url.protocol, url.username, url.hostname]).toEqual([
      'postgres:',
      'mtls_policy',
      'postgres',
    ])
  })

  test('issues certificates for the names that are asked for', () => {
    const ca = new X509Certificate(text('manager-ca.pem'))
    const manager = new X509Certificate(text('manager-tls/manager.pem'))
    const gateway = new X509Certificate(text('gateway-tls/gateway.pem'))
    for (const one of [manager, gateway]) {
      expect(one.verify(ca.publicKey)).toBe(true)
      expect(one.checkHost('localhost')).toBe('localhost')
      expect(one.checkIP('127.0.0.1')).toBe('127.0.0.1')
    }
    expect(manager.checkHost('manager')).toBe('manager')
    expect(ca.ca).toBe(true)
    expect(manager.ca).toBe(false)
  })

  test('the second time it says so, and changes nothing', () => {
    const before = text('signing-key')
    const again = prepare()
    expect(again.status).toBe(1)
    expect(again.stderr).toMatch(/is there already/)
    expect(text('signing-key')).toBe(before)
  })
})

describe('deploy/server-packages.mjs', () => {
  const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))

  test('names the packages that the manager and the gateway import, and no others', () => {
    const imported = new Set<string>()
    for (const name of ['src/management', 'src/gateway']) {
      for (const file of readdirSync(root + name, { recursive: true, encoding: 'utf8' })) {
        if (!file.endsWith('.ts')) continue
        const { specifiers } = readSource(readFileSync(join(root, name, file), 'utf8'))
        for (const { name: specifier } of specifiers) {
          if (/^(?:\.|node:)/.test(specifier)) continue
          const [scope = '', rest = ''] = specifier.split('/')
          imported.add(scope.startsWith('@') ? `${scope}/${rest}` : scope)
        }
      }
    }
    const always = Object.keys(manifest.dependencies)
    const wanted = [...imported].filter((one) => !always.includes(one))
    // A peer of @hono/zod-openapi.
    expect(serverPackages.toSorted()).toEqual([...wanted, 'zod'].toSorted())
    const [, shown = ''] =
      /^npm install --prefix ([^\n\\]*(?:\\\n[^\n\\]*)*)$/m.exec(read('README.md')) ?? []
    const named = [...shown.matchAll(/(\S+)@[\d.]+/g)].map(([, name]) => name)
    expect(named.toSorted()).toEqual(serverPackages.toSorted())
  })

  test('makes them dependencies, and leaves out what only a clone needs', () => {
    const { dependencies, devDependencies, scripts, version } = serverManifest(manifest)
    expect(Object.keys(dependencies).toSorted()).toEqual(
      [...Object.keys(manifest.dependencies), ...serverPackages].toSorted(),
    )
    expect([devDependencies, scripts]).toEqual([undefined, undefined])
    expect(version).toBe(manifest.version)
  })

  test('stops when package.json has no version of one', () => {
    const { libsql: _, ...others } = manifest.devDependencies
    expect(() =>
      serverManifest({ ...manifest, devDependencies: others, peerDependencies: {} }),
    ).toThrow(/libsql/)
  })
})

describe('deploy/health.mjs', () => {
  const servers: Server[] = []
  const listen = async (server: Server): Promise<number> => {
    servers.push(server.listen(0, '127.0.0.1'))
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  const health = (...urls: string[]) =>
    promisify(execFile)(process.execPath, [`${folder}health.mjs`, ...urls]).then(
      () => ({ code: 0, stderr: '' }),
      ({ code, stderr }: { code: number; stderr: string }) => ({ code, stderr }),
    )
  const answering = (status: number) =>
    listen(createServer((_, response) => response.writeHead(status).end('{}')))
  const unused = async (): Promise<number> => {
    const server = createServer()
    const port = await listen(server)
    await new Promise((resolve) => server.close(resolve))
    return port
  }
  afterAll(() => {
    for (const server of servers) server.close()
  })

  test('is content with 200 only', async () => {
    const [good, bad] = [await answering(200), await answering(503)]
    expect(await health(`http://127.0.0.1:${good}/health`)).toEqual({ code: 0, stderr: '' })
    const { code, stderr } = await health(`http://127.0.0.1:${bad}/health`)
    expect([code, stderr]).toEqual([1, 'unhealthy: 503\n'])
  })

  test('asks the next one only where nothing listens', async () => {
    const [none, bad, good] = [await unused(), await answering(500), await answering(200)]
    const [a, b, c] = [none, bad, good].map((port) => `http://127.0.0.1:${port}/`) as [
      string,
      string,
      string,
    ]
    expect((await health(a, c)).code).toBe(0)
    expect((await health(b, c)).stderr).toBe('unhealthy: 500\n')
    expect((await health(a)).stderr).toBe('unhealthy: ECONNREFUSED\n')
    expect((await health()).code).toBe(1)
  })

  test.runIf(hasOpenssl)(
    'asks its own container by TLS, whoever issued that certificate',
    async () => {
      const scratch = mkdtempSync(join(tmpdir(), 'mtls-policy-health-'))
      const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
      const request = [
        'req',
        '-x509',
        ...curve,
        '-subj',
        '/CN=other',
        '-keyout',
        'key',
        '-out',
        'cert',
      ]
      execFileSync('openssl', request, { cwd: scratch, stdio: 'pipe' })
      const [key, cert] = [readFileSync(join(scratch, 'key')), readFileSync(join(scratch, 'cert'))]
      rmSync(scratch, { recursive: true })
      const server = createTlsServer({ key, cert }, (_, response) => response.end())
      const port = await listen(server as unknown as Server)
      expect((await health(`https://127.0.0.1:${port}/health/`)).code).toBe(0)
    },
  )

  test('does not wait for one that says nothing', async () => {
    const port = await listen(createServer(() => undefined))
    expect((await health(`http://127.0.0.1:${port}/`)).stderr).toBe('unhealthy: ETIMEDOUT\n')
  })
})
