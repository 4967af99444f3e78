import { describe, expect, test } from 'vitest'
import { parseOcspResponses } from '../../src/revocation/responses.ts'
import { parseTrustAnchors } from '../../src/sync.ts'
import { issueCa, issueCrl, testTime } from '../../src/testing/index.ts'
import { type Bytes, day, type Given, hour, outcome as outcomeByLists } from './crl-support.ts'

const root = await issueCa('Root CA')
const issuing = await root.issueCa('Issuing CA')
const other = await root.issueCa('Other CA')
const client = await issuing.issue('client-a')
const rootList = await root.issueCrl()
const known = [issuing, other]
const { serialNumber } = client.tbsCertificate

/** By lists, with that of the root. */
function outcome(target: Bytes, lists: readonly Bytes[], given: Given = {}): string {
  return outcomeByLists(target, root, [rootList, ...lists], { known, ...given })
}

/** By responses, and by lists where there are any. */
function answered(
  target: Bytes,
  responses: readonly Bytes[],
  { lists = [], anchor = root, ...given }: Given & { lists?: Bytes[]; anchor?: typeof root } = {},
): string {
  const ocspResponses = parseOcspResponses(responses.map(({ der }) => der))
  return outcomeByLists(target, anchor, lists, {
    known,
    ...given,
    rule: { mode: 'crl-or-ocsp', ocspResponses },
  })
}

describe('every certificate below the anchor needs a good status, RFC 5280 §6.1.3 (a)(3)', async () => {
  const upper = await root.issueCa('Upper CA')
  const lower = await upper.issueCa('Lower CA')
  const deep = await lower.issue('client-deep')
  const [upperList, lowerList] = [await upper.issueCrl(), await lower.issueCrl()]
  const second = await issueCa('Second root', { key: 'P-256#60' })
  const bridge = await second.crossSign(lower)
  const secondList = await second.issueCrl()
  const lowerIsRevoked = await upper.issueCrl({ revoked: [lower] })
  const cas = [upper, lower]
  const given = {
    known: [upper, lower, bridge],
    options: { trustAnchors: parseTrustAnchors([root.pem, second.pem]) },
  }

  test('three lists for three certificates', () => {
    expect(outcome(deep, [upperList, lowerList], { known: cas })).toBe('good')
  })

  test('the list in the middle is missing', () => {
    expect(outcome(deep, [lowerList], { known: cas })).toBe('crl-missing at 1')
  })

  test('an intermediate in the middle is revoked', () => {
    expect(outcome(deep, [lowerIsRevoked, lowerList], { known: cas })).toBe('revoked at 1')
  })

  test('the certificate of an anchor needs none, whoever has issued it', () => {
    expect(outcomeByLists(deep, upper, [upperList, lowerList], { known: [lower] })).toBe('good')
    expect(outcomeByLists(deep, lower, [lowerList])).toBe('good')
  })

  test('another path does for a CA that is revoked, or of unknown status, on the first one', async () => {
    expect(outcome(deep, [lowerIsRevoked, lowerList, secondList], given)).toBe('good')
    expect(outcomeByLists(deep, root, [lowerList, secondList], given)).toBe('good')
    const bridgeIsRevoked = await second.issueCrl({ revoked: [bridge] })
    expect(outcome(deep, [lowerIsRevoked, lowerList, bridgeIsRevoked], given)).toMatch(/^revoked/)
  })
})

describe('names of distribution points, RFC 5280 §6.3.3 (b)(2)(i)', async () => {
  const relative = { nameRelativeToCRLIssuer: { type: 'OU', value: 'part 1' } }
  const full = { fullName: [{ directoryName: 'OU=part 1,CN=Issuing CA' }] }
  const elsewhere = { nameRelativeToCRLIssuer: { type: 'OU', value: 'part 2' } }
  const twoUris = { fullName: [{ uri: 'ldap://directory/cn=a' }, { uri: 'http://crl/a' }] }

  test.each([
    ['relative and relative', relative, relative, 'good'],
    ['relative in the certificate, full in the list', relative, full, 'good'],
    ['full in the certificate, relative in the list', full, relative, 'good'],
    ['two that differ', relative, elsewhere, 'crl-out-of-scope:distribution-point'],
    ['one of two', twoUris, { uri: 'http://crl/a' }, 'good'],
    ['one of two in the list', { uri: 'http://crl/a' }, twoUris, 'good'],
    ['none of two', twoUris, { uri: 'http://crl/b' }, 'crl-out-of-scope:distribution-point'],
  ])('%s', async (_, point, issuingDistributionPoint, expected) => {
    const target = await issuing.issue('client-point', { cRLDistributionPoints: [point] })
    expect(outcome(target, [await issuing.issueCrl({ issuingDistributionPoint })])).toBe(expected)
  })

  test('without points the name of the issuer is the only one', async () => {
    const named = (name: string) =>
      issuing.issueCrl({ issuingDistributionPoint: { fullName: [{ directoryName: name }] } })
    expect(outcome(client, [await named('CN=ISSUING ca')])).toBe('good')
    expect(outcome(client, [await named('CN=Other CA')])).toBe(
      'crl-out-of-scope:distribution-point',
    )
  })
})

