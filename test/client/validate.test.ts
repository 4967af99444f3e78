import { describe, expect, test } from 'vitest'
import { parseClientAcl, parseIssuerAcl } from '../../src/acl/index.ts'
import * as nodeEntry from '../../src/index.node.ts'
import { formatName, parseTrustAnchors, type Verdict, type Verified } from '../../src/index.ts'
import * as webEntry from '../../src/index.web.ts'
import { type ValidateOptionsSync, validateClientCertificateSync } from '../../src/sync.ts'
import {
  type CertificateOptions,
  createPki,
  issueCa,
  testTime,
  toPem,
} from '../../src/testing/index.ts'
import { sha256, spkiSha256 } from '../acl/support.ts'
import { at, codesOf, decide } from './support.ts'

const pki = await createPki()
const { root, issuing, client, anchorsPem, chainPem } = pki
const issuingDn = formatName(issuing.tbsCertificate.subject)
const known = { intermediates: pki.intermediatesPem }

function verified(verdict: Verdict): Verified {
  if (verdict.ok && verdict.verified) return verdict
  throw new Error(verdict.ok ? 'not verified' : verdict.failure.code)
}

function codeOf(verdict: Verdict): string | undefined {
  return verdict.ok ? undefined : verdict.failure.code
}

describe('a good client', () => {
  test('has its path, anchor, identity and period', () => {
    const verdict = verified(decide(chainPem, anchorsPem))
    expect(verdict.path.map(({ der }) => der)).toEqual([client.der, issuing.der])
    expect(verdict.anchor.certificate?.der).toEqual(root.der)
    expect(verdict.attempts).toEqual([])
    expect(verdict.warnings).toEqual([{ code: 'revocation-not-checked' }])
    expect(verdict.validFrom).toEqual(new Date('2020-01-01T00:00:00Z'))
    expect(verdict.validUntil).toEqual(new Date('2049-12-31T23:59:59Z'))
    expect(verdict.policies.explicitPolicy).toBe(false)
  })
  test.each<[string, Parameters<typeof decide>[0]]>([
    ['PEM octets', new TextEncoder().encode(chainPem)],
    ['DER in an array', [client.der, issuing.der]],
    ['PEM in an array', [client.pem, issuing.pem]],
    ['parsed certificates', [client, issuing]],
    ['a mixture', [client.pem, issuing]],
    ['Base64 of DER', [Buffer.from(client.der).toString('base64'), issuing.der]],
    ['a leaf and a bundle', [client.der, issuing.pem + root.pem]],
    ['Buffer', [Buffer.from(client.der), Buffer.from(issuing.der)]],
  ])('as %s', (_, source) => {
    expect(verified(decide(source, anchorsPem)).path).toHaveLength(2)
  })
  test.each<[string, Parameters<typeof decide>[0]]>([
    ['PEM', client.pem],
    ['DER', client.der],
    ['a parsed certificate', client],
    ['Base64', Buffer.from(client.der).toString('base64')],
  ])('alone, as %s', (_, source) => {
    expect(verified(decide(source, anchorsPem, known)).path).toHaveLength(2)
  })
  test('every entry point gives the same verdict', async () => {
    const options: ValidateOptionsSync = { trustAnchors: parseTrustAnchors(anchorsPem), time: at() }
    const sync = verified(validateClientCertificateSync(chainPem, options))
    for (const entry of [nodeEntry, webEntry]) {
      const verdict = verified(await entry.validateClientCertificate(chainPem, options))
      expect(verdict.validUntil).toEqual(sync.validUntil)
      expect(JSON.stringify(verdict.identity)).toBe(JSON.stringify(sync.identity))
    }
  })
  test('without a time, now', async () => {
    const trustAnchors = parseTrustAnchors(anchorsPem)
    expect(validateClientCertificateSync(chainPem, { trustAnchors }).ok).toBe(true)
    expect((await nodeEntry.validateClientCertificate(chainPem, { trustAnchors })).ok).toBe(true)
  })
})

