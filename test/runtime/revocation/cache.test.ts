/** What is kept on disk, and what the next start makes of it. */

import { execFile } from 'node:child_process'
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type CertificateAuthority, issueCa, testTime } from '../../../src/testing/index.ts'
import {
  eventually,
  failuresOf,
  pointsTo,
  respondWith,
  sourceWith,
  typesOf,
  wantedOf,
} from './support.ts'

let ca: CertificateAuthority
beforeAll(async () => {
  ca = await issueCa('Issuing CA')
})

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mtls-policy-cache-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A folder with one list in it, from a server that is gone. */
async function warmFolder(): Promise<{ readonly cacheFolder: string; readonly url: string }> {
  const cacheFolder = await newFolder()
  const responder = await respondWith({ '/ca.crl': { crlOf: ca } })
  const url = responder.url('/ca.crl')
  const source = sourceWith({ crls: { urls: [url] }, cacheFolder })
  await source.ready()
  await source.close()
  await responder.close()
  return { cacheFolder, url }
}

/** A folder whose files, damaged ones, take longer to read than anything on loopback. */
async function slowFolder(): Promise<string> {
  const cacheFolder = await newFolder()
  for (let i = 0; i < 12; i++) {
    const file = join(cacheFolder, `${String(i).padStart(64, '0')}.answer`)
    await writeFile(file, '')
    await truncate(file, 8_388_608)
  }
  return cacheFolder
}

describe('a restart', () => {
  test('has the lists of before at once, with the server away', async () => {
    const { cacheFolder, url } = await warmFolder()
    const source = sourceWith({ crls: { urls: [url] }, cacheFolder })
    await source.ready()
    expect(source.crls.lists).toHaveLength(1)
    expect(source.events[0]).toMatchObject({ type: 'loaded', from: 'cache', origin: url })
    await eventually(() => failuresOf(source).length === 1)
    expect(source.crls.lists).toHaveLength(1)
  })

  test('does not wait for a server that is silent when it has a list', async () => {
    const cacheFolder = await newFolder()
    const responder = await respondWith({ '/ca.crl': { crlOf: ca } })
    const crls = { urls: [responder.url('/ca.crl')] }
    const first = sourceWith({ crls, cacheFolder })
    await first.ready()
    await first.close()
    responder.fail('/ca.crl', 'never')
    const begin = performance.now()
    const source = sourceWith({ crls, cacheFolder, timeout: 20_000 })
    await source.ready()
    expect(performance.now() - begin).toBeLessThan(5_000)
    expect(source.crls.lists).toHaveLength(1)
  })

  test('asks only for what is newer', async () => {
    const cacheFolder = await newFolder()
    const responder = await respondWith({ '/ca.crl': { crlOf: ca } })
    const crls = { urls: [responder.url('/ca.crl')] }
    const first = sourceWith({ crls, cacheFolder })
    await first.ready()
    await first.close()
    const source = sourceWith({ crls, cacheFolder })
    await eventually(() => typesOf(source).includes('not-modified'))
    expect(typesOf(source)).toEqual(['loaded', 'not-modified'])
  })

  test('has what certificates named, lists and responses', async () => {
    const cacheFolder = await newFolder()
    const responder = await respondWith({ '/ca.crl': { crlOf: ca }, '/ocsp': { ocspOf: ca } })
    const client = await ca.issue('client-a', {
      ...pointsTo(responder.url('/ca.crl')),
      authorityInfoAccess: { ocsp: responder.url('/ocsp') },
    })
    const options = {
      crls: { distributionPoints: true },
      ocsp: { responder: 'aia' },
      cacheFolder,
    } as const
    const first = sourceWith(options)
    await first.ready()
    await first.request(wantedOf(client, ca))
    await first.close()
    const source = sourceWith(options)
    await source.ready()
    expect(source.crls.lists).toHaveLength(1)
    expect(source.responses.responses).toHaveLength(1)
    expect(responder.requests).toHaveLength(2)
  })

  test('takes no list that is older than what it has', async () => {
    const cacheFolder = await newFolder()
    const responder = await respondWith({ '/ca.crl': { crlOf: ca } })
    const crls = { urls: [responder.url('/ca.crl')] }
    const first = sourceWith({ crls, cacheFolder })
    await first.ready()
    await first.close()
    responder.set('/ca.crl', { crlOf: ca, options: { thisUpdate: testTime - 7_200 } })
    const source = sourceWith({ crls, cacheFolder })
    await eventually(() => failuresOf(source).length > 0)
    expect(failuresOf(source)).toMatchObject([{ code: 'older' }])
  })

  test('takes no response that is older than what it has', async () => {
    const cacheFolder = await newFolder()
    const client = await ca.issue('client-a')
    const responder = await respondWith({ '/ocsp': { ocspOf: ca, otherwise: 'revoked' } })
    const options = { ocsp: { responder: responder.url('/ocsp') }, cacheFolder }
    const first = sourceWith(options)
    await first.ready()
    await first.request(wantedOf(client, ca))
    await first.close()
    responder.set('/ocsp', { ocspOf: ca, options: { thisUpdate: testTime - 7_200 } })
    const source = sourceWith(options)
    await source.ready()
    await source.request(wantedOf(client, ca))
    expect(failuresOf(source)).toMatchObject([{ code: 'older' }])
    const [response] = source.responses.responses
    expect(response?.basic?.responses[0]?.certStatus.status).toBe('revoked')
  })

  test('of a source that does not ask for learned lists passes them over', async () => {
    const { cacheFolder } = await warmFolder()
    const source = sourceWith({ cacheFolder })
    await source.ready()
    expect(source.crls.lists).toEqual([])
  })
})

