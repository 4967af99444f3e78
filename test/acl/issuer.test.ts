import { describe, expect, test } from 'vitest'
import { decider } from '../../src/acl/decider.ts'
import {
  decideIssuerAcl,
  decideUnverifiedIssuer,
  issuerAclFromJson,
  issuerAclWarnings,
  parseIssuerAcl,
  resolveDenied,
} from '../../src/acl/index.ts'
import { toHex } from '../../src/base/hex.ts'
import type { Effect } from '../../src/effect/effect.ts'
import { issueCa } from '../../src/testing/index.ts'
import type { Certificate } from '../../src/x509/certificate.ts'
import { parseCertificate } from '../../src/x509/parse-certificate.ts'
import { rewriteSignature } from '../../src/x509/rewritten-signature.ts'
import { pathOf, run, sha256, spkiSha256 } from './support.ts'

const root = await issueCa('CN=Root,O=Trust,C=DE')
const upper = await root.issueCa('CN=Upper,O=Trust,C=DE')
const lower = await upper.issueCa('CN=Lower,OU=One,OU=Two,O=Trust,C=DE')
const client = await lower.issue('CN=client,O=Clients,C=DE')
const path = pathOf([client, lower, upper], root)
const issuerDn = 'CN=Lower,OU=One,OU=Two,O=Trust,C=DE'

const keyId = (certificate: Certificate) =>
  toHex(
    certificate.tbsCertificate.extensions.subjectKeyIdentifier?.keyIdentifier ?? new Uint8Array(),
  )

function outcome(text: string, over = path, time = 1_000): string {
  const decision = run(decideIssuerAcl(parseIssuerAcl(text), over, time))
  return decision.allowed ? 'allowed' : decision.code
}

describe('entries match the issuer', () => {
  const other = 'ab'.repeat(32)
  test.each([
    [`allow dn "${issuerDn}"`, 'allowed'],
    ['allow dn "cn=LOWER , ou=one, OU=two,o=Trust,c=de"', 'allowed'],
    ['allow dn "/C=DE/O=Trust/OU=Two/OU=One/CN=Lower"', 'allowed'],
    ['allow dn "CN=Lower,O=Trust,C=DE"', 'issuer-not-allowed'],
    ['allow dn "C=DE,O=Trust,OU=Two,OU=One,CN=Lower"', 'issuer-not-allowed'],
    ['allow dn "CN=client,O=Clients,C=DE"', 'issuer-not-allowed'],
    ['allow attributes CN=lower', 'allowed'],
    ['allow attributes commonName="  Lower " O=*', 'allowed'],
    ['allow attributes 2.5.4.3=Lower', 'allowed'],
    ['allow attributes O=* CN=*', 'allowed'],
    ['allow attributes L=*', 'issuer-not-allowed'],
    ['allow attributes CN=Lower O=Other', 'issuer-not-allowed'],
    ['allow attributes CN=Low*', 'issuer-not-allowed'],
    ['allow attributes OU=One OU=Two', 'allowed'],
    ['allow attributes OU=One OU=Three', 'issuer-not-allowed'],
    [`allow spki-sha256 ${spkiSha256(lower)}`, 'allowed'],
    [`allow spki-sha256 ${other}`, 'issuer-not-allowed'],
    [`allow spki-sha256 ${spkiSha256(client)}`, 'issuer-not-allowed'],
    [`allow certificate-sha256 ${sha256(lower.der)}`, 'allowed'],
    [`allow certificate-sha256 ${sha256(lower.tbsCertificate.der)}`, 'issuer-not-allowed'],
    [`allow tbs-sha256 ${sha256(lower.tbsCertificate.der)}`, 'allowed'],
    [`allow tbs-sha256 ${sha256(lower.der)}`, 'issuer-not-allowed'],
    [`allow certificate ${Buffer.from(lower.der).toString('base64')}`, 'allowed'],
    [`allow certificate ${Buffer.from(upper.der).toString('base64')}`, 'issuer-not-allowed'],
    [`allow key-id ${keyId(lower)}`, 'allowed'],
    [`allow key-id ${keyId(upper)}`, 'issuer-not-allowed'],
  ])('%s: %s', (text, expected) => {
    expect(outcome(text)).toBe(expected)
  })
})

