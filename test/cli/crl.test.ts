import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { serialNumbersOf } from '../../src/cli/crl-facts.ts'
import { parseCrls } from '../../src/revocation.ts'
import { issueCa, issueCrl, startResponder, testTime } from '../../src/testing/index.ts'
import { cli, folderOf } from './support.ts'

const responder = await startResponder()
afterAll(() => responder.close())
const root = await issueCa('Root CA')
const bare = await root.issueCa('Bare CA', { keyUsage: ['keyCertSign'] })
const client = await root.issue('client-a', { serialNumber: Uint8Array.of(0x00, 0xc1, 0x02) })
const signer = await root.issue('CRL issuer', {
  keyUsage: ['cRLSign'],
  extendedKeyUsage: 'absent',
})
const list = await root.issueCrl({
  cRLNumber: 300,
  revoked: [
    { serialNumber: client.tbsCertificate.serialNumber, reason: 'keyCompromise' },
    { serialNumber: 5, reason: 'superseded', invalidityDate: testTime - 200_000 },
    { serialNumber: 6 },
    { serialNumber: 7, reason: 'superseded' },
  ],
  freshestCRL: [{ uri: 'http://crl.example/delta.crl' }],
})
const delta = await root.issueDeltaCrl({
  revoked: [{ serialNumber: 5, reason: 'removeFromCRL' }],
})
const indirect = await issueCrl(signer, {
  revoked: [client],
  issuingDistributionPoint: {
    uri: responder.url('/indirect.crl'),
    indirectCRL: true,
    onlyContainsUserCerts: true,
    onlySomeReasons: ['keyCompromise', 'cACompromise'],
  },
})
const unsigned = await bare.issueCrl()
const folder = await folderOf({
  'root.pem': root.pem,
  'bare.pem': bare.pem,
  'two.crl': list.pem + delta.pem,
  'list.der': list.der,
  'indirect.crl': indirect.pem,
  'bare.crl': unsigned.der,
  'cut.crl': list.pem + delta.pem.slice(0, 80),
  'page.crl': 'hello',
})
const run = (...argv: string[]) => cli(['crl', ...argv], { cwd: folder })
const json = async (...argv: string[]) => {
  const { code, out } = await run(...argv, '--json')
  return { code, json: JSON.parse(out) }
}