describe('what is asked for before the folder was read', () => {
  test('is kept like anything else', async () => {
    const cacheFolder = await slowFolder()
    const responder = await respondWith({ '/ca.crl': { crlOf: ca }, '/ocsp': { ocspOf: ca } })
    const client = await ca.issue('client-a', {
      ...pointsTo(responder.url('/ca.crl')),
      authorityInfoAccess: { ocsp: responder.url('/ocsp') },
    })
    const options = {
      crls: { distributionPoints: true },
      ocsp: { responder: 'aia' },
      cacheFolder,
    } as const
    const first = sourceWith(options)
    await first.request(wantedOf(client, ca))
    await first.close()
    const source = sourceWith(options)
    await source.ready()
    expect(source.crls.lists).toHaveLength(1)
    expect(source.responses.responses).toHaveLength(1)
  })

  test('is no list that is older than the one in it', async () => {
    const cacheFolder = await slowFolder()
    const responder = await respondWith({ '/ca.crl': { crlOf: ca } })
    const client = await ca.issue('client-a', pointsTo(responder.url('/ca.crl')))
    const options = { crls: { distributionPoints: true }, cacheFolder }
    const first = sourceWith(options)
    await first.request(wantedOf(client, ca))
    await first.ready()
    await first.close()
    responder.set('/ca.crl', { crlOf: ca, options: { thisUpdate: testTime - 7_200 } })
    const source = sourceWith(options)
    await source.request(wantedOf(client, ca))
    expect(failuresOf(source)).toMatchObject([{ code: 'older' }])
    expect(source.crls.lists).toHaveLength(1)
  })

  test('is no response that is older than the one in it', async () => {
    const cacheFolder = await slowFolder()
    const responder = await respondWith({ '/ocsp': { ocspOf: ca, otherwise: 'revoked' } })
    const client = await ca.issue('client-a')
    const options = { ocsp: { responder: responder.url('/ocsp') }, cacheFolder }
    const first = sourceWith(options)
    await first.ready()
    await first.request(wantedOf(client, ca))
    await first.close()
    responder.set('/ocsp', { ocspOf: ca, options: { thisUpdate: testTime - 7_200 } })
    const source = sourceWith(options)
    await source.request(wantedOf(client, ca))
    expect(failuresOf(source)).toMatchObject([{ code: 'older' }])
    const [response, ...others] = source.responses.responses
    expect(response?.basic?.responses[0]?.certStatus.status).toBe('revoked')
    expect(others).toEqual([])
  })

  test('is not fetched when the source is closed meanwhile', async () => {
    const cacheFolder = await slowFolder()
    const responder = await respondWith({ '/ca.crl': { crlOf: ca } })
    const client = await ca.issue('client-a', pointsTo(responder.url('/ca.crl')))
    const source = sourceWith({ crls: { distributionPoints: true }, cacheFolder })
    const asked = source.request(wantedOf(client, ca))
    await source.close()
    await asked
    expect(responder.requests).toEqual([])
    expect(source.events).toEqual([])
  })
})