describe('indirect lists, RFC 5280 §5.3.3', async () => {
  const signer = await root.issueCa('Indirect CA')
  const point = { uri: 'http://crl/indirect' }
  const issuingDistributionPoint = { ...point, indirectCRL: true }
  const target = await issuing.issue('client-i', {
    cRLDistributionPoints: [
      {
        ...point,
        crlIssuer: [{ directoryName: 'CN=Nobody' }, { directoryName: 'CN=Indirect CA' }],
      },
    ],
  })
  const own = target.tbsCertificate.serialNumber
  const ours = [{ directoryName: 'CN=ISSUING ca' }]
  const theirs = [{ directoryName: 'CN=Other CA' }]
  const given = { known: [issuing, signer] }

  test.each([
    ['no entry', [], 'good'],
    ['the same serial number of the issuer of the list', [{ serialNumber: own }], 'good'],
    ['of another CA', [{ serialNumber: own, certificateIssuer: theirs }], 'good'],
    ['of our CA', [{ serialNumber: own, certificateIssuer: ours }], 'revoked'],
    [
      'an entry after one that names our CA',
      [{ serialNumber: 5_000, certificateIssuer: ours }, { serialNumber: own }],
      'revoked',
    ],
    [
      'an entry after one that has gone on to another CA',
      [
        { serialNumber: 5_000, certificateIssuer: ours },
        { serialNumber: 5_001, certificateIssuer: theirs },
        { serialNumber: own },
      ],
      'good',
    ],
    [
      'one of two names',
      [{ serialNumber: own, certificateIssuer: [{ dns: 'ca.example' }, ...ours] }],
      'revoked',
    ],
  ])('%s', async (_, revoked, expected) => {
    const list = await issueCrl(signer, { issuingDistributionPoint, revoked })
    expect(outcome(target, [list], given)).toBe(expected)
  })

  test('a delta of an indirect list lifts a hold that it names with the issuer', async () => {
    const entry = { serialNumber: own, certificateIssuer: ours }
    const base = await issueCrl(signer, {
      issuingDistributionPoint,
      cRLNumber: 10,
      thisUpdate: testTime - 2 * day,
      revoked: [{ ...entry, reason: 'certificateHold' }],
    })
    const delta = (certificateIssuer: typeof ours) =>
      issueCrl(signer, {
        issuingDistributionPoint,
        cRLNumber: 11,
        baseCRLNumber: 10,
        revoked: [{ ...entry, certificateIssuer, reason: 'removeFromCRL' }],
      })
    expect(outcome(target, [base, await delta(ours)], given)).toBe('good')
    expect(outcome(target, [base, await delta(theirs)], given)).toBe('revoked')
  })

  test('the point that names no issuer of lists may be met by the list of the CA', async () => {
    const both = await issuing.issue('client-both', {
      cRLDistributionPoints: [
        { uri: 'http://crl/own' },
        { ...point, crlIssuer: [{ directoryName: 'CN=Indirect CA' }] },
      ],
    })
    expect(outcome(both, [await issuing.issueCrl()], given)).toBe('good')
    expect(outcome(both, [await issueCrl(signer, { issuingDistributionPoint })], given)).toBe(
      'good',
    )
  })
})

describe('several lists, RFC 5280 §5.2.3 and RFC 5280 §6.3.3 (k)', async () => {
  const onHold = { revoked: [{ serialNumber, reason: 'certificateHold' }] } as const
  const lifts = { revoked: [{ serialNumber, reason: 'removeFromCRL' }] } as const
  const base = (cRLNumber: number, changes: object = {}) =>
    issuing.issueCrl({ cRLNumber, thisUpdate: testTime - 2 * day, ...changes })
  const delta = (cRLNumber: number, changes: object = {}) =>
    issuing.issueCrl({ cRLNumber, baseCRLNumber: 10, ...changes })
  const earlier = { thisUpdate: testTime - 5 * hour }

  test('of two lists of one second the higher number tells whether a hold is over', async () => {
    expect(outcome(client, [await base(10, onHold), await base(11)])).toBe('good')
    expect(outcome(client, [await base(10), await base(11, onHold)])).toBe('revoked')
  })

  test('of two deltas the later one tells', async () => {
    const held = await delta(12, { ...earlier, ...onHold })
    const lifted = await delta(12, { ...earlier, ...lifts })
    expect(outcome(client, [await base(10), held, await delta(13, lifts)])).toBe('good')
    expect(outcome(client, [await base(10, onHold), lifted, await delta(13, onHold)])).toBe(
      'revoked',
    )
  })

  test('numbers of twenty octets are numbers', async () => {
    const [low, high] = [new Uint8Array(20).fill(0x11), new Uint8Array(20).fill(0x12)]
    const held = await issuing.issueCrl({ cRLNumber: low, ...onHold })
    const lifted = await issuing.issueCrl({ cRLNumber: high, baseCRLNumber: low, ...lifts })
    expect(outcome(client, [held, lifted])).toBe('good')
  })

  test('a list that is forged, of another CA or unreadable takes nothing from a good one', async () => {
    const good = await issuing.issueCrl()
    const forged = await issuing.issueCrl({ signingKey: 'P-256#40', revoked: [client] })
    const foreign = await other.issueCrl({ revoked: [{ serialNumber }] })
    const unreadable = { der: Uint8Array.of(0x30, 3, 1, 2, 3) }
    expect(outcome(client, [forged, foreign, unreadable, good])).toBe('good')
  })
})

