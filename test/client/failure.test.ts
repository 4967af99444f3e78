import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { describeFailure, type Failure, type FailureCode, failureCodes } from '../../src/explain.ts'
import { createPki, testTime } from '../../src/testing/index.ts'

const { client } = await createPki()
const name = client.tbsCertificate.subject
const keyIdentifier = Uint8Array.of(0xab, 0xcd)
const scheme = { name: 'ECDSA', hash: 'SHA-256' } as const
const entry = { effect: 'deny', match: { dn: 'CN=x' }, note: 'left in May' } as const
const where = { offset: 7, expected: 'a flag' }

/** One failure of each code, with facts, and words that its message must have. */
const examples: { readonly [C in FailureCode]?: readonly [Failure & { code: C }, ...string[]] } = {
  'input-empty': [{ code: 'input-empty' }],
  'input-unrecognized': [{ code: 'input-unrecognized' }],
  'input-not-a-certificate': [{ code: 'input-not-a-certificate', kind: 'pkcs12' }, 'PKCS#12'],
  'input-pem-malformed': [{ code: 'input-pem-malformed', block: 3, reason: 'no-end' }, '3', 'END'],
  'presented-too-many': [{ code: 'presented-too-many', maximum: 100 }, '100'],
  'presented-too-large': [{ code: 'presented-too-large', maximum: 1_048_576 }, '1048576'],
  'certificate-killed': [
    { code: 'certificate-killed', index: 0, entry: { issuer: 'CN=x', note: 'left in May' } },
    'the certificate',
    'left in May',
  ],
  'issuer-killed': [
    { code: 'issuer-killed', index: 1, entry: { issuer: 'CN=x' } },
    'CA certificate 1',
  ],
  'certificate-revoked': [
    {
      code: 'certificate-revoked',
      statuses: [],
      index: 1,
      evidence: {
        by: 'crl',
        issuer: name,
        thisUpdate: testTime - 60,
        nextUpdate: undefined,
        age: 60,
      },
      revocationDate: testTime - 120,
      reason: 'keyCompromise',
      invalidityDate: undefined,
    },
    'CA certificate 1',
    'revoked 2029-12-31T23:58:00Z (keyCompromise)',
    'the CRL of 2029-12-31T23:59:00Z',
  ],
  'revocation-unknown': [
    {
      code: 'revocation-unknown',
      statuses: [],
      index: 0,
      problems: [
        { code: 'crl-expired', nextUpdate: testTime },
        { code: 'ocsp-error', responseStatus: 'tryLater' },
      ],
    },
    'the certificate',
    'the CRL ran out 2030-01-01T00:00:00Z; the OCSP responder answered tryLater',
  ],
  'certificate-expired': [
    { code: 'certificate-expired', index: 2, time: testTime, notAfter: testTime },
    'CA certificate 2',
    '2030-01-01T00:00:00Z',
  ],
  'certificate-not-yet-valid': [
    { code: 'certificate-not-yet-valid', index: 0, time: 0, notBefore: testTime },
    'the certificate',
    '2030-01-01T00:00:00Z',
  ],
  'extended-key-usage-missing': [
    { code: 'extended-key-usage-missing', index: 1, wanted: ['clientAuth'], purposes: ['1.2.3'] },
    'clientAuth',
    '1.2.3',
  ],
  'extended-key-usage-server-only': [
    { code: 'extended-key-usage-server-only', index: 0, purposes: [] },
    'serverAuth',
  ],
  'key-usage-no-digital-signature': [{ code: 'key-usage-no-digital-signature', index: 0 }],
  'key-usage-no-cert-sign': [{ code: 'key-usage-no-cert-sign', index: 1 }, 'CA certificate 1'],
  'peer-name-mismatch': [
    {
      code: 'peer-name-mismatch',
      index: 0,
      expected: [{ kind: 'DNS', value: 'a.example' }],
      present: [],
    },
    'DNS:a.example',
    'empty',
  ],
  'key-too-weak': [
    { code: 'key-too-weak', index: 0, kind: 'RSA', size: 1024, minimum: 2048 },
    '1024',
    '2048',
  ],
  'key-too-large': [
    { code: 'key-too-large', index: 1, kind: 'RSA', size: 16_384, maximum: 8192 },
    '16384',
  ],
  'key-size-not-octets': [
    { code: 'key-size-not-octets', index: 0, kind: 'RSA', size: 2049 },
    '2049',
  ],
  'key-exponent': [
    { code: 'key-exponent', index: 0, kind: 'RSA', exponent: Uint8Array.of(1) },
    '0x01',
  ],
  'key-algorithm-not-allowed': [
    { code: 'key-algorithm-not-allowed', index: 0, kind: 'EC', curve: 'secp256k1' },
    'secp256k1',
  ],
  'key-algorithm-unknown': [
    { code: 'key-algorithm-unknown', index: 0, algorithm: '1.2.3' },
    '1.2.3',
  ],
  'key-malformed': [
    { code: 'key-malformed', index: 0, algorithm: '1.2.3', reason: 'point' },
    'point',
  ],
  'key-parameters-missing': [{ code: 'key-parameters-missing', index: 0 }],
  'signature-algorithm-unknown': [
    { code: 'signature-algorithm-unknown', index: 0, algorithm: '1.2.3' },
    '1.2.3',
  ],
  'signature-algorithm-parameters': [
    { code: 'signature-algorithm-parameters', index: 0, algorithm: '1.2.3', expected: 'null' },
    '1.2.3',
  ],
  'signature-algorithm-weak': [
    { code: 'signature-algorithm-weak', index: 0, scheme: { name: 'ECDSA', hash: 'SHA-1' } },
    'ECDSA with SHA-1',
  ],
  'signature-algorithm-key-mismatch': [
    { code: 'signature-algorithm-key-mismatch', index: 0, scheme, kind: 'RSA' },
    'ECDSA',
    'RSA',
  ],
  'signature-algorithm-unsupported': [
    { code: 'signature-algorithm-unsupported', index: 0, scheme: { name: 'Ed448' } },
    'Ed448',
  ],
  'signature-invalid': [{ code: 'signature-invalid', index: 1 }, 'CA certificate 1'],
  'name-not-permitted': [
    { code: 'name-not-permitted', index: 0, form: 'dNSName', name: 'b.example', subtrees: ['a'] },
    'b.example',
  ],
  'name-excluded': [
    { code: 'name-excluded', index: 0, form: 'dNSName', name: 'b.example', subtree: 'example' },
    'b.example',
  ],
  'name-form-unsupported': [
    { code: 'name-form-unsupported', index: 0, form: 'registeredID' },
    'registeredID',
  ],
  'name-malformed': [{ code: 'name-malformed', index: 0, form: 'dNSName', name: 'a..b' }, 'a..b'],
  'name-constraint-malformed': [
    { code: 'name-constraint-malformed', index: 1, form: 'dNSName', subtree: '..' },
    'dNSName',
  ],
  'policy-required': [{ code: 'policy-required', index: 0 }, 'policy'],
  'policy-mapping-any': [
    {
      code: 'policy-mapping-any',
      index: 1,
      issuerDomainPolicy: '1.2.3',
      subjectDomainPolicy: '2.5.29.32.0',
    },
    'anyPolicy',
  ],
  'policy-duplicate': [{ code: 'policy-duplicate', index: 0, policy: '1.2.3' }, '1.2.3'],
  'policy-qualifier-unknown': [
    { code: 'policy-qualifier-unknown', index: 0, policy: '1.2.3', qualifier: '1.2.4' },
    '1.2.3',
    '1.2.4',
  ],
  'issuer-empty': [{ code: 'issuer-empty', index: 0 }],
  'unknown-critical-extension': [
    { code: 'unknown-critical-extension', index: 0, oid: '1.2.3' },
    '1.2.3',
  ],
  'basic-constraints-missing': [{ code: 'basic-constraints-missing', index: 1 }],
  'not-a-ca': [{ code: 'not-a-ca', index: 1 }],
  'path-length-exceeded': [
    { code: 'path-length-exceeded', index: 3, pathLenConstraint: 1, intermediates: 2 },
    'CA certificate 3',
    '1',
    '2',
  ],
  'path-too-long': [{ code: 'path-too-long', index: 3, maxIntermediates: 2 }, '2'],
  'issuer-unknown': [
    { code: 'issuer-unknown', index: 0, issuer: name, keyIdentifier },
    'CN=client-a',
    'abcd',
  ],
  'root-not-trusted': [{ code: 'root-not-trusted', index: 2, subject: name }, 'CN=client-a'],
  'target-is-trust-anchor': [{ code: 'target-is-trust-anchor', index: 0 }],
  'budget-exhausted': [{ code: 'budget-exhausted', of: 'candidates' }, 'candidates'],
  'acl-empty': [{ code: 'acl-empty' }],
  'issuer-not-allowed': [{ code: 'issuer-not-allowed' }],
  'issuer-denied': [{ code: 'issuer-denied', entry: { ...entry, at: 'issuer' } }, 'left in May'],
  'issuer-deny-unchecked': [
    { code: 'issuer-deny-unchecked', entry: { ...entry, at: 'path' } },
    'left in May',
  ],
  'client-not-allowed': [{ code: 'client-not-allowed' }],
  'client-denied': [{ code: 'client-denied', entry }, 'left in May'],
}