describe('input is a refusal, never a throw', () => {
  const cut = client.der.subarray(0, 200)
  const damagedPem = client.pem.replace('MII', '!II')
  test.each<[string, unknown, string]>([
    ['nothing', '', 'input-empty'],
    ['no octets', new Uint8Array(), 'input-empty'],
    ['an empty list', [], 'input-empty'],
    ['blanks', ' \n', 'input-empty'],
    ['words', 'let me in', 'input-unrecognized'],
    ['noise', Uint8Array.of(1, 2, 3), 'input-unrecognized'],
    ['undefined', undefined, 'input-empty'],
    ['null', null, 'input-empty'],
    ['a number', 5, 'input-unrecognized'],
    ['an object', {}, 'input-unrecognized'],
    ['an ArrayBuffer', new ArrayBuffer(4), 'input-unrecognized'],
    ['a list in a list', [[client.der]], 'input-unrecognized'],
    ['a certificate cut off', cut, 'der-truncated'],
    ['PEM of one cut off', toPem(cut, 'CERTIFICATE'), 'der-truncated'],
    ['damaged PEM', damagedPem, 'input-pem-malformed'],
    ['a key', client.privateKeyPem, 'input-not-a-certificate'],
  ])('%s: %s, whatever the switches', (_, source, code) => {
    const first = source as string
    const options = { ...known, issuerAcl: parseIssuerAcl(`allow dn "${issuingDn}"`) }
    expect(codeOf(decide(first, anchorsPem, options))).toBe(code)
    const off = validateClientCertificateSync(first, { validateCertificate: false, time: at() })
    expect(off).toMatchObject({ ok: false, presented: undefined, failure: { code }, warnings: [] })
  })
  test.each<[string, unknown]>([
    ['in a list', [cut, client.der]],
    ['as words in a list', ['x', client.der]],
    ['as undefined in a list', [undefined, client.der]],
    ['as an empty text in a list', ['', client.der]],
    ['in a bundle', toPem(cut, 'CERTIFICATE') + client.pem],
    ['as damaged PEM in a bundle', damagedPem + client.pem],
    ['as a key before it', client.privateKeyPem + client.pem],
    ['as a second source', [damagedPem, client.pem]],
  ])('a damaged leaf never promotes the next certificate: %s', (_, source) => {
    expect(codeOf(decide(source as string, anchorsPem, known))).toMatch(/^(input|der)-/)
  })
  test('what is damaged behind the leaf is left out, and warned of by its position', () => {
    const verdict = verified(decide([client.der, cut, 'x', issuing.der], anchorsPem))
    expect(verdict.warnings).toEqual([
      { code: 'presented-unreadable', index: 1 },
      { code: 'presented-unreadable', index: 2 },
      { code: 'revocation-not-checked' },
    ])
    const tail = verified(decide(`${chainPem}-----BEGIN CERTIFICATE-----`, anchorsPem))
    expect(tail.warnings[0]).toEqual({ code: 'presented-unreadable', index: 2 })
  })
  test('a refusal has these warnings, too', () => {
    const verdict = decide([client.der, 'x'], anchorsPem)
    expect(verdict).toMatchObject({
      ok: false,
      failure: { code: 'issuer-unknown' },
      warnings: [{ code: 'presented-unreadable', index: 1 }],
    })
    expect(!verdict.ok && verdict.presented?.der).toEqual(client.der)
  })
  test('a second leaf is not judged, and warned of', async () => {
    const other = await issuing.issue('client-b')
    const verdict = verified(decide([client.der, other.der, issuing.der], anchorsPem))
    expect(codesOf(verdict.warnings)).toEqual(['presented-not-a-ca', 'revocation-not-checked'])
    expect(verdict.warnings[0]).toMatchObject({ certificate: { der: other.der } })
    const falseCa = await issuing.issueCa('x', { basicConstraints: { cA: false } })
    expect(codesOf(decide([client.der, falseCa.der, issuing.der], anchorsPem).warnings)).toContain(
      'presented-not-a-ca',
    )
    // What is known already is neither read nor warned of.
    const pool = { intermediates: [other.der, issuing.der] }
    expect(
      codesOf(decide([client.der, other.der, issuing.der], anchorsPem, pool).warnings),
    ).toEqual(['revocation-not-checked'])
  })
  test.each([
    [100, undefined],
    [101, 'presented-too-many'],
  ])('%i certificates', (count, code) => {
    const source = [client.der, ...new Array(count - 1).fill(issuing.der)]
    expect(codeOf(decide(source, anchorsPem))).toBe(code)
    expect(
      codeOf(decide(source.map((der) => toPem(der, 'CERTIFICATE')).join(''), anchorsPem)),
    ).toBe(code)
  })
  test('1 MiB of certificates', () => {
    const rest = 1_048_576 - client.der.length
    const fits = [client.der, new Uint8Array(rest).fill(0x30)]
    expect(codeOf(decide(fits, anchorsPem, known))).toBeUndefined()
    const more = [client.der, new Uint8Array(rest + 1).fill(0x30)]
    expect(decide(more, anchorsPem, known)).toMatchObject({
      failure: { code: 'presented-too-large', maximum: 1_048_576 },
    })
    expect(codeOf(decide([client, ...more.slice(1)], anchorsPem, known))).toBe(
      'presented-too-large',
    )
  })
})

