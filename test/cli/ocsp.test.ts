import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { issueCa, startResponder, testTime, toPem } from '../../src/testing/index.ts'
import { readOcspRequest } from '../../src/testing/read-ocsp-request.ts'
import { cli, folderOf } from './support.ts'

const responder = await startResponder()
afterAll(() => responder.close())
const root = await issueCa('Root CA')
const other = await issueCa('Other CA')
const places = { authorityInfoAccess: { ocsp: responder.url('/ocsp') } }
const good = await root.issue('client-a', places)
const bad = await root.issue('client-b', places)
const plain = await root.issue('client-c')
const delegate = await root.issueOcspResponder('OCSP responder')
responder.set('/ocsp', { ocspOf: root, statuses: [{ certificate: bad, certStatus: 'revoked' }] })
const response = await root.issueOcspResponse({
  signer: delegate,
  responderID: 'byName',
  nonce: Uint8Array.of(1, 2, 3),
  responses: [good, { certificate: bad, certStatus: { reason: 'superseded' } }],
})
const stale = await root.issueOcspResponse({
  thisUpdate: testTime - 200_000,
  nextUpdate: testTime - 1000,
  responses: [good],
})
const folder = await folderOf({
  'ca.pem': root.pem,
  'other.pem': other.pem,
  'a.pem': good.pem,
  'b.pem': bad.pem,
  'c.pem': plain.pem,
  'ocsp.der': response.der,
  'two.pem': toPem(response.der, 'OCSP RESPONSE') + toPem(stale.der, 'OCSP RESPONSE'),
  'stale.der': stale.der,
  'later.der': (await root.issueOcspResponse({ responseStatus: 'tryLater' })).der,
  'cut.der': response.der.subarray(0, 90),
  'ca.crl': (await root.issueCrl()).der,
})
const run = (...argv: string[]) => cli(['ocsp', ...argv], { cwd: folder })
const json = async (...argv: string[]) => {
  const { code, out } = await run(...argv, '--json')
  return { code, json: JSON.parse(out) }
}
const by = (certificate: string) => ['--certificate', certificate, '--issuer', 'ca.pem']

describe('ocsp show', () => {
  test('puts a response into JSON', async () => {
    const { code, json: made } = await json('ocsp.der')
    expect([code, made.command]).toEqual([0, 'ocsp show'])
    const [{ responseStatus, basic }] = made.results[0].responses
    expect(responseStatus).toBe('successful')
    expect(basic).toMatchObject({
      responder: 'CN=OCSP responder',
      producedAt: '2029-12-31T23:00:00Z',
      nonce: '010203',
      signatureAlgorithm: 'ECDSA with SHA-256',
      certificates: ['CN=OCSP responder'],
    })
    expect(basic.responses).toMatchObject([
      { hashAlgorithm: 'SHA-1', status: 'good' },
      { status: 'revoked', reason: 'superseded', revocationDate: '2029-12-30T23:00:00Z' },
    ])
  })
  test('and into text, several from one file', async () => {
    const { code, out } = await run('show', 'two.pem')
    expect(code).toBe(0)
    expect(out).toContain('two.pem  1 of 2\n')
    expect(out).toMatch(/revoked +2029-12-30T23:00:00Z {2}\(1 day ago\), superseded\n/)
    expect(out).toContain('(16 minutes ago)  expired\n')
  })
  test.each([
    ['ocsp.der', 'a.pem', 0, 'good', undefined],
    ['ocsp.der', 'b.pem', 1, 'revoked', undefined],
    ['ocsp.der', 'c.pem', 1, 'unknown', 'ocsp-missing'],
    ['stale.der', 'a.pem', 1, 'unknown', 'ocsp-expired'],
    ['later.der', 'a.pem', 1, 'unknown', 'ocsp-error'],
  ])('judges %s about %s: exit code %i, %s', async (file, certificate, exit, status, problem) => {
    const { code, json: made } = await json('show', file, ...by(certificate))
    const { judged } = made.results[0]
    expect([code, judged.status]).toEqual([exit, status])
    expect(judged.problems?.[0].code).toBe(problem)
  })
  test('at another time, and by age', async () => {
    const early = ['show', 'stale.der', ...by('a.pem'), '--time', '2029-12-31']
    expect((await run(...early)).code).toBe(0)
    const old = await json('show', 'ocsp.der', ...by('a.pem'), '--max-age', '30m')
    expect(old.json.results[0].judged.problems[0].code).toBe('ocsp-too-old')
  })
  test.each([
    ['a.pem', 'this is a certificate, not an OCSP response', 'mtls-policy show'],
    ['ca.crl', 'this is a CRL, not an OCSP response', '--crl'],
    ['cut.der', 'this is not an OCSP response in DER', 'whole file'],
    ['none.der', 'there is no such file', 'check the name'],
  ])('%s: exit code 2, and what it is', async (file, message, remedy) => {
    const { code, out } = await run(file)
    expect(code).toBe(2)
    expect(out).toContain(message)
    expect(out).toContain(remedy)
  })
  test.each([
    ['half of what judging needs', ['--certificate', 'a.pem'], 'usage-missing-option'],
    ['the other half', ['--issuer', 'ca.pem'], 'usage-missing-option'],
    [
      'an issuer of somebody else',
      ['--certificate', 'a.pem', '--issuer', 'other.pem'],
      'issuer-does-not-fit',
    ],
    [
      'an issuer that is none',
      ['--certificate', 'a.pem', '--issuer', 'ca.crl'],
      'issuer-unreadable',
    ],
    ['a duration that is none', ['--max-age', 'long'], 'usage-invalid-value'],
  ])('%s is wrong usage', async (_, options, expected) => {
    const { code, json: made } = await json('show', 'ocsp.der', ...options)
    expect([code, made.command, made.error.code]).toEqual([2, 'ocsp show', expected])
  })
})