describe('positions', () => {
  const names = { issuer: issuerDn, path: 'CN=Upper,O=Trust,C=DE', anchor: 'CN=Root,O=Trust,C=DE' }
  const cases: [string, string, string][] = []
  for (const at of ['issuer', 'path', 'anchor']) {
    for (const [who, dn] of Object.entries(names)) {
      const matches = at === 'path' || at === who
      cases.push([at, dn, matches ? 'allowed' : 'issuer-not-allowed'])
    }
  }
  test.each(cases)('at %s, %s: %s', (at, dn, expected) => {
    expect(outcome(`allow dn "${dn}" at ${at}`)).toBe(expected)
    const denied = expected === 'allowed' ? 'issuer-denied' : 'allowed'
    expect(outcome(`allow attributes CN=*\ndeny dn "${dn}" at ${at}`)).toBe(denied)
  })

  test('a client directly below the anchor has the anchor at all three', async () => {
    const direct = pathOf([await root.issue('CN=direct')], root)
    for (const at of ['issuer', 'path', 'anchor']) {
      expect(outcome(`allow attributes CN=Root at ${at}`, direct)).toBe('allowed')
    }
  })

  test('a pinned client is not its own issuer, and its real issuer can be denied by name', () => {
    const pinned = pathOf([client], client)
    expect(outcome('allow attributes CN=client', pinned)).toBe('issuer-not-allowed')
    expect(outcome('allow attributes CN=Lower', pinned)).toBe('issuer-not-allowed')
    expect(outcome('allow attributes CN=client at anchor', pinned)).toBe('allowed')
    const allowed = 'allow attributes CN=client at anchor\n'
    expect(outcome(`${allowed}deny attributes CN=Lower`, pinned)).toBe('issuer-denied')
    expect(outcome(`${allowed}deny attributes CN=Lower at path`, pinned)).toBe('issuer-denied')
    expect(outcome(`${allowed}deny key-id ${keyId(lower)}`, pinned)).toBe('issuer-denied')
    expect(outcome(`${allowed}deny attributes CN=Lower at anchor`, pinned)).toBe('allowed')
  })

  test.each([
    [`certificate-sha256 ${sha256(root.der)}`, 'allowed'],
    [`certificate-sha256 ${sha256(upper.der)}`, 'issuer-not-allowed'],
    [`tbs-sha256 ${sha256(root.tbsCertificate.der)}`, 'allowed'],
    [`certificate ${Buffer.from(root.der).toString('base64')}`, 'allowed'],
    [`certificate ${Buffer.from(upper.der).toString('base64')}`, 'issuer-not-allowed'],
    [`key-id ${keyId(root)}`, 'allowed'],
    [`key-id ${keyId(upper)}`, 'issuer-not-allowed'],
  ])('the certificate of an anchor counts: at anchor, %.60s: %s', (match, expected) => {
    expect(outcome(`allow ${match} at anchor`)).toBe(expected)
  })

  test('an issuer is named by a name that differs in case alone, RFC 5280 §7.1', async () => {
    const shouted = await lower.issue('CN=client', {
      issuer: 'CN=LOWER,OU=ONE,OU=TWO,O=TRUST,C=DE',
    })
    expect(shouted.tbsCertificate.issuer.der).not.toEqual(lower.tbsCertificate.subject.der)
    const over = pathOf([shouted, lower, upper], root)
    expect(outcome(`allow spki-sha256 ${spkiSha256(lower)}`, over)).toBe('allowed')
  })

  test('a path without certificates has no issuer', () => {
    expect(outcome('allow attributes CN=* at path', pathOf([], root))).toBe('issuer-not-allowed')
  })
})

