import { describe, expect, test } from 'vitest'
import { parseCrls, rememberSignature } from '../../src/revocation/crls.ts'
import { describeProblem } from '../../src/revocation/problem-text.ts'
import type { StatusProblem } from '../../src/revocation/status.ts'
import { issueCa, testTime, toPem } from '../../src/testing/index.ts'
import { hour, judge, outcome } from './crl-support.ts'

const root = await issueCa('Root CA')
const list = await root.issueCrl()
const other = await (await issueCa('Other CA')).issueCrl()

function codesOf(source: Parameters<typeof parseCrls>[0]): readonly string[] {
  return parseCrls(source).unreadable.map(({ index, failure }) => `${index} ${failure.code}`)
}

describe('lists from what a caller has', () => {
  test.each([
    ['DER', list.der, 1],
    ['PEM', list.pem, 1],
    ['PEM as octets', new TextEncoder().encode(list.pem), 1],
    ['base64 of DER', Buffer.from(list.der).toString('base64'), 1],
    ['base64 with blanks around it', `\n ${Buffer.from(list.der).toString('base64')} \n`, 1],
    ['several blocks', list.pem + other.pem, 2],
    ['blocks with text between them', `# one\n${list.pem}\n# two\n${other.pem}`, 2],
    ['several sources', [list.der, other.pem, list.pem + other.pem], 4],
    ['lists that were parsed', parseCrls(list.pem + other.pem).lists, 2],
    ['none', [], 0],
  ])('%s', (_, source, count) => {
    const crls = parseCrls(source)
    expect(crls.lists).toHaveLength(count)
    expect(crls.unreadable).toEqual([])
  })

  test.each<readonly [string, Parameters<typeof parseCrls>[0], readonly string[], number]>([
    ['nothing', '', ['0 revocation-input-unrecognized'], 0],
    ['something else', 'hello', ['0 revocation-input-unrecognized'], 0],
    ['a certificate in PEM', root.pem, ['0 revocation-input-other-kind'], 0],
    ['a certificate in DER', root.der, ['0 der-unexpected-tag'], 0],
    ['base64 of something else', 'AAAA', ['0 revocation-input-unrecognized'], 0],
    ['a list that is cut', list.der.subarray(0, 40), ['0 der-truncated'], 0],
    [
      'a block that is cut',
      list.pem + other.pem.slice(0, 100),
      ['0 revocation-input-pem-malformed'],
      1,
    ],
    ['a certificate among lists', list.pem + root.pem, ['0 revocation-input-other-kind'], 1],
    [
      'a list that is malformed among others',
      [list.pem, toPem(list.der.subarray(0, 40), 'X509 CRL'), other.pem],
      ['1 der-truncated'],
      2,
    ],
    ['no source at all', undefined as unknown as string, ['0 revocation-input-unrecognized'], 0],
    [
      'a copy of a list',
      { ...parseCrls(list.der).lists[0] } as never,
      ['0 revocation-input-unrecognized'],
      0,
    ],
  ])('what cannot be read is left out and told: %s', (_, source, codes, count) => {
    expect(codesOf(source)).toEqual(codes)
    expect(parseCrls(source).lists).toHaveLength(count)
  })

  test('are found by the name of their issuer, however it is written, the newest first', async () => {
    const newer = await root.issueCrl({ thisUpdate: testTime })
    const number = await root.issueCrl({ cRLNumber: 99 })
    for (const sources of [
      [list.der, newer.der, other.der, number.der],
      [number.der, other.der, newer.der, list.der],
    ]) {
      const crls = parseCrls(sources)
      const shouted = await issueCa('ROOT   ca')
      const found = crls.issuedBy(shouted.tbsCertificate.subject)
      expect(found.lists.map((held) => held.list.der)).toEqual([newer.der, number.der, list.der])
      expect(crls.issuedBy(shouted.tbsCertificate.subject)).toBe(found)
      expect(crls.lists.map(({ der }) => der)).toEqual(sources)
    }
    expect(parseCrls([]).issuedBy(root.tbsCertificate.subject).lists).toEqual([])
  })
})