describe('the two switches', () => {
  const allow = parseIssuerAcl(`allow dn "${issuingDn}"`)
  const refuse = parseIssuerAcl('allow dn CN=Nobody')
  const forged = 'CN=client-a of somebody else'
  type Row = readonly [
    boolean | undefined,
    boolean | undefined,
    'allow' | 'refuse' | undefined,
    string | undefined,
    readonly string[],
  ]

  test.each<Row>([
    [undefined, undefined, undefined, undefined, ['revocation-not-checked']],
    [true, false, undefined, undefined, ['revocation-not-checked']],
    [true, undefined, 'allow', undefined, ['revocation-not-checked']],
    [true, true, 'allow', undefined, ['revocation-not-checked']],
    [true, true, 'refuse', 'issuer-not-allowed', []],
    [true, undefined, 'refuse', 'issuer-not-allowed', []],
    [true, false, 'refuse', undefined, ['revocation-not-checked']],
    [
      false,
      undefined,
      undefined,
      undefined,
      ['certificate-not-verified', 'revocation-not-checked'],
    ],
    [false, false, 'refuse', undefined, ['certificate-not-verified', 'revocation-not-checked']],
    [
      false,
      true,
      'allow',
      undefined,
      ['certificate-not-verified', 'issuer-not-verified', 'revocation-not-checked'],
    ],
    [
      false,
      undefined,
      'allow',
      undefined,
      ['certificate-not-verified', 'issuer-not-verified', 'revocation-not-checked'],
    ],
    [
      false,
      true,
      'refuse',
      'issuer-not-allowed',
      ['certificate-not-verified', 'issuer-not-verified', 'revocation-not-checked'],
    ],
  ])(
    'validateCertificate %s, validateACLForIssuer %s, ACL %s: %s',
    (validateCertificate, validateACLForIssuer, acl, code, warnings) => {
      const issuerAcl = acl === undefined ? undefined : acl === 'allow' ? allow : refuse
      const verdict = decide(chainPem, anchorsPem, {
        validateCertificate,
        validateACLForIssuer,
        issuerAcl,
      })
      expect(codeOf(verdict)).toBe(code)
      expect(codesOf(verdict.warnings)).toEqual(warnings)
      if (verdict.ok) expect(verdict.verified).toBe(validateCertificate !== false)
      if (verdict.ok && !verdict.verified) expect(verdict.presented.der).toEqual(client.der)
      else if (!verdict.ok) expect(verdict.presented?.der).toEqual(client.der)
    },
  )
  test('without validation a forgery passes, and says that nothing is proven', async () => {
    const stranger = await issueCa('Stranger', { key: 'P-256#30' })
    const fake = await stranger.issue(forged, {
      issuer: issuing.tbsCertificate.subject.der,
      notAfter: testTime - 1,
    })
    const verdict = decide(fake, anchorsPem, { validateCertificate: false, issuerAcl: allow })
    expect(verdict).toMatchObject({ ok: true, verified: false })
    expect(codesOf(verdict.warnings)).toContain('issuer-not-verified')
    expect(codeOf(decide(fake, anchorsPem, { ...known, issuerAcl: allow }))).toBe(
      'certificate-expired',
    )
  })
  test('an empty ACL refuses all', () => {
    const issuerAcl = parseIssuerAcl('')
    expect(codeOf(decide(chainPem, anchorsPem, { issuerAcl }))).toBe('acl-empty')
    expect(codeOf(decide(chainPem, anchorsPem, { clientAcl: parseClientAcl('') }))).toBe(
      'acl-empty',
    )
    expect(codeOf(decide(chainPem, anchorsPem, { issuerAcl, validateCertificate: false }))).toBe(
      'acl-empty',
    )
  })
  test('a name alone beside several anchors is warned of', async () => {
    const two = anchorsPem + (await issueCa('Other Root CA')).pem
    const options = { issuerAcl: allow }
    expect(codesOf(decide(chainPem, two, options).warnings)).toContain('issuer-acl-by-name')
    expect(codesOf(decide(chainPem, anchorsPem, options).warnings)).not.toContain(
      'issuer-acl-by-name',
    )
    const off = { ...options, validateACLForIssuer: false }
    expect(codesOf(decide(chainPem, two, off).warnings)).not.toContain('issuer-acl-by-name')
  })
})