describe('ocsp request', () => {
  test('prints base64, or writes DER, that names the certificate', async () => {
    const { code, out } = await run('request', 'a.pem', 'ca.pem')
    const printed = new Uint8Array(Buffer.from(out, 'base64'))
    expect(code).toBe(0)
    const question = readOcspRequest(printed)
    expect(question?.nonce).toBeUndefined()
    expect(question?.certIDs[0]?.serialNumber).toEqual(good.tbsCertificate.serialNumber)
    expect((await run('request', 'a.pem', 'ca.pem', '--out', 'a.req')).code).toBe(0)
    expect(new Uint8Array(await readFile(join(folder, 'a.req')))).toEqual(printed)
  })
  test('with a nonce of 32 octets and SHA-256 where that is wanted', async () => {
    const argv = ['request', 'a.pem', 'ca.pem', '--nonce', '--hash', 'SHA-256']
    const { json: made } = await json(...argv)
    const question = readOcspRequest(new Uint8Array(Buffer.from(made.request, 'base64')))
    expect(Buffer.from(question?.nonce ?? []).toString('hex')).toBe(made.nonce)
    expect(made.nonce).toHaveLength(64)
    expect(question?.certIDs[0]?.hashAlgorithm).toBe('2.16.840.1.101.3.4.2.1')
  })
  test('only for an issuer that issued the certificate', async () => {
    const { code, err } = await run('request', 'a.pem', 'other.pem')
    expect(code).toBe(2)
    expect(err).toContain('(issuer-does-not-fit)')
    expect((await run('request', '-', '-')).err).toContain('(stdin-twice)')
  })
})

describe('ocsp fetch', () => {
  const lab = '--allow-private-addresses'
  test.each([
    ['a.pem', 0, 'good'],
    ['b.pem', 1, 'revoked'],
  ])('asks about %s: exit code %i, %s', async (file, exit, status) => {
    const argv = ['fetch', file, 'ca.pem', lab, '--nonce', '--out', 'got.der']
    const { code, json: made } = await json(...argv)
    expect([code, made.judged.status]).toEqual([exit, status])
    expect(made.response.basic.nonce).toHaveLength(64)
    expect((await json('show', 'got.der', ...by(file))).code).toBe(exit)
  })
  test('a responder of one’s own, for a certificate that names none', async () => {
    expect((await run('fetch', 'c.pem', 'ca.pem')).err).toContain('(nothing-to-fetch)')
    const { code, out } = await run(
      'fetch',
      'c.pem',
      'ca.pem',
      lab,
      '--url',
      responder.url('/ocsp'),
    )
    expect(code).toBe(0)
    expect(out).toContain('client-c: good, says an OCSP response for Root CA')
  })
  test.each([
    ['status', { kind: 'status', status: 500 }, 'status'],
    ['wrong-content', 'wrong-content', 'revocation-input-unrecognized'],
    ['wrong-nonce', 'wrong-nonce', 'ocsp-nonce'],
    ['truncated', 'truncated', 'truncated'],
  ] as const)('a responder with the fault %s: exit code 2', async (_, fault, expected) => {
    responder.fail('/ocsp', fault, 1)
    const { code, json: made } = await json('fetch', 'a.pem', 'ca.pem', lab, '--nonce')
    expect([code, made.fetched[0].code, made.judged]).toEqual([2, expected, null])
  })
  test('an answer that somebody else signed counts for nothing: exit code 1', async () => {
    responder.fail('/ocsp', 'wrong-signer', 1)
    const { code, json: made } = await json('fetch', 'a.pem', 'ca.pem', lab)
    expect([code, made.judged.problems[0].code]).toEqual([1, 'ocsp-signature'])
  })
  test('no private address, unless that is allowed', async () => {
    const { code, out } = await run('fetch', 'a.pem', 'ca.pem')
    expect(code).toBe(2)
    expect(out).toContain('address-refused')
    expect(out).toContain('--allow-private-addresses')
  })
  test('says on a terminal what it waits for, and takes that away', async () => {
    await writeFile(join(folder, 'x.pem'), good.pem)
    let err = ''
    const { run: program } = await import('../../src/cli/run.ts')
    const code = await program(['ocsp', 'fetch', 'x.pem', 'ca.pem', lab], {
      stdout: { write: () => true },
      stderr: {
        write: (text) => {
          err += text
        },
        isTTY: true,
        columns: 60,
      },
      readStdin: async () => new Uint8Array(),
      cwd: folder,
      env: {},
      now: () => new Date('2030-01-01T00:00:00Z'),
    })
    expect(code).toBe(0)
    expect(err).toContain('\rfetching http://127.0.0.1')
    expect(err.endsWith('\r')).toBe(true)
  })
})