describe('deny wins, and nothing is allowed by default', () => {
  test.each([
    ['', 'acl-empty'],
    ['# only a comment', 'acl-empty'],
    ['deny dn CN=Other', 'issuer-not-allowed'],
    [`deny spki-sha256 ${spkiSha256(lower)}\nallow dn "${issuerDn}"`, 'issuer-denied'],
    [`allow dn "${issuerDn}"\ndeny attributes O=trust`, 'issuer-denied'],
    [`allow dn "${issuerDn}"\ndeny attributes O=*`, 'issuer-denied'],
    [`allow dn "${issuerDn}"\ndeny attributes CN=Upper`, 'allowed'],
  ])('%j: %s', (text, expected) => {
    expect(outcome(text)).toBe(expected)
  })
})

describe('an anchor that is a name and a key', () => {
  const bare = {
    certificates: [client, lower, upper],
    anchor: { name: path.anchor.name, spki: path.anchor.spki },
  }
  test.each([
    ['dn "CN=Root,O=Trust,C=DE"', 'allowed'],
    [`spki-sha256 ${spkiSha256(root)}`, 'allowed'],
    [`certificate-sha256 ${sha256(root.der)}`, 'issuer-not-allowed'],
    [`tbs-sha256 ${sha256(root.tbsCertificate.der)}`, 'issuer-not-allowed'],
    [`certificate ${Buffer.from(root.der).toString('base64')}`, 'issuer-not-allowed'],
    [`key-id ${keyId(root)}`, 'issuer-not-allowed'],
  ])('%s: %s', (match, expected) => {
    expect(outcome(`allow ${match} at anchor`, bare)).toBe(expected)
  })

  test('is denied by the certificate that has its name and key, and by the key id that its issue states', () => {
    const deny = (match: string) => outcome(`allow dn "${issuerDn}"\ndeny ${match} at anchor`, bare)
    expect(deny(`certificate ${Buffer.from(root.der).toString('base64')}`)).toBe('issuer-denied')
    expect(deny(`key-id ${keyId(root)}`)).toBe('issuer-denied')
  })
})

describe('denying a CA certificate denies its subject and key', () => {
  const allow = `allow dn "${issuerDn}"\n`
  const crossPath = async () => {
    const second = await issueCa('CN=Second Root')
    const cross = await second.crossSign(lower)
    return { cross, over: pathOf([client, cross], second) }
  }

  test('by the certificate: a cross-signed one is denied too', async () => {
    const { over } = await crossPath()
    const entry = `certificate ${Buffer.from(lower.der).toString('base64')}`
    expect(outcome(`${allow}deny ${entry}`)).toBe('issuer-denied')
    expect(outcome(`${allow}deny ${entry}`, over)).toBe('issuer-denied')
    expect(outcome(`allow ${entry}`, over)).toBe('issuer-not-allowed')
  })

  test('a CA of the same name with another key is not', async () => {
    const twin = await root.issueCa(issuerDn, { key: 'P-256#7' })
    const over = pathOf([await twin.issue('CN=client'), twin], root)
    const entry = `certificate ${Buffer.from(lower.der).toString('base64')}`
    expect(outcome(`${allow}deny ${entry}`, over)).toBe('allowed')
  })

  test('by certificate-sha256, once the certificate is known', async () => {
    const { over } = await crossPath()
    const acl = parseIssuerAcl(`${allow}deny certificate-sha256 ${sha256(lower.der)}`)
    expect(run(decideIssuerAcl(acl, over, 0))).toMatchObject({ allowed: true })
    const resolved = run(resolveDenied(acl, [root, upper, lower]))
    expect(resolved.entries).toEqual(acl.entries)
    expect(run(decideIssuerAcl(resolved, over, 0))).toMatchObject({ code: 'issuer-denied' })
    const again = run(resolveDenied(resolved, [root, lower]))
    expect(again.entries).toEqual(acl.entries)
    expect(run(decideIssuerAcl(again, over, 0))).toMatchObject({ code: 'issuer-denied' })
  })

  test('by tbs-sha256, that one certificate and no other of the CA', async () => {
    const { over } = await crossPath()
    const acl = parseIssuerAcl(`${allow}deny tbs-sha256 ${sha256(lower.tbsCertificate.der)}`)
    expect(run(resolveDenied(acl, [root, upper, lower]))).toBe(acl)
    expect(run(decideIssuerAcl(acl, over, 0))).toMatchObject({ allowed: true })
    expect(outcome(`${allow}deny tbs-sha256 ${sha256(lower.tbsCertificate.der)}`)).toBe(
      'issuer-denied',
    )
  })

  test('an entry that allows by fingerprint is never widened', async () => {
    const { cross, over } = await crossPath()
    const entry = `allow certificate-sha256 ${sha256(lower.der)}`
    const alone = parseIssuerAcl(entry)
    expect(run(resolveDenied(alone, [root, lower, cross]))).toBe(alone)
    const beside = parseIssuerAcl(`${entry}\ndeny certificate-sha256 ${sha256(upper.der)}`)
    const resolved = run(resolveDenied(beside, [root, upper, lower, cross]))
    expect(resolved).not.toBe(beside)
    expect(run(decideIssuerAcl(resolved, path, 0))).toMatchObject({ allowed: true })
    expect(run(decideIssuerAcl(resolved, over, 0))).toEqual({
      allowed: false,
      code: 'issuer-not-allowed',
    })
  })

  test('widening changes nothing where nothing is denied by hash or nothing is known', () => {
    const plain = parseIssuerAcl(`${allow}deny spki-sha256 ${spkiSha256(upper)}`)
    const asked: Effect[] = []
    expect(run(resolveDenied(plain, [root, lower]), asked)).toBe(plain)
    expect(asked).toEqual([])
    const hashed = parseIssuerAcl(`${allow}deny certificate-sha256 ${'00'.repeat(32)}`)
    expect(run(resolveDenied(hashed, [root, lower]))).toBe(hashed)
  })
})