describe('ACLs and the search', async () => {
  const other = await issueCa('Other Root CA', { key: 'P-256#31' })
  const crossed = await other.crossSign(issuing, { notBefore: testTime - 9 })
  const anchors = root.pem + other.pem
  const pool = { intermediates: [issuing.der, crossed.der] }

  test('what the issuer ACL refuses sends the search on to another path', () => {
    const issuerAcl = parseIssuerAcl(
      `allow dn "${formatName(root.tbsCertificate.subject)}" at anchor`,
    )
    const verdict = verified(decide(client, anchors, { ...pool, issuerAcl }))
    expect(verdict.anchor.certificate?.der).toEqual(root.der)
    expect(verdict.attempts).toMatchObject([{ failure: { code: 'issuer-not-allowed' } }])
  })
  test('a client that is not allowed is tried on every path, a denied one on none more', () => {
    const nobody = parseClientAcl('allow dn CN=Nobody')
    const refused = decide(client, anchors, { ...pool, clientAcl: nobody })
    expect(refused).toMatchObject({ failure: { code: 'client-not-allowed' } })
    expect(!refused.ok && refused.attempts).toHaveLength(2)
    const deny = parseClientAcl(`allow attributes CN=*\ndeny spki-sha256 ${spkiSha256(client)}`)
    const denied = decide(client, anchors, { ...pool, clientAcl: deny })
    expect(denied).toMatchObject({ failure: { code: 'client-denied' } })
    expect(!denied.ok && denied.attempts).toHaveLength(1)
  })
  test('both ACLs must allow', () => {
    const issuerAcl = parseIssuerAcl(`allow dn "${issuingDn}"`)
    const clientAcl = parseClientAcl('allow attributes CN=client-a')
    expect(decide(client, anchors, { ...pool, issuerAcl, clientAcl }).ok).toBe(true)
    const nobody = parseClientAcl('allow dn CN=Nobody')
    expect(codeOf(decide(client, anchors, { ...pool, issuerAcl, clientAcl: nobody }))).toBe(
      'client-not-allowed',
    )
    const none = parseIssuerAcl('allow dn CN=Nobody')
    expect(codeOf(decide(client, anchors, { ...pool, issuerAcl: none, clientAcl }))).toBe(
      'issuer-not-allowed',
    )
  })
  test.each(['known', 'sent'] as const)(
    'a CA denied by the hash of one certificate is denied under every other: %s',
    (where) => {
      const text = `allow attributes CN=*\ndeny certificate-sha256 ${sha256(crossed.der)}`
      const issuerAcl = parseIssuerAcl(text)
      const [source, options] =
        where === 'known' ? [client, pool] : [[client.der, crossed.der, issuing.der], {}]
      expect(codeOf(decide(source, anchors, { ...options, issuerAcl }))).toBe('issuer-denied')
      // Nobody has seen the denied certificate: the other one is all there is.
      expect(decide(client, root.pem, { ...known, issuerAcl }).ok).toBe(true)
    },
  )
  test('what one client sent does not widen the ACL for the next one', () => {
    const issuerAcl = parseIssuerAcl(
      `allow attributes CN=*\ndeny certificate-sha256 ${sha256(crossed.der)}`,
    )
    const options = { ...known, issuerAcl }
    expect(codeOf(decide([client.der, crossed.der], root.pem, options))).toBe('issuer-denied')
    expect(decide([client.der], root.pem, options).ok).toBe(true)
  })
})