describe('crl show', () => {
  test('puts everything about each list of a file into JSON', async () => {
    const { code, json: made } = await json('show', 'two.crl')
    expect([code, made.command, made.ok]).toEqual([0, 'crl show', true])
    const [complete, changes] = made.results[0].lists
    expect(complete).toMatchObject({
      issuer: 'CN=Root CA',
      version: 2,
      kind: 'complete',
      number: '300',
      baseNumber: null,
      thisUpdate: '2029-12-31T23:00:00Z',
      nextUpdate: '2030-01-07T23:00:00Z',
      signatureAlgorithm: 'ECDSA with SHA-256',
      scope: { certificates: 'all', distributionPoint: [], reasons: null, indirect: false },
      freshestCrlUris: ['http://crl.example/delta.crl'],
      entries: 4,
      reasons: { keyCompromise: 1, superseded: 2, unspecified: 1 },
    })
    expect(complete.first[1]).toEqual({
      serialNumber: '05',
      revocationDate: '2029-12-30T23:00:00Z',
      reason: 'superseded',
      invalidityDate: '2029-12-29T16:26:40Z',
      certificateIssuer: null,
    })
    expect(changes).toMatchObject({ kind: 'delta', baseNumber: '300', entries: 1 })
  })
  test('and into text, with distances and the count by reason', async () => {
    const { code, out } = await run('two.crl')
    expect(code).toBe(0)
    expect(out).toContain('two.crl  1 of 2\n')
    expect(out).toMatch(/next update +2030-01-07T23:00:00Z {2}\(in 6 days\)\n/)
    expect(out).toMatch(/entries +4: 2 superseded, 1 keyCompromise, 1 unspecified\n/)
    expect(out).toContain('delta CRL: what changed since the complete CRL 300\n')
    const later = await run('show', 'two.crl', '--time', '2030-02-01', '--entries', '1')
    expect(later.out).toContain('(24 days ago)  expired\n')
    expect(later.out).toContain('and 3 more\n')
  })
  test('says in words for whom a list speaks', async () => {
    const { out } = await run('show', 'indirect.crl')
    expect(out).toContain('certificates of its issuer for users, not for CAs, and those of other')
    expect(out).toContain(`that name the distribution point ${responder.url('/indirect.crl')}\n`)
    expect(out).toContain('revoked for these reasons only: keyCompromise, cACompromise\n')
    expect(out).toContain('of CN=Root CA\n')
  })
  test.each(['c102', '00c102', '00:C1:02', '0x00c102', 'C1 02'])(
    'finds the serial number %s: exit code 1',
    async (serial) => {
      const { code, json: made } = await json('show', 'list.der', '--serial', serial)
      const [one] = made.results[0].lists
      expect([code, one.listed, one.found[0].reason]).toEqual([1, true, 'keyCompromise'])
    },
  )
  test('says that a serial number is not listed: exit code 0', async () => {
    const { code, out } = await run('show', 'list.der', '--serial', '08')
    expect(code).toBe(0)
    expect(out).toContain('  not listed\n')
  })
  test('checks the signature with the issuers that are named', async () => {
    const by = async (file: string, issuer: string) => {
      const { code, json: made } = await json('show', file, '--issuer', issuer)
      return [code, made.results[0].lists[0].signature.code]
    }
    expect(await by('list.der', 'root.pem')).toEqual([0, null])
    expect(await by('list.der', 'bare.pem')).toEqual([1, 'crl-signer-unknown'])
    expect(await by('bare.crl', 'bare.pem')).toEqual([1, 'crl-signer-no-crl-sign'])
    const forged = await root.issueCrl({ signingKey: bare.key })
    await writeFile(join(folder, 'forged.crl'), forged.der)
    expect(await by('forged.crl', 'root.pem')).toEqual([1, 'signature-invalid'])
    const { out } = await run('show', 'list.der', '--issuer', 'root.pem')
    expect(out).toContain('✓ signed by CN=Root CA, which may sign lists\n')
  })
  test('reads standard input, and folders without what lies beside lists', async () => {
    const stdin = list.der
    expect((await cli(['crl', '-'], { cwd: folder, stdin })).code).toBe(0)
    await mkdir(join(folder, 'crls'))
    await writeFile(join(folder, 'crls/a.crl'), list.pem)
    await writeFile(join(folder, 'crls/ca.pem'), root.pem)
    const { code, json: made } = await json('show', 'crls')
    expect([code, made.results.length]).toEqual([0, 1])
  })
  test('shows what can be read of a damaged file, with exit code 2', async () => {
    const { code, json: made } = await json('show', 'cut.crl')
    const [result] = made.results
    expect([code, result.ok, result.lists.length]).toEqual([2, false, 1])
    expect(result.unreadable[0]).toMatchObject({
      index: 1,
      code: 'revocation-input-pem-malformed',
    })
    const text = await run('show', 'page.crl', 'root.pem', 'none.crl')
    expect(text.code).toBe(2)
    expect(text.out).toContain('give a CRL in DER, or in PEM with the label X509 CRL')
    expect(text.out).toContain('this is a certificate, not a CRL')
    expect(text.out).toContain('there is no such file')
  })
  test('a list of 100,000 entries keeps no more of them than are asked for', async () => {
    const { der } = await root.issueCrl({ entries: 100_000 })
    const { code, out } = await cli(['crl', '-', '--entries', '2', '--json'], { stdin: der })
    const [one] = JSON.parse(out).results[0].lists
    expect([code, one.entries, one.first.length]).toEqual([0, 100_000, 2])
    expect(one.reasons).toEqual({ unspecified: 87_500, superseded: 12_500 })
  })
  test('cannot be made to move the cursor by a list', async () => {
    const odd = await issueCa('Odd CA', { subject: [{ type: 'CN', value: 'a\u001b[2J\u202Eb' }] })
    const { der } = await odd.issueCrl()
    const own = await folderOf({ 'odd.crl': der, 'odd.pem': odd.pem })
    const { out } = await cli(['crl', 'odd.crl', '--issuer', 'odd.pem'], { cwd: own })
    expect(out).toContain('which may sign lists')
    expect(out.includes('\u001b') || out.includes('\u202e')).toBe(false)
  })
})