describe('a signature that was checked elsewhere', async () => {
  const client = await root.issue('client-a')
  const { der: spki } = root.tbsCertificate.subjectPublicKeyInfo

  test('is not checked again, either way', () => {
    for (const verifies of [true, false]) {
      const crls = parseCrls(list.der)
      const [parsed] = crls.lists
      if (parsed === undefined) throw new Error('no list')
      rememberSignature(parsed, spki, verifies)
      expect(outcome(client, root, [], { rule: { crls } })).toBe(
        verifies ? 'good' : 'crl-signature:signature-invalid',
      )
    }
  })

  test('what a policy does not take is refused all the same', async () => {
    const rsa = await issueCa('RSA CA', { key: 'RSA-2048' })
    const leaf = await rsa.issue('client-b')
    const crls = parseCrls(
      (await rsa.issueCrl({ signatureScheme: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-1' } })).der,
    )
    const [parsed] = crls.lists
    if (parsed === undefined) throw new Error('no list')
    rememberSignature(parsed, rsa.tbsCertificate.subjectPublicKeyInfo.der, true)
    expect(outcome(leaf, rsa, [], { rule: { crls } })).toBe(
      'crl-signature:signature-algorithm-weak',
    )
  })

  test('lists that were parsed once decide for many clients', () => {
    const crls = parseCrls(list.der)
    const first = judge(client, root, [], { rule: { crls } })
    expect(judge(client, root, [], { rule: { crls } })).toEqual(first)
  })
})

describe('problems in words', () => {
  const name = root.tbsCertificate.subject
  const failure = { code: 'signature-invalid' } as const
  const problems: readonly StatusProblem[] = [
    { code: 'crl-missing', issuer: name },
    { code: 'crl-not-yet-valid', thisUpdate: testTime },
    { code: 'crl-expired', nextUpdate: testTime },
    { code: 'crl-too-old', thisUpdate: testTime, maxAge: undefined },
    { code: 'crl-too-old', thisUpdate: testTime, maxAge: hour },
    { code: 'crl-out-of-scope', of: 'reasons' },
    { code: 'crl-unknown-critical-extension', oid: '1.2.3' },
    { code: 'crl-malformed', what: 'no cRLNumber' },
    { code: 'crl-signer-unknown' },
    { code: 'crl-signer-no-crl-sign' },
    { code: 'crl-signer-revoked' },
    { code: 'crl-signer-status-unknown' },
    { code: 'crl-signature', failure },
    { code: 'crl-delta-without-base' },
    { code: 'crl-reasons-missing', reasons: 2 },
    { code: 'ocsp-missing' },
    { code: 'ocsp-error', responseStatus: 'tryLater' },
    { code: 'ocsp-type-unknown' },
    { code: 'ocsp-other-certificate' },
    { code: 'ocsp-not-yet-valid', thisUpdate: testTime },
    { code: 'ocsp-expired', nextUpdate: testTime },
    { code: 'ocsp-too-old', thisUpdate: testTime, maxAge: 60 },
    { code: 'ocsp-produced-at', producedAt: testTime },
    { code: 'ocsp-unknown-critical-extension', oid: '1.2.3' },
    { code: 'ocsp-responder-unknown' },
    { code: 'ocsp-responder-not-authorized', what: 'no id-kp-OCSPSigning' },
    { code: 'ocsp-responder-revoked' },
    { code: 'ocsp-signature', failure },
    { code: 'ocsp-unknown' },
    { code: 'status-limit', of: 'delta CRLs' },
  ]

  test('every problem has a sentence of its own, on one line', () => {
    const texts = problems.map(describeProblem)
    expect(new Set(texts).size).toBe(problems.length)
    for (const text of texts) expect(text).toMatch(/^[^\n]{10,}[^.\n]$/u)
  })
})