describe('how long a verdict holds', () => {
  const hour = 3600
  const period = (verdict: Verdict) => {
    const { validFrom, validUntil } = verified(verdict)
    return [validFrom.getTime() / 1000 - testTime, validUntil.getTime() / 1000 - testTime]
  }
  const span = (before: number, after: number): CertificateOptions => ({
    notBefore: testTime - before,
    notAfter: testTime + after,
  })
  test.each([
    ['the target', span(9, 9), span(1, 1), [-1, 1]],
    ['the intermediate', span(1, 1), span(9, 9), [-1, 1]],
    ['one at each end', span(1, 9), span(9, 1), [-1, 1]],
  ])('the tightest period: %s', async (_, ofCa, ofClient, expected) => {
    const ca = await root.issueCa('CA', ofCa)
    const target = await ca.issue('x', ofClient)
    expect(period(decide(target.chainPem, anchorsPem))).toEqual(expected)
    expect(period(decide(target.chainPem, anchorsPem, { clockTolerance: 5 }))).toEqual([
      (expected[0] as number) - 5,
      (expected[1] as number) + 5,
    ])
  })
  test('the anchor counts, unless anchorChecks.validity is false', async () => {
    const short = await issueCa('Short Root CA', span(2, 2))
    const target = await short.issue('x', span(hour, hour))
    expect(period(decide(target, short.pem))).toEqual([-2, 2])
    const anchorChecks = { validity: false }
    expect(period(decide(target, short.pem, { anchorChecks }))).toEqual([-hour, hour])
    expect(decide(target, short.pem, { anchorChecks, time: at(hour) }).ok).toBe(true)
    expect(codeOf(decide(target, short.pem, { time: at(3) }))).toBe('certificate-expired')
  })
  test.each(['issuerAcl', 'clientAcl'] as const)('an entry of the %s that expires', (option) => {
    const expires = new Date((testTime + 60) * 1000).toISOString().replace('.000Z', 'Z')
    const acl =
      option === 'issuerAcl'
        ? parseIssuerAcl(`allow dn "${issuingDn}" expires ${expires}`)
        : parseClientAcl(`allow attributes CN=client-a expires ${expires}`)
    const options = { [option]: acl }
    expect(period(decide(chainPem, anchorsPem, options))[1]).toBe(60)
    expect(decide(chainPem, anchorsPem, { ...options, time: at(60) }).ok).toBe(true)
    expect(decide(chainPem, anchorsPem, { ...options, time: at(61) }).ok).toBe(false)
  })
  test('only what the accepted path used', async () => {
    const other = await issueCa('Other Root CA', { key: 'P-256#31' })
    const crossed = await other.crossSign(issuing, { notBefore: testTime - 9 })
    const expires = new Date((testTime + 60) * 1000).toISOString().replace('.000Z', 'Z')
    const clientAcl = parseClientAcl('allow attributes CN=client-a')
    const issuerAcl = parseIssuerAcl(
      `allow dn "${issuingDn}" under dn "${formatName(root.tbsCertificate.subject)}"\nallow dn CN=Nobody expires ${expires}`,
    )
    const verdict = decide([client.der, crossed.der, issuing.der], root.pem + other.pem, {
      issuerAcl,
      clientAcl,
    })
    expect(period(verdict)[1]).toBe(2_524_607_999 - testTime)
    expect(verified(verdict).attempts).toHaveLength(1)
  })
  test('inside the period the verdict is the same, outside it is another', async () => {
    const target = await issuing.issue('x', span(10, 10))
    for (const seconds of [-10, 10])
      expect(decide(target, anchorsPem, { ...known, time: at(seconds) }).ok).toBe(true)
    expect(codeOf(decide(target, anchorsPem, { ...known, time: at(-11) }))).toBe(
      'certificate-not-yet-valid',
    )
    expect(codeOf(decide(target, anchorsPem, { ...known, time: at(11) }))).toBe(
      'certificate-expired',
    )
  })
})

