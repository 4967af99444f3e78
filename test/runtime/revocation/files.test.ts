/** Lists in files and folders. */

import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { parseTrustAnchors } from '../../../src/index.ts'
import { type CertificateAuthority, issueCa, testTime } from '../../../src/testing/index.ts'
import { eventually, failuresOf, pause, sourceWith, typesOf } from './support.ts'

let ca: CertificateAuthority
let other: CertificateAuthority
beforeAll(async () => {
  ca = await issueCa('Issuing CA')
  other = await issueCa('Other CA', { key: 'P-256#5' })
})

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mtls-policy-files-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

describe('a file', () => {
  test('is read at the start, DER or PEM, one list or several', async () => {
    const folder = await newFolder()
    const [der, pem] = [join(folder, 'a.crl'), join(folder, 'b.pem')]
    const [first, second] = [await ca.issueCrl(), await other.issueCrl()]
    await writeFile(der, first.der)
    await writeFile(pem, `Some words.\n${first.pem}\r\n${second.pem.replaceAll('\n', '\r\n')}`)
    const source = sourceWith({ crls: { files: [der, pem] } })
    await source.ready()
    expect(source.crls.lists.map(({ der }) => Buffer.from(der).toString('hex'))).toEqual(
      [first, first, second].map(({ der }) => Buffer.from(der).toString('hex')),
    )
    expect(source.status()).toMatchObject([
      { origin: der, state: 'current' },
      { origin: pem, state: 'current' },
      { origin: pem, state: 'current' },
    ])
  })

  test('is read again when it is replaced', async () => {
    const folder = await newFolder()
    const file = join(folder, 'ca.crl')
    await writeFile(file, (await ca.issueCrl()).der)
    const source = sourceWith({ crls: { files: [file] } })
    await source.ready()
    await writeFile(join(folder, 'new'), (await other.issueCrl()).der)
    await rename(join(folder, 'new'), file)
    await eventually(() => typesOf(source).includes('replaced'))
    expect(source.crls.lists[0]?.tbsCertList.issuer.der).toEqual(other.tbsCertificate.subject.der)
    expect(source.crls.lists).toHaveLength(1)
  })

  test.each([
    [
      'half of the DER',
      (list: { der: Uint8Array }) => list.der.subarray(0, list.der.length >> 1),
      'unreadable',
    ],
    [
      'half of the PEM',
      (list: { pem: string }) => list.pem.slice(0, list.pem.length >> 1),
      'not-a-list',
    ],
    [
      'one list and half of another',
      (list: { pem: string }) => list.pem + list.pem.slice(0, 100),
      'not-a-list',
    ],
    [
      'a character that is not base64',
      (list: { pem: string }) => list.pem.replace('M', '!'),
      'not-a-list',
    ],
    [
      'a PEM that goes on after its padding',
      (list: { pem: string }) => list.pem.replace(/\n/, '\nMA==\n'),
      'not-a-list',
    ],
    ['nothing', () => '', 'not-a-list'],
    ['something else', () => 'nothing to see here', 'not-a-list'],
  ] as const)('with %s never replaces a good list', async (_what, broken, code) => {
    const file = join(await newFolder(), 'ca.crl')
    const list = await ca.issueCrl()
    await writeFile(file, list.der)
    const source = sourceWith({ crls: { files: [file] } })
    await source.ready()
    const { crls } = source
    await writeFile(file, broken(list))
    await eventually(() => failuresOf(source).length > 0)
    expect(failuresOf(source)).toMatchObject([{ code }])
    expect(source.crls).toBe(crls)
    expect(source.status()).toMatchObject([{ state: 'current', lastFailure: { code } }])
    await writeFile(file, (await other.issueCrl()).der)
    await eventually(() => typesOf(source).includes('replaced'))
    expect(source.status()).toMatchObject([{ lastFailure: undefined, failures: 0 }])
  })

  test('that is away keeps its list, and is read when it is back', async () => {
    const folder = await newFolder()
    const file = join(folder, 'ca.crl')
    await writeFile(file, (await ca.issueCrl()).der)
    const source = sourceWith({ crls: { files: [file] } })
    await source.ready()
    await unlink(file)
    await eventually(() => failuresOf(source).length > 0)
    expect(failuresOf(source)).toEqual([{ code: 'file', error: 'ENOENT' }])
    expect(source.crls.lists).toHaveLength(1)
    await writeFile(file, (await other.issueCrl()).der)
    await eventually(() => typesOf(source).includes('replaced'))
  })

  test('that never was there is told of, and waited for', async () => {
    const folder = await newFolder()
    const source = sourceWith({ crls: { files: [join(folder, 'ca.crl')] } })
    await source.ready()
    expect(failuresOf(source)).toEqual([{ code: 'file', error: 'ENOENT' }])
    expect(source.status()).toMatchObject([{ state: 'empty' }])
    await writeFile(join(folder, 'ca.crl'), (await ca.issueCrl()).der)
    await eventually(() => source.crls.lists.length === 1)
  })

  test('that is too large is not read', async () => {
    const file = join(await newFolder(), 'ca.crl')
    await writeFile(file, new Uint8Array(2_000))
    const source = sourceWith({ crls: { files: [file] }, maxBytes: 1_000 })
    await source.ready()
    expect(failuresOf(source)).toEqual([{ code: 'too-large', maxBytes: 1_000 }])
  })

  test('that is a device is refused', async () => {
    const source = sourceWith({ crls: { files: ['/dev/zero'] } })
    await source.ready()
    expect(failuresOf(source)).toEqual([{ code: 'file-kind' }])
  })

  test('under the name of a signer that did not sign it is refused', async () => {
    const file = join(await newFolder(), 'ca.crl')
    await writeFile(file, (await ca.issueCrl({ signingKey: 'P-256#7' })).der)
    const source = sourceWith({ crls: { files: [file] }, signers: parseTrustAnchors(ca.pem) })
    await source.ready()
    expect(failuresOf(source)).toEqual([{ code: 'signature-invalid' }])
    expect(source.crls.lists).toEqual([])
  })
})