test('a serial number is read as the octets and as the number that it may stand for', () => {
  const hex = (text: string) =>
    serialNumbersOf(text)?.map((octets) => Buffer.from(octets).toString('hex'))
  expect(hex('7f')).toEqual(['7f'])
  expect(hex('80')).toEqual(['0080', '80'])
  expect(hex('0')).toEqual(['00'])
  expect(hex('-80')).toEqual(['80'])
  expect(hex('-81')).toEqual(['ff7f'])
  expect(hex('0007')).toEqual(['07', '0007'])
  for (const text of ['', 'x', '0x', '1.5', '--1']) expect(hex(text)).toBeUndefined()
})

describe('crl fetch', async () => {
  const lab = '--allow-private-addresses'
  responder.set('/root.crl', { crlOf: root, options: { revoked: [client] } })
  responder.set('/other.crl', { body: list.der })
  responder.set('/page', { body: new TextEncoder().encode('<html>') })
  const uri = (path: string) => ({ uri: responder.url(path) })
  const named = await root.issue('client-b', {
    cRLDistributionPoints: [
      { fullName: [{ uri: 'ldap://crl.example/cn=x' }, uri('/none'), uri('/root.crl')] },
    ],
    freshestCRL: [uri('/other.crl')],
  })
  const lost = await root.issue('client-c', { cRLDistributionPoints: [uri('/none')] })
  await writeFile(join(folder, 'b.pem'), named.pem)
  await writeFile(join(folder, 'c.pem'), lost.pem)
  await writeFile(join(folder, 'plain.pem'), client.pem)

  test('from a URL, into a file', async () => {
    const { code, out } = await run('fetch', responder.url('/root.crl'), lab, '--out', 'got.crl')
    expect(code).toBe(0)
    expect(out).toContain('✓ fetched')
    expect(out).toContain('written  got.crl')
    const got = parseCrls(await readFile(join(folder, 'got.crl')))
    expect(got.lists[0]?.tbsCertList.revokedCertificates.count).toBe(1)
  })
  test('from all that a certificate names, each place by the first URI that answers', async () => {
    const argv = ['fetch', 'b.pem', lab, '--issuer', 'root.pem', '--out', 'all.pem']
    const { code, json: made } = await json(...argv)
    expect(code).toBe(0)
    expect(made.fetched.map((row: { code: string | null }) => row.code)).toEqual([
      'uri-scheme',
      'status',
      null,
      null,
    ])
    expect(made.lists.map((one: { signature: object }) => one.signature)).toEqual([
      expect.objectContaining({ verified: true }),
      expect.objectContaining({ verified: true }),
    ])
    expect(parseCrls(await readFile(join(folder, 'all.pem'))).lists).toHaveLength(2)
  })
  test.each([
    ['a private address', [responder.url('/root.crl')], 'address-refused'],
    ['another scheme', ['ftp://crl.example/x', lab], 'uri-scheme'],
    ['a web page', [responder.url('/page'), lab], 'revocation-input-unrecognized'],
    ['nothing there', ['c.pem', lab], 'status'],
  ])('%s: nothing, with exit code 2 and why', async (_, argv, expected) => {
    const { code, json: made } = await json('fetch', ...argv)
    expect([code, made.lists]).toEqual([2, []])
    expect(made.fetched[0].code).toBe(expected)
    expect(made.fetched[0].remedy).not.toBe('')
  })
  test('a certificate that names no place', async () => {
    const { code, err } = await run('fetch', 'plain.pem')
    expect(code).toBe(2)
    expect(err).toContain('(nothing-to-fetch)')
    expect(err).toContain('crl fetch http://…')
  })
  test('a signature of another CA: exit code 1', async () => {
    const argv = ['fetch', responder.url('/root.crl'), lab, '--issuer', 'bare.pem']
    expect((await json(...argv)).code).toBe(1)
  })
})