describe('the identity', async () => {
  const spiffe = 'spiffe://example.org/client-a'
  const target = await issuing.issue('client-a', {
    serialNumber: 0x80n,
    subjectAltName: [
      { uri: spiffe },
      { dns: 'client.example' },
      { email: 'a@example' },
      { ip: '192.0.2.1' },
      { ip: '2001:db8::1' },
      { directoryName: 'CN=x' },
      { registeredId: '1.2.3' },
      { otherName: { typeId: '1.2.4', value: Uint8Array.of(5, 0) } },
      { der: Uint8Array.of(0xa3, 0) },
    ],
  })
  const { identity } = verified(decide(target, anchorsPem, known))
  const fingerprint = sha256(target.der)

  test('is what the path proves, also as JSON', () => {
    expect(JSON.parse(JSON.stringify(identity))).toEqual({
      subject: 'CN=client-a',
      issuer: issuingDn,
      issuerSpkiSha256: spkiSha256(issuing),
      anchor: formatName(root.tbsCertificate.subject),
      subjectAltNames: [
        `uniformResourceIdentifier:${spiffe}`,
        'dNSName:client.example',
        'rfc822Name:a@example',
        'iPAddress:192.0.2.1',
        'iPAddress:2001:db8::1',
        'directoryName:CN=x',
        'registeredID:1.2.3',
        'otherName:1.2.4',
        'x400Address',
      ],
      spiffeId: spiffe,
      serialNumber: '0080',
      fingerprint,
      spkiSha256: spkiSha256(target),
      'x5t#S256': Buffer.from(fingerprint, 'hex').toString('base64url'),
    })
    expect(JSON.parse(JSON.stringify(identity.issuer))).toEqual({
      name: issuingDn,
      spkiSha256: spkiSha256(issuing),
    })
    expect(identity.anchor.certificate?.der).toEqual(root.der)
    expect(identity.subjectAltNames).toHaveLength(9)
  })
  test('the issuer is the anchor when that signed the client', async () => {
    const direct = await root.issue('x')
    const { issuer } = verified(decide(direct, anchorsPem)).identity
    expect(issuer.name).toBe(formatName(root.tbsCertificate.subject))
    expect(issuer.spkiSha256).toBe(spkiSha256(root))
  })
  test.each<[string, CertificateOptions, string | undefined]>([
    ['no URI', {}, undefined],
    [
      'two URIs, SPIFFE X509-SVID §2',
      { subjectAltName: [{ uri: spiffe }, { uri: 'https://e' }] },
      undefined,
    ],
    ['another scheme', { subjectAltName: [{ uri: 'https://example.org' }] }, undefined],
    ['a scheme that only begins like it', { subjectAltName: [{ uri: 'spiffe:x' }] }, undefined],
    ['one URI beside a DNS name', { subjectAltName: [{ dns: 'a' }, { uri: spiffe }] }, spiffe],
  ])('a SPIFFE id: %s', async (_, options, expected) => {
    const issued = await issuing.issue('x', options)
    expect(verified(decide(issued, anchorsPem, known)).identity.spiffeId).toBe(expected)
  })
  test('an empty subject is an empty text', async () => {
    const issued = await issuing.issue('x', { subject: [], subjectAltName: [{ uri: spiffe }] })
    expect(verified(decide(issued, anchorsPem, known)).identity.subject).toBe('')
  })
})

describe('refused paths', () => {
  test('attempts that were left are told beside a path that was found', async () => {
    const impostor = await (await issueCa('Other Root CA', { key: 'P-256#32' })).issueCa('x', {
      subject: issuing.tbsCertificate.subject.der,
      key: 'P-256#33',
      notBefore: testTime - 9,
    })
    const plain = await issuing.issue('x', { authorityKeyIdentifier: 'absent' })
    const verdict = verified(decide(plain, anchorsPem, { intermediates: [impostor, issuing] }))
    expect(verdict.attempts).toMatchObject([{ failure: { code: 'issuer-unknown', index: 1 } }])
  })
  test('more than 100 are counted', async () => {
    const subject = issuing.tbsCertificate.subject.der
    const expired: Uint8Array[] = []
    for (let i = 0; i < 101; i++) {
      expired.push((await root.issueCa('x', { subject, key: issuing.key, notAfter: i })).der)
    }
    const verdict = decide(client, anchorsPem, { intermediates: expired })
    expect(verdict).toMatchObject({
      ok: false,
      attemptsOmitted: 1,
      failure: { code: 'certificate-expired' },
    })
    expect(!verdict.ok && verdict.attempts).toHaveLength(100)
  })
  test('the warning of anyExtendedKeyUsage', async () => {
    const any = await issuing.issue('x', { extendedKeyUsage: ['anyExtendedKeyUsage'] })
    expect(verified(decide(any, anchorsPem, known)).warnings).toEqual([
      { code: 'revocation-not-checked' },
      { code: 'extended-key-usage-any', index: 0 },
    ])
  })
})