describe('a file that', () => {
  const damages: readonly [string, (bytes: Buffer) => Buffer | string][] = [
    ['is cut short', (bytes) => bytes.subarray(0, -1)],
    ['is empty', () => ''],
    ['has one bit changed in the list', (bytes) => flip(bytes, bytes.length - 9)],
    ['has one bit changed in its facts', (bytes) => flip(bytes, 120)],
    ['has one bit changed in its digest', (bytes) => flip(bytes, 40)],
    [
      'is of another format',
      (bytes) => Buffer.from(bytes.toString('latin1').replace('cache 1', 'cache 2'), 'latin1'),
    ],
    ['is not ours', () => 'something else\nentirely\n'],
  ]
  test.each(damages)('%s is as good as none', async (_what, damage) => {
    const { cacheFolder, url } = await warmFolder()
    const [name = ''] = await readdir(cacheFolder)
    const file = join(cacheFolder, name)
    await writeFile(file, damage(await readFile(file)))
    const source = sourceWith({ crls: { urls: [url] }, cacheFolder })
    await source.ready()
    expect(source.crls.lists).toEqual([])
    expect(typesOf(source)).toEqual(['failed'])
  })

  test('has the name of another URI is as good as none', async () => {
    const { cacheFolder, url } = await warmFolder()
    const [name = ''] = await readdir(cacheFolder)
    const bytes = await readFile(join(cacheFolder, name))
    await rm(join(cacheFolder, name))
    await writeFile(join(cacheFolder, `${'0'.repeat(64)}.answer`), bytes)
    const source = sourceWith({ crls: { urls: [url] }, cacheFolder })
    await source.ready()
    expect(source.crls.lists).toEqual([])
  })

  test('somebody else put there stays there', async () => {
    const { cacheFolder, url } = await warmFolder()
    await writeFile(join(cacheFolder, 'notes.txt'), 'mine')
    const source = sourceWith({ crls: { urls: [url] }, cacheFolder })
    await source.ready()
    expect(await readFile(join(cacheFolder, 'notes.txt'), 'utf8')).toBe('mine')
  })

  test('another process removes meanwhile is passed over', async () => {
    const { cacheFolder, url } = await warmFolder()
    await symlink('nowhere', join(cacheFolder, `${'a'.repeat(64)}.answer`))
    await symlink('nowhere', join(cacheFolder, `${'a'.repeat(64)}.0123456789abcdef`))
    const source = sourceWith({ crls: { urls: [url] }, cacheFolder })
    await source.ready()
    expect(source.crls.lists).toHaveLength(1)
    expect(typesOf(source)).not.toContain('cache-failed')
  })

  test('an interrupted write has left is removed, once it is old', async () => {
    const { cacheFolder, url } = await warmFolder()
    const [old, young] = ['0123456789abcdef', 'fedcba9876543210'].map((end) =>
      join(cacheFolder, `${'a'.repeat(64)}.${end}`),
    ) as [string, string]
    await writeFile(old, 'half')
    await utimes(old, 0, 0)
    await writeFile(young, 'half')
    const source = sourceWith({ crls: { urls: [url] }, cacheFolder })
    await source.ready()
    await expect(stat(old)).rejects.toMatchObject({ code: 'ENOENT' })
    expect((await stat(young)).size).toBe(4)
  })

  test('holds an answer has a hash for a name, and is for nobody else to read', async () => {
    const cacheFolder = await newFolder()
    const responder = await respondWith({ '/x/..%2f..%2fa.crl': { crlOf: ca } })
    const url = `${responder.url('/x/..%2f..%2fa.crl')}?../../../../etc/passwd`
    const source = sourceWith({ crls: { urls: [url] }, cacheFolder })
    await source.ready()
    await source.close()
    const names = await readdir(cacheFolder)
    expect(names).toHaveLength(1)
    expect(names[0]).toMatch(/^[0-9a-f]{64}\.answer$/)
    expect((await stat(join(cacheFolder, names[0] as string))).mode & 0o777).toBe(0o600)
  })
})