/** Codes of the parser and of the profile have the same facts for all of their kind. */
function exampleOf(code: FailureCode): readonly [Failure, ...string[]] {
  return examples[code] ?? [{ code, ...where, index: 1 } as unknown as Failure]
}

describe('every code', () => {
  test.each(failureCodes())('%s has a source, a message with its facts, and a remedy', (code) => {
    const [failure, ...words] = exampleOf(code)
    const described = describeFailure(failure)
    expect(described.code).toBe(code)
    expect(described.source).toMatch(
      /^(RFC \d{4} §|X\.690 |NIST |CA\/Browser |local |runtime$|ACL$)/,
    )
    expect(described.remedy).not.toBe('')
    if (!Object.hasOwn(examples, code)) {
      expect(described.message).toMatch(
        /a flag at octet 7$|^CA certificate 1 breaks the rule that ./,
      )
    }
    for (const word of words) expect(described.message).toContain(word)
    expect(described.message).not.toMatch(/undefined|NaN|\[object/)
  })
  test('codes are in kebab case, and each is there once', () => {
    const codes = failureCodes()
    expect(new Set(codes).size).toBe(codes.length)
    for (const code of codes) expect(code).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
  })
  test('no example is of a code that is gone', () => {
    for (const code of Object.keys(examples)) expect(failureCodes()).toContain(code)
  })
  test('a row in the table of the README', () => {
    const file = new URL('../../README.md', import.meta.url)
    if (process.env.CI !== 'true' && !existsSync(file)) {
      process.stdout.write('there is no README: its table of codes is not checked\n')
      return
    }
    const rows = readFileSync(file, 'utf8').matchAll(/^\| `([a-z0-9-]+)` \|/gm)
    const listed = new Set([...rows].map(([, code]) => code))
    expect(failureCodes().filter((code) => !listed.has(code))).toEqual([])
  })
})

describe('words that depend on the facts', () => {
  const message = (failure: Failure) => describeFailure(failure).message
  test.each<[Failure, string]>([
    [{ code: 'input-pem-malformed', block: 0, reason: 'base64' }, 'is not base64'],
    [
      { code: 'issuer-unknown', index: 1, issuer: { ...name, rdns: [] }, keyIdentifier: undefined },
      '(empty)',
    ],
    [{ code: 'root-not-trusted', index: 1, subject: { ...name, rdns: [] } }, '(empty)'],
    [{ code: 'key-algorithm-not-allowed', index: 0, kind: 'DSA' }, 'a DSA key'],
    [
      { code: 'issuer-denied', entry: { effect: 'deny', match: { dn: 'CN=x' }, at: 'issuer' } },
      'denies',
    ],
    [
      {
        code: 'certificate-revoked',
        statuses: [],
        index: 0,
        evidence: { by: 'ocsp', issuer: name, thisUpdate: 60, nextUpdate: 120, age: 60 },
        revocationDate: 0,
        reason: undefined,
        invalidityDate: undefined,
      },
      'was revoked 1970-01-01T00:00:00Z, says the OCSP response of 1970-01-01T00:01:00Z',
    ],
  ])('%o', (failure, words) => {
    expect(message(failure)).toContain(words)
  })
  test('no key identifier, no word about it', () => {
    const failure = {
      code: 'issuer-unknown',
      index: 0,
      issuer: name,
      keyIdentifier: undefined,
    } as const
    expect(message(failure)).not.toContain('key id')
  })
})