describe('a fingerprint names a certificate however its ECDSA signature is written', () => {
  test.each(['P-256', 'P-384', 'P-521'] as const)('%s', async (key) => {
    const anchor = await issueCa(`CN=Root ${key}`, { key })
    const ca = await anchor.issueCa('CN=Issuing')
    const leaf = await ca.issue('CN=client')
    const spki = anchor.tbsCertificate.subjectPublicKeyInfo.der
    const der = rewriteSignature(ca, spki)
    const parsed = der && parseCertificate(der)
    if (!parsed?.ok) throw new Error('the rewritten certificate does not parse')
    const rewritten = parsed.value
    expect(rewritten.tbsCertificate.der).toEqual(ca.tbsCertificate.der)
    expect(rewritten.der).not.toEqual(ca.der)
    expect(rewriteSignature(rewritten, spki)).toEqual(Uint8Array.from(ca.der))
    const { createPublicKey, verify } = await import('node:crypto')
    const hash = { 'P-256': 'sha256', 'P-384': 'sha384', 'P-521': 'sha512' }[key]
    const publicKey = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
    const { tbsCertificate, signatureValue } = rewritten
    expect(verify(hash, tbsCertificate.der, publicKey, signatureValue)).toBe(true)
    const over = pathOf([leaf, rewritten], anchor)
    const fingerprint = `certificate-sha256 ${sha256(ca.der)}`
    expect(outcome(`allow ${fingerprint}`, over)).toBe('allowed')
    expect(outcome(`allow dn CN=Issuing\ndeny ${fingerprint}`, over)).toBe('issuer-denied')
  })

  test('other signatures have one form, and so have those we cannot read', async () => {
    const rsa = await issueCa('CN=RSA', { key: 'RSA-2048' })
    const spki = (certificate: Certificate) => certificate.tbsCertificate.subjectPublicKeyInfo.der
    expect(rewriteSignature(rsa, spki(rsa))).toBeUndefined()
    expect(rewriteSignature(root, spki(rsa))).toBeUndefined()
    const ed = await issueCa('CN=Ed', { key: 'Ed25519' })
    expect(rewriteSignature(ed, spki(ed))).toBeUndefined()
    expect(rewriteSignature(root, new Uint8Array())).toBeUndefined()
    const p384 = await issueCa('CN=P-384', { key: 'P-384' })
    expect(rewriteSignature(p384, spki(root))).toBeUndefined()
    const unknownCurve = Uint8Array.from(spki(root))
    unknownCurve.set([0xff], 16)
    expect(rewriteSignature(root, unknownCurve)).toBeUndefined()
    const broken = (...signature: number[]) =>
      rewriteSignature({ ...root, signatureValue: Uint8Array.from(signature) }, spki(root))
    expect(broken()).toBeUndefined()
    expect(broken(0x31, 6, 2, 1, 1, 2, 1, 1)).toBeUndefined()
    expect(broken(0x30, 6, 3, 1, 1, 2, 1, 1)).toBeUndefined()
    expect(broken(0x30, 6, 2, 1, 1, 3, 1, 1)).toBeUndefined()
    expect(broken(0x30, 6, 2, 1, 1, 2, 2, 1)).toBeUndefined()
    expect(broken(0x30, 5, 2, 1, 1, 2, 0)).toBeUndefined()
    expect(broken(0x30, 6, 2, 1, 1, 2, 1, 1)).toBeInstanceOf(Uint8Array)
  })
})