describe('a folder', () => {
  test('that cannot be written is an event, and nothing else is the worse for it', async () => {
    const file = join(await newFolder(), 'file')
    await writeFile(file, '')
    const responder = await respondWith({ '/ca.crl': { crlOf: ca } })
    const source = sourceWith({
      crls: { urls: [responder.url('/ca.crl')] },
      cacheFolder: join(file, 'below'),
    })
    await source.ready()
    await source.close()
    expect(source.crls.lists).toHaveLength(1)
    const failures = source.events.filter(({ type }) => type === 'cache-failed')
    expect(failures[0]).toMatchObject({ failure: { code: 'cache', error: 'ENOTDIR' } })
  })

  test.runIf(process.platform === 'linux')(
    'that can never be made is an event, and holds up nothing',
    async () => {
      // Here the system says that the folder above is missing, for as long as one tries.
      const source = sourceWith({ cacheFolder: join('/proc', 'mtls-policy-test', 'below') })
      await source.ready()
      await source.close()
      expect(source.events).toMatchObject([
        { type: 'cache-failed', failure: { code: 'cache', error: 'ENOENT' } },
      ])
    },
  )

  test('is made when it is not there, for nobody else to look into', async () => {
    const cacheFolder = join(await newFolder(), 'a', 'b')
    const responder = await respondWith({ '/ca.crl': { crlOf: ca } })
    const source = sourceWith({ crls: { urls: [responder.url('/ca.crl')] }, cacheFolder })
    await source.ready()
    await source.close()
    expect((await stat(cacheFolder)).mode & 0o777).toBe(0o700)
    expect(await readdir(cacheFolder)).toHaveLength(1)
  })

  test('holds no more than it may: what was written first goes first', async () => {
    const cacheFolder = await newFolder()
    const paths = ['/0.crl', '/1.crl', '/2.crl', '/3.crl']
    const responder = await respondWith(
      Object.fromEntries(paths.map((path) => [path, { crlOf: ca }])),
    )
    const source = sourceWith({
      crls: { distributionPoints: true },
      cacheFolder,
      maxCacheBytes: 1_500,
    })
    await source.ready()
    for (const path of paths) {
      await source.request(wantedOf(await ca.issue(path, pointsTo(responder.url(path))), ca))
    }
    await source.close()
    let total = 0
    let text = ''
    for (const name of await readdir(cacheFolder)) {
      const bytes = await readFile(join(cacheFolder, name))
      total += bytes.length
      text += bytes.toString('latin1')
    }
    expect(total).toBeLessThanOrEqual(1_500)
    expect(text).toContain('/3.crl')
    expect(text).not.toContain('/0.crl')
  })

  test('takes no answer that is larger than all of it may be', async () => {
    const cacheFolder = await newFolder()
    const responder = await respondWith({ '/ca.crl': { crlOf: ca } })
    const source = sourceWith({
      crls: { urls: [responder.url('/ca.crl')] },
      cacheFolder,
      maxCacheBytes: 100,
    })
    await source.ready()
    await source.close()
    expect(source.events.at(-1)).toMatchObject({
      type: 'cache-failed',
      failure: { code: 'too-large', maxBytes: 100 },
    })
    expect(await readdir(cacheFolder)).toEqual([])
  })

  test('on a disk that is full is an event, and keeps what it had', async () => {
    const { cacheFolder } = await warmFolder()
    const before = await readdir(cacheFolder)
    const program = fileURLToPath(new URL('full-disk.ts', import.meta.url))
    // The limit on the size of files is the one full disk that needs no rights: writing ends with EFBIG half-way.
    const script = 'trap "" XFSZ; ulimit -f 64; exec "$0" --import tsx "$@"'
    const args = ['-c', script, process.execPath, program, cacheFolder]
    const { stdout } = await promisify(execFile)('bash', args)
    expect(JSON.parse(stdout)).toEqual({
      lists: 1,
      failures: [{ code: 'cache', error: 'EFBIG' }],
    })
    expect(await readdir(cacheFolder)).toEqual(before)
  })
})

test('two sources may share a folder', async () => {
  const cacheFolder = await newFolder()
  await mkdir(cacheFolder, { recursive: true })
  const responder = await respondWith({ '/ca.crl': { crlOf: ca } })
  const crls = { urls: [responder.url('/ca.crl')] }
  const both = [sourceWith({ crls, cacheFolder }), sourceWith({ crls, cacheFolder })]
  await Promise.all(both.map((source) => source.ready()))
  await Promise.all(both.map((source) => source.close()))
  expect(both.flatMap(typesOf)).not.toContain('cache-failed')
  expect(await readdir(cacheFolder)).toHaveLength(1)
})

function flip(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] as number) ^ 1
  return copy
}
