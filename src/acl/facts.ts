/**
 * What an ACL looks up about one CA or client, as keys of its index. Digests are asked for here, each once, and only when
 * an entry needs that kind.
 * @module
 */

import { toHex } from '../base/hex.ts'
import { ask, type Steps } from '../effect/effect.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { GeneralName } from '../x509/general-name.ts'
import type { AttributeTypeAndValue, Name } from '../x509/name.ts'
import { nameKey } from '../x509/name-match.ts'
import { attributeText, checkAttributeValue, tagUtf8String } from '../x509/name-value.ts'
import { rewriteSignature } from '../x509/rewritten-signature.ts'
import { limits } from './entry.ts'

/** A CA of a path, or the client. */
export interface Subject {
  readonly name: Name
  /** Absent for an issuer of which nothing but the name is known. */
  readonly spki?: Uint8Array | undefined
  /** Absent for a trust anchor that is a name and a key. */
  readonly certificate?: Certificate | undefined
  /** The key that the certificate's signature verifies under. */
  readonly issuerSpki?: Uint8Array | undefined
  /** The key identifier that the next certificate towards the target states for its issuer. */
  readonly statedKeyId?: Uint8Array | undefined
}

/** Bits: the kinds of facts that entries look at. */
export const kinds = {
  name: 1,
  attributes: 2,
  spki: 4,
  fingerprint: 8,
  tbs: 16,
  keyId: 32,
  alternativeNames: 64,
  serial: 128,
} as const

export interface Facts {
  readonly subject: Subject
  /** Keys that entries of both effects match. */
  readonly keys: readonly string[]
  /** Keys that only entries which deny match: weaker evidence is enough to refuse. */
  readonly denyKeys: readonly string[]
}

/** SHA-256 digests in hexadecimal that one decision has asked for, by the very bytes. */
export type Digests = Map<Uint8Array, string>

/** @param wanted - Bits of `kinds`. */
export function* collectFacts(subject: Subject, wanted: number, digests: Digests): Steps<Facts> {
  const keys: string[] = []
  const denyKeys: string[] = []
  const { certificate, spki } = subject
  if (wanted & kinds.name) keys.push(nameFact(subject.name))
  if (wanted & kinds.attributes) keys.push(...attributeFacts(subject.name))
  if (wanted & kinds.spki && spki !== undefined) keys.push(`spki:${yield* sha256(spki, digests)}`)
  if (wanted & kinds.keyId) {
    const own = certificate?.tbsCertificate.extensions.subjectKeyIdentifier?.keyIdentifier
    if (own !== undefined) keys.push(`key:${toHex(own)}`)
    else if (subject.statedKeyId !== undefined) denyKeys.push(`key:${toHex(subject.statedKeyId)}`)
  }
  if (certificate !== undefined) {
    const { tbsCertificate } = certificate
    if (wanted & kinds.tbs) keys.push(`tbs:${yield* sha256(tbsCertificate.der, digests)}`)
    if (wanted & kinds.fingerprint) {
      keys.push(`certificate:${yield* sha256(certificate.der, digests)}`)
      const twin =
        subject.issuerSpki === undefined
          ? undefined
          : rewriteSignature(certificate, subject.issuerSpki)
      if (twin !== undefined) keys.push(`certificate:${yield* sha256(twin, digests)}`)
    }
    if (wanted & kinds.serial) addSerial(certificate, keys, denyKeys)
    if (wanted & kinds.alternativeNames) addAlternativeNames(certificate, keys, denyKeys)
  }
  return { subject, keys, denyKeys }
}

export function* sha256(data: Uint8Array, digests: Digests): Steps<string> {
  const known = digests.get(data)
  if (known !== undefined) return known
  const digest = toHex(yield* ask({ op: 'digest', hash: 'SHA-256', data }))
  digests.set(data, digest)
  return digest
}

export function nameFact(name: Name): string {
  return `name:${nameKey(name)}`
}

/** One attribute, compared as RFC 5280 §7.1 compares it inside a name. */
export function attributeFact(attribute: AttributeTypeAndValue): string {
  return `attribute:${nameKey({ der: noBytes, rdns: [[attribute]] })}`
}

/** Any value of the attribute type. */
export function attributeTypeFact(type: string): string {
  return `attribute-type:${type}`
}

export function attributeFacts(name: Name): string[] {
  const keys: string[] = []
  for (const rdn of name.rdns) {
    for (const attribute of rdn) {
      keys.push(attributeFact(attribute), attributeTypeFact(attribute.type))
    }
  }
  return keys
}

/** The serial number's digits without leading zeros, and the issuer's name. */
export function serialFact(digits: string, issuer: Name): string {
  return `serial:${digits}:${nameKey(issuer)}`
}