describe('a folder', () => {
  test('has its files come, change and go', async () => {
    const folder = await newFolder()
    await writeFile(join(folder, 'a.crl'), (await ca.issueCrl()).der)
    await writeFile(join(folder, '.hidden'), 'no list')
    await mkdir(join(folder, 'below'))
    const source = sourceWith({ crls: { files: [folder] } })
    await source.ready()
    expect(source.crls.lists).toHaveLength(1)
    await writeFile(join(folder, 'b.crl'), (await other.issueCrl()).der)
    await eventually(() => source.crls.lists.length === 2)
    const newer = await ca.issueCrl({ thisUpdate: testTime - 60 })
    await writeFile(join(folder, 'a.crl'), newer.der)
    await eventually(() => source.crls.lists[0]?.tbsCertList.thisUpdate === testTime - 60)
    await unlink(join(folder, 'b.crl'))
    await eventually(() => source.crls.lists.length === 1)
    expect(typesOf(source)).toContain('removed')
  })

  test('with one bad file has its others in force', async () => {
    const folder = await newFolder()
    await writeFile(join(folder, 'a.crl'), (await ca.issueCrl()).der)
    await writeFile(join(folder, 'README'), 'Lists of our CAs.')
    const source = sourceWith({ crls: { files: [folder] } })
    await source.ready()
    expect(source.crls.lists).toHaveLength(1)
    expect(failuresOf(source)).toEqual([{ code: 'not-a-list' }])
  })

  test('that is away keeps its lists', async () => {
    const folder = await newFolder()
    const inside = join(folder, 'crls')
    await mkdir(inside)
    await writeFile(join(inside, 'a.crl'), (await ca.issueCrl()).der)
    const source = sourceWith({ crls: { files: [inside] } })
    await source.ready()
    await rename(inside, join(folder, 'elsewhere'))
    await source.refresh()
    expect(failuresOf(source)).toEqual([{ code: 'file', error: 'ENOENT' }])
    expect(source.crls.lists).toHaveLength(1)
    await rename(join(folder, 'elsewhere'), inside)
    await source.refresh()
    expect(source.crls.lists).toHaveLength(1)
    expect(source.status()).toMatchObject([{ state: 'current', lastFailure: undefined }])
  })

  test('may swap all of its files at once through a link, as orchestrators do', async () => {
    const folder = await newFolder()
    for (const [name, by] of [
      ['..1', ca],
      ['..2', other],
    ] as const) {
      await mkdir(join(folder, name))
      await writeFile(join(folder, name, 'ca.crl'), (await by.issueCrl()).der)
    }
    await symlink('..1', join(folder, '..data'))
    await symlink(join('..data', 'ca.crl'), join(folder, 'ca.crl'))
    const source = sourceWith({ crls: { files: [folder] } })
    await source.ready()
    await symlink('..2', join(folder, '..new'))
    await rename(join(folder, '..new'), join(folder, '..data'))
    await eventually(() => typesOf(source).includes('replaced'))
    expect(source.crls.lists[0]?.tbsCertList.issuer.der).toEqual(other.tbsCertificate.subject.der)
  })

  test('that changes a lot is read a few times', async () => {
    const folder = await newFolder()
    const source = sourceWith({ crls: { files: [folder] } })
    await source.ready()
    const { der } = await ca.issueCrl()
    for (let i = 0; i < 50; i++) await writeFile(join(folder, `${i}.crl`), der)
    await eventually(() => source.crls.lists.length === 50)
    await pause(300)
    expect(source.epoch).toBeLessThan(20)
  })
})