describe('under a trust anchor', () => {
  const key = `under spki-sha256 ${spkiSha256(root)}`
  test.each([
    [`allow dn "${issuerDn}" ${key}`, 'allowed'],
    [`allow dn "${issuerDn}" under dn "cn=root,O=Trust,C=DE"`, 'allowed'],
    [`allow dn "${issuerDn}" under spki-sha256 ${spkiSha256(upper)}`, 'issuer-not-allowed'],
    [`allow dn "${issuerDn}" under dn "CN=Upper,O=Trust,C=DE"`, 'issuer-not-allowed'],
    [`allow attributes CN=*\ndeny dn "${issuerDn}" ${key}`, 'issuer-denied'],
    [`allow attributes CN=*\ndeny dn "${issuerDn}" under dn CN=Other`, 'allowed'],
    [`allow attributes CN=*\ndeny key-id ${keyId(lower)} under dn CN=Other`, 'allowed'],
  ])('%s: %s', (text, expected) => {
    expect(outcome(text)).toBe(expected)
  })

  test('holds for what only denies, too', async () => {
    const plain = await root.issueCa('CN=Plain', { subjectKeyIdentifier: 'absent' })
    const leaf = await plain.issue('CN=leaf', {
      authorityKeyIdentifier: { keyIdentifier: Uint8Array.of(1, 2, 3) },
    })
    const over = pathOf([leaf, plain], root)
    expect(outcome('allow key-id 010203', over)).toBe('issuer-not-allowed')
    const deny = (options: string) =>
      outcome(`allow dn CN=Plain\ndeny key-id 010203 ${options}`, over, 10)
    expect(deny('')).toBe('issuer-denied')
    expect(deny('expires 9')).toBe('allowed')
    expect(deny('expires 10')).toBe('issuer-denied')
    expect(deny('at anchor')).toBe('allowed')
    expect(deny(key)).toBe('issuer-denied')
    expect(deny('under dn CN=Other')).toBe('allowed')
  })
})

describe('expiry, in Unix seconds, the last one included', () => {
  test.each([
    [100, 'allowed'],
    [101, 'issuer-not-allowed'],
    [Number.NaN, 'issuer-not-allowed'],
  ])('an entry that allows until 100, at %d: %s', (time, expected) => {
    expect(outcome(`allow dn "${issuerDn}" expires 100`, path, time)).toBe(expected)
  })

  test.each([
    [100, 'issuer-denied'],
    [101, 'allowed'],
    [Number.NaN, 'issuer-denied'],
  ])('an entry that denies until 100, at %d: %s', (time, expected) => {
    const text = `allow dn "${issuerDn}"\ndeny dn "${issuerDn}" expires 100`
    expect(outcome(text, path, time)).toBe(expected)
  })

  test('the decision stands as long as the entry that holds longest', () => {
    const decide = (...ends: string[]) =>
      run(
        decideIssuerAcl(
          parseIssuerAcl(ends.map((end) => `allow dn "${issuerDn}" ${end}`).join('\n')),
          path,
          50,
        ),
      )
    expect(decide('expires 100', 'expires 200', 'expires 150').expires).toBe(200)
    expect(decide('expires 100', '').expires).toBeUndefined()
    expect(decide('', 'expires 100').expires).toBeUndefined()
    const denied = run(decideIssuerAcl(parseIssuerAcl('deny attributes CN=* expires 90'), path, 50))
    expect(denied).toMatchObject({ allowed: false, code: 'issuer-denied', expires: 90 })
  })
})