function addSerial(certificate: Certificate, keys: string[], denyKeys: string[]): void {
  const { serialNumber, issuer } = certificate.tbsCertificate
  const fact = serialFact(stripZeros(toHex(serialNumber)), issuer)
  // A negative serial has the digits of a positive one: it may be denied under them, never allowed.
  if ((serialNumber[0] ?? 0x80) < 0x80) keys.push(fact)
  else denyKeys.push(fact)
}

export function stripZeros(hex: string): string {
  return hex.replace(/^0+(?=.)/, '')
}

export function dnsFact(name: string): string {
  return `dns:${name.toLowerCase()}`
}

/** Local part as it stands, domain without regard to case. RFC 5280 §7.5 */
export function emailFact(address: string): string {
  const at = address.lastIndexOf('@')
  return `email:${address.slice(0, at + 1)}${address.slice(at + 1).toLowerCase()}`
}

/** Systems differ on the local part's case, so an entry that denies ignores it. */
export function foldedEmailFact(address: string): string {
  return `folded-email:${address.toLowerCase()}`
}

/** Scheme and authority without regard to case, the rest as it stands. RFC 5280 §7.4 */
export function uriFact(uri: string): string {
  return `uri:${foldUri(uri)}`
}

export function uriPrefixFact(prefix: string): string {
  return `uri-prefix:${foldUri(prefix)}`
}

export const anyDns = 'dns-any'
export const anyEmail = 'email-any'
export const anyUri = 'uri-any'

function foldUri(uri: string): string {
  const origin = /^[^:/?#]*:(?:\/\/[^/?#]*)?/.exec(uri)?.[0] ?? ''
  return origin.toLowerCase() + uri.slice(origin.length)
}

function addAlternativeNames(certificate: Certificate, keys: string[], denyKeys: string[]): void {
  const names = certificate.tbsCertificate.extensions.subjectAltName?.names ?? []
  // An SVID has one URI; with several, an allowed one would vouch for the others. SPIFFE X509-SVID, section 2
  const uris = names.filter((name) => name.kind === 'uniformResourceIdentifier')
  for (const name of names) {
    if (name.kind === 'dNSName') {
      keys.push(dnsFact(name.value), anyDns)
      // The dot of an absolute name changes nothing of the host: it must not lead past an entry that denies.
      if (name.value.endsWith('.')) denyKeys.push(dnsFact(name.value.slice(0, -1)))
    }
    const address = emailAddress(name)
    if (address !== undefined) {
      keys.push(emailFact(address), anyEmail)
      denyKeys.push(foldedEmailFact(address))
    }
    if (name.kind === 'uniformResourceIdentifier') {
      const one = uris.length === 1 || !foldUri(name.value).startsWith('spiffe:')
      const target = one ? keys : denyKeys
      target.push(uriFact(name.value), anyUri)
      const prefixes = uriPrefixes(name.value).map(uriPrefixFact)
      if (one && isPlainPath(name.value)) keys.push(...prefixes)
      else denyKeys.push(...prefixes)
    }
  }
}

function emailAddress(name: GeneralName): string | undefined {
  if (name.kind === 'rfc822Name') return name.value
  if (name.kind !== 'otherName' || name.typeId !== smtpUtf8Mailbox) return undefined
  // The reader saw one whole element: only the width of its length is left to know.
  const [tag, first = 0] = name.value
  const value = name.value.subarray(first < 0x80 ? 2 : first - 0x80 + 2)
  if (tag !== tagUtf8String || !checkAttributeValue(tag, value)) return undefined
  return attributeText({ type: smtpUtf8Mailbox, tag, value })
}

/** `scheme://authority/a/b` → `scheme://authority/`, `scheme://authority/a/`: what `…/*` may stand below. */
function uriPrefixes(uri: string): string[] {
  const prefixes: string[] = []
  const path = uri.indexOf('/', uri.indexOf('://') + 3)
  let slash = uri.includes('://') ? path : -1
  while (slash >= 0 && slash < uri.length - 1 && prefixes.length <= limits.uriSegments) {
    prefixes.push(uri.slice(0, slash + 1))
    slash = uri.indexOf('/', slash + 1)
  }
  return prefixes
}

/** No empty or dotted segment, no escape, no query: two readers cannot take the path for different ones. */
export function isPlainPath(uri: string): boolean {
  const path = uri.replace(/^[^:/?#]*:\/\/[^/?#]*/, '')
  return /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)*$/.test(path)
}

const noBytes = new Uint8Array(0)
const smtpUtf8Mailbox = '1.3.6.1.5.5.7.8.9'