describe('who answers, RFC 6960 §4.2.2.2 and RFC 6960 §4.2.2.3', async () => {
  const target = await root.issue('client-root')
  const delegate = await root.issueOcspResponder('Responder')
  const second = await root.issueOcspResponder('Second responder')
  const responses = [target]
  const old = await root.issueCa('Re-keyed CA', { key: 'P-256#61' })
  const renewed = await root.issueCa('Re-keyed CA', { key: 'P-256#62' })

  test.each([
    ['the delegate is not sent along', { certs: [] }, 'crl-missing ocsp-responder-unknown'],
    ['it is sent twice', { certs: [delegate, delegate] }, 'good'],
    ['it is sent after another one', { certs: [second, delegate] }, 'good'],
    ['only another one is sent', { certs: [second] }, 'crl-missing ocsp-responder-unknown'],
    [
      'a delegate calls itself the CA',
      { responderID: { byName: 'CN=Root CA' } },
      'crl-missing ocsp-signature',
    ],
    ['the name in capitals', { responderID: { byName: 'CN=RESPONDER' } }, 'good'],
    [
      'the name of another delegate',
      { responderID: { byName: 'CN=Second responder' }, certs: [second, delegate] },
      'crl-missing ocsp-signature',
    ],
  ])('%s', async (_, changes, expected) => {
    const response = await root.issueOcspResponse({ responses, signer: delegate, ...changes })
    expect(answered(target, [response])).toBe(expected)
  })

  test('another key of the CA, or a delegate of that key, does not answer for it', async () => {
    const held = await old.issue('client-old')
    const above = await root.issueOcspResponse({ responses: [old, renewed] })
    const given = { known: [old, renewed] }
    const by = (signer: typeof delegate) =>
      old.issueOcspResponse({ responses: [held], signer, certs: [signer] })
    expect(answered(held, [above, await by(old)], given)).toBe('good')
    expect(answered(held, [above, await by(renewed)], given)).toBe(
      'crl-missing ocsp-responder-not-authorized',
    )
    const theirs = await renewed.issueOcspResponder('Responder of the new key')
    expect(answered(held, [above, await by(theirs)], given)).toBe(
      'crl-missing ocsp-responder-not-authorized',
    )
    const about = await renewed.issueOcspResponse({ responses: [held] })
    expect(answered(held, [above, about], given)).toBe('crl-missing ocsp-other-certificate')
  })

  test('a delegate without nocheck is held against what its CA says of it', async () => {
    const signer = await root.issueOcspResponder('Checked', { ocspNoCheck: 'absent' })
    const response = await root.issueOcspResponse({ responses, signer })
    const about = (certStatus: 'good' | 'revoked') =>
      root.issueOcspResponse({ responses: [{ certificate: signer, certStatus }] })
    expect(answered(target, [response, await about('good')])).toBe('good')
    expect(answered(target, [response, await about('revoked')])).toBe(
      'crl-missing ocsp-responder-revoked',
    )
  })
})

describe('several answers, RFC 6960 §2.2 and RFC 6960 §3.2', async () => {
  const target = await root.issue('client-root')
  const good = await root.issueOcspResponse({ responses: [target] })
  const past = { thisUpdate: testTime - 9 * day, nextUpdate: testTime - day }
  const revoked = [{ certificate: target, certStatus: 'revoked' }] as const

  test.each([
    ['expired', { responses: [target], ...past }, 'good'],
    ['that is an error', { responseStatus: 'tryLater' }, 'good'],
    ['forged, that revokes', { responses: revoked, signingKey: 'P-256#40' }, 'good'],
    ['that revokes', { responses: revoked }, 'revoked'],
  ] as const)('a good response beside one %s', async (_, options, expected) => {
    const beside = await root.issueOcspResponse(options)
    expect(answered(target, [beside, good])).toBe(expected)
    expect(answered(target, [good, beside])).toBe(expected)
  })

  test('a list for one certificate of the path and a response for the other', async () => {
    const below = await issuing.issueOcspResponse({ responses: [client] })
    const above = await root.issueOcspResponse({ responses: [issuing] })
    expect(answered(client, [below], { lists: [rootList] })).toBe('good')
    expect(answered(client, [above], { lists: [await issuing.issueCrl()] })).toBe('good')
    expect(answered(client, [below])).toBe('crl-missing ocsp-missing at 1')
    expect(answered(client, [above])).toBe('crl-missing ocsp-missing')
  })
})