describe('what a decision carries', () => {
  const decide = (text: string) => run(decideIssuerAcl(parseIssuerAcl(text), path, 50))
  test('no expiry where the entry has none', () => {
    expect(Object.keys(decide(`allow dn "${issuerDn}"`))).toEqual(['allowed', 'entry'])
    expect(Object.keys(decide(`deny dn "${issuerDn}"`))).toEqual(['allowed', 'code', 'entry'])
  })
  test('of entries that hold equally long, the one that stands first', () => {
    const twice = (effect: string, end: string) =>
      decide(
        `${effect} dn "${issuerDn}" note one ${end}\n${effect} dn "${issuerDn}" note two ${end}`,
      )
    for (const end of ['', 'expires 60']) {
      expect(twice('allow', end)).toMatchObject({ allowed: true, entry: { note: 'one' } })
      expect(twice('deny', end)).toMatchObject({ code: 'issuer-denied', entry: { note: 'one' } })
    }
  })
})

test('an ACL answers through itself as the functions do', () => {
  const acl = parseIssuerAcl(
    `allow dn "${issuerDn}" expires 9\ndeny certificate-sha256 ${sha256(upper.der)}`,
  )
  const own = acl[decider]
  for (const time of [9, 10]) {
    const decision = run(decideIssuerAcl(acl, path, time))
    expect(decision.allowed).toBe(time === 9)
    expect(run(own.decide(path, time))).toEqual(decision)
  }
  expect(run(own.decideUnverified(client, 9))).toEqual(run(decideUnverifiedIssuer(acl, client, 9)))
  expect(run(own.decideUnverified(client, 9))).toMatchObject({ code: 'issuer-deny-unchecked' })
  expect(run(own.widen([upper]))).not.toBe(acl)
  expect(run(own.widen([lower]))).toBe(acl)
  expect(own.warnings(2).map(({ code }) => code)).toEqual(['issuer-acl-by-name'])
  expect(own.warnings(1)).toEqual([])
})

describe('digests are asked for when an entry needs them, each once', () => {
  const asked = (text: string) => {
    const questions: Effect[] = []
    run(decideIssuerAcl(parseIssuerAcl(text), path, 0), questions)
    return questions.length
  }
  const digest = '00'.repeat(32)
  test.each([
    [
      'names, attributes and key ids need none',
      'allow dn CN=a\nallow attributes O=*\nallow key-id 00',
      0,
    ],
    ['the issuer alone', `allow spki-sha256 ${digest}`, 1],
    ['every CA of the path', `allow spki-sha256 ${digest} at path`, 3],
    [
      'the anchor, also for under',
      `allow spki-sha256 ${digest} at anchor\nallow attributes CN=* under spki-sha256 ${digest}`,
      1,
    ],
    ['both forms of an ECDSA certificate', `allow certificate-sha256 ${digest}`, 2],
    ['the signed part', `deny tbs-sha256 ${digest}`, 1],
  ])('%s', (_, text, count) => {
    expect(asked(text)).toBe(count)
  })
})

describe('an issuer that was not verified', () => {
  const unverified = (text: string, certificate: Certificate = client, time = 0) => {
    const decision = run(decideUnverifiedIssuer(parseIssuerAcl(text), certificate, time))
    return decision.allowed ? 'allowed' : decision.code
  }
  const digest = '00'.repeat(32)
  const allow = `allow dn "${issuerDn}"\n`
  const lowerDer = Buffer.from(lower.der).toString('base64')
  const upperDer = Buffer.from(upper.der).toString('base64')
  test.each([
    ['', 'acl-empty'],
    [allow, 'allowed'],
    ['allow attributes CN=Lower', 'allowed'],
    [`allow key-id ${keyId(lower)}`, 'allowed'],
    [`allow dn "${issuerDn}" at path`, 'allowed'],
    [`allow dn "${issuerDn}" at anchor`, 'issuer-not-allowed'],
    [`allow dn "${issuerDn}" under dn "CN=Root,O=Trust,C=DE"`, 'issuer-not-allowed'],
    [`allow spki-sha256 ${spkiSha256(lower)}`, 'issuer-not-allowed'],
    [`allow certificate-sha256 ${sha256(lower.der)}`, 'issuer-not-allowed'],
    [`allow tbs-sha256 ${sha256(lower.tbsCertificate.der)}`, 'issuer-not-allowed'],
    [`allow certificate ${lowerDer}`, 'issuer-not-allowed'],
    ['allow dn CN=Other', 'issuer-not-allowed'],
    [`${allow}deny attributes CN=Lower`, 'issuer-denied'],
    [`${allow}deny attributes CN=Lower at path`, 'issuer-denied'],
    [`${allow}deny attributes CN=Other`, 'allowed'],
    [`${allow}deny attributes CN=Other at path`, 'issuer-deny-unchecked'],
    [`${allow}deny attributes CN=Other at anchor`, 'issuer-deny-unchecked'],
    [`${allow}deny attributes CN=Other under dn CN=Root`, 'allowed'],
    [`${allow}deny attributes CN=Lower under dn CN=Root`, 'issuer-deny-unchecked'],
    [`${allow}deny spki-sha256 ${digest}`, 'issuer-deny-unchecked'],
    [`${allow}deny certificate-sha256 ${digest}`, 'issuer-deny-unchecked'],
    [`${allow}deny tbs-sha256 ${digest}`, 'issuer-deny-unchecked'],
    [`${allow}deny certificate ${lowerDer}`, 'issuer-deny-unchecked'],
    [`${allow}deny certificate ${upperDer}`, 'allowed'],
    [`${allow}deny key-id ${keyId(lower)}`, 'issuer-denied'],
    [`${allow}deny key-id ${keyId(upper)}`, 'allowed'],
    [`${allow}deny spki-sha256 ${digest}\ndeny attributes CN=Lower`, 'issuer-denied'],
    [`${allow}deny spki-sha256 ${digest} expires 5`, 'issuer-deny-unchecked'],
  ])('%s → %s', (text, expected) => {
    expect(unverified(text)).toBe(expected)
  })

  test('an entry that has expired no longer counts', () => {
    expect(unverified(`${allow}deny spki-sha256 ${digest} expires 5`, client, 6)).toBe('allowed')
    expect(unverified(`allow dn "${issuerDn}" expires 5`, client, 6)).toBe('issuer-not-allowed')
  })

  test('a key id that the client does not state cannot be ruled out', async () => {
    const silent = await lower.issue('CN=silent', { authorityKeyIdentifier: 'absent' })
    expect(unverified(`${allow}deny key-id 00`, silent)).toBe('issuer-deny-unchecked')
    expect(unverified(`allow key-id ${keyId(lower)}`, silent)).toBe('issuer-not-allowed')
  })
})

describe('issuer-acl-by-name', () => {
  const codes = (text: string, anchors: number) =>
    issuerAclWarnings(parseIssuerAcl(text), anchors).map(({ code }) => code)
  test.each([
    ['allow dn CN=a', 1],
    ['allow attributes CN=a', 1],
    ['allow key-id 00', 1],
    ['allow dn CN=a at path', 1],
    ['allow dn CN=a at anchor', 0],
    ['deny dn CN=a', 0],
    ['allow dn CN=a under dn CN=b', 0],
    [`allow spki-sha256 ${'00'.repeat(32)}`, 0],
  ])('%s beside two anchors: %d', (text, count) => {
    expect(codes(text, 2)).toEqual(Array(count).fill('issuer-acl-by-name'))
    expect(codes(text, 1)).toEqual([])
  })
})

test('an ACL in JSON decides as the same in text', () => {
  const acl = issuerAclFromJson([{ effect: 'allow', match: { dn: issuerDn } }])
  expect(run(decideIssuerAcl(acl, path, 0))).toEqual({ allowed: true, entry: acl.entries[0] })
  expect(acl.entries[0]).toEqual({ effect: 'allow', match: { dn: issuerDn }, at: 'issuer' })
})
