/** One match, read from its JSON form and made ready to look up. @module */

import { decodeBase64, encodeBase64 } from '../base/base64.ts'
import { bytesEqual } from '../base/bytes.ts'
import { fromHex, toHex } from '../base/hex.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { AttributeTypeAndValue, Name } from '../x509/name.ts'
import { parseNameText } from '../x509/name-text.ts'
import { parseCertificate } from '../x509/parse-certificate.ts'
import {
  type AclEffect,
  type AttributePatterns,
  type CertificateMatch,
  type ClientAclMatch,
  type IssuerAclMatch,
  limits,
} from './entry.ts'
import {
  anyDns,
  anyEmail,
  anyUri,
  attributeFact,
  attributeTypeFact,
  dnsFact,
  emailFact,
  foldedEmailFact,
  isPlainPath,
  kinds,
  nameFact,
  type Subject,
  serialFact,
  stripZeros,
  uriFact,
  uriPrefixFact,
} from './facts.ts'
import { invalid, type Where, within } from './misuse.ts'

export interface Matcher {
  /** One bit of `kinds`: what must be known to say yes or no. */
  readonly kind: number
  /** The entry is looked at when the facts hold this key. */
  readonly key: string
  /** All of these must be among the facts as well. */
  readonly also?: readonly string[]
  /** The attributes that `key` and `also` speak of, for explanations. */
  readonly parts?: readonly Part[]
  /** What else must hold. */
  readonly test?: (subject: Subject) => boolean
  /** The name that `kinds.name` speaks of, for explanations and for what only a name is known of. */
  readonly name?: Name
}

export interface Part {
  readonly key: string
  /** Dotted decimal. */
  readonly type: string
  /** The value, or `*`. */
  readonly text: string
}

export interface ReadMatch<M> {
  /** In its normal form. */
  readonly match: M
  readonly matcher: Matcher
}

type Fields = Readonly<Record<string, unknown>>
export type MatchReader<M> = (fields: Fields, effect: AclEffect, where: Where) => ReadMatch<M>

type Readers<K extends string, M> = { readonly [N in K]: MatchReader<M> }
type CertificateKind =
  | 'dn'
  | 'attributes'
  | 'spkiSha256'
  | 'certificateSha256'
  | 'tbsSha256'
  | 'certificate'

export const certificateReaders: Readers<CertificateKind, CertificateMatch> = {
  dn: (fields, _effect, where) => {
    const { text, name } = readDistinguishedName(fields.dn, within(where, 'dn'))
    return { match: { dn: text }, matcher: { kind: kinds.name, key: nameFact(name), name } }
  },
  attributes: (fields, _effect, where) =>
    readAttributes(fields.attributes, within(where, 'attributes')),
  spkiSha256: (fields, _effect, where) => {
    const spkiSha256 = readDigest(fields.spkiSha256, within(where, 'spkiSha256'))
    return { match: { spkiSha256 }, matcher: { kind: kinds.spki, key: `spki:${spkiSha256}` } }
  },
  certificateSha256: (fields, _effect, where) => {
    const at = within(where, 'certificateSha256')
    const certificateSha256 = readDigest(fields.certificateSha256, at)
    const key = `certificate:${certificateSha256}`
    return { match: { certificateSha256 }, matcher: { kind: kinds.fingerprint, key } }
  },
  tbsSha256: (fields, _effect, where) => {
    const tbsSha256 = readDigest(fields.tbsSha256, within(where, 'tbsSha256'))
    return { match: { tbsSha256 }, matcher: { kind: kinds.tbs, key: `tbs:${tbsSha256}` } }
  },
  certificate: (fields, effect, where) => {
    const certificate = readCertificate(fields.certificate, within(where, 'certificate'))
    return {
      match: { certificate: encodeBase64(certificate.der) },
      matcher: matchCertificate(certificate, effect),
    }
  },
}

export const issuerReaders: Readers<CertificateKind | 'keyId', IssuerAclMatch> = {
  ...certificateReaders,
  keyId: (fields, _effect, where) => {
    const keyId = readHex(fields.keyId, within(where, 'keyId'))
    return { match: { keyId }, matcher: { kind: kinds.keyId, key: `key:${keyId}` } }
  },
}

export const clientReaders: Readers<
  CertificateKind | 'sanDns' | 'sanEmail' | 'sanUri' | 'serial',
  ClientAclMatch
> = {
  ...certificateReaders,
  sanDns: (fields, _effect, where) => {
    const sanDns = readPattern(fields.sanDns, /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/, {
      where: within(where, 'sanDns'),
      expected: 'a DNS name, or * for any',
    })
    const key = sanDns === '*' ? anyDns : dnsFact(sanDns)
    return { match: { sanDns }, matcher: { kind: kinds.alternativeNames, key } }
  },
  sanEmail: (fields, effect, where) => {
    const sanEmail = readPattern(fields.sanEmail, /^[^\s*@]+@[^\s*@]+$/, {
      where: within(where, 'sanEmail'),
      expected: 'an e-mail address, or * for any',
    })
    const fact = effect === 'deny' ? foldedEmailFact : emailFact
    const key = sanEmail === '*' ? anyEmail : fact(sanEmail)
    return { match: { sanEmail }, matcher: { kind: kinds.alternativeNames, key } }
  },
  sanUri: (fields, _effect, where) => {
    const at = within(where, 'sanUri')
    const sanUri = readPattern(fields.sanUri, /^[A-Za-z][A-Za-z0-9+.-]*:[^\s*]+(?:\/\*)?$/, {
      where: at,
      expected: 'a URI, * for any, or spiffe://domain/path/*',
    })
    const key = sanUri === '*' ? anyUri : uriKey(sanUri, at)
    return { match: { sanUri }, matcher: { kind: kinds.alternativeNames, key } }
  },
  serial: (fields, _effect, where) => {
    const serial = stripZeros(readHex(fields.serial, within(where, 'serial')))
    const { text, name } = readDistinguishedName(fields.issuer, within(where, 'issuer'))
    return {
      match: { serial, issuer: text },
      matcher: { kind: kinds.serial, key: serialFact(serial, name) },
    }
  },
}

/** Fields that stand beside the one that names the match. */
export const companions: Readonly<Record<string, readonly string[]>> = { serial: ['issuer'] }

/** Allow: the same signed bytes. Deny: the same subject and key, whichever certificate says so. */
export function matchCertificate(certificate: Certificate, effect: AclEffect): Matcher {
  const { subject, subjectPublicKeyInfo, der } = certificate.tbsCertificate
  return {
    kind: kinds.name,
    key: nameFact(subject),
    name: subject,
    test:
      effect === 'deny'
        ? (other) => other.spki !== undefined && bytesEqual(other.spki, subjectPublicKeyInfo.der)
        : (other) =>
            other.certificate !== undefined &&
            bytesEqual(other.certificate.tbsCertificate.der, der),
  }
}

export function readDistinguishedName(value: unknown, where: Where): { text: string; name: Name } {
  const expected = 'a distinguished name such as CN=Issuing CA,O=Example,C=DE'
  if (typeof value !== 'string' || value.length > limits.line) throw invalid(where, expected)
  const parsed = parseNameText(value)
  // The empty name would match every CA without one.
  if (!parsed.ok || parsed.value.rdns.length === 0) throw invalid(where, expected)
  return { text: value, name: parsed.value }
}

export function readDigest(value: unknown, where: Where): string {
  const expected = 'a SHA-256 digest: 64 hexadecimal digits, colons allowed'
  const hex = typeof value === 'string' ? plainHex(value) : undefined
  if (hex === undefined || hex.length !== 64) throw invalid(where, expected)
  return hex
}

function readHex(value: unknown, where: Where): string {
  const hex = typeof value === 'string' ? plainHex(value) : undefined
  if (hex === undefined || hex.length > 2048) {
    throw invalid(where, 'pairs of hexadecimal digits, colons allowed')
  }
  return hex
}

/** Lower case, without the colons that OpenSSL prints between octets. */
function plainHex(text: string): string | undefined {
  const plain = /^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})+$/.test(text) ? text.replaceAll(':', '') : text
  const bytes = plain === '' ? undefined : fromHex(plain)
  return bytes === undefined ? undefined : toHex(bytes)
}

function readCertificate(value: unknown, where: Where): Certificate {
  const expected = 'one certificate as PEM or as base64 of its DER'
  if (typeof value !== 'string' || value.length > limits.line) throw invalid(where, expected)
  const armoured = /^\s*-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----\s*$/.exec(value)
  const der = decodeBase64(armoured?.[1] ?? value)
  const parsed = der === undefined ? undefined : parseCertificate(der)
  if (!parsed?.ok) throw invalid(where, expected)
  return parsed.value
}

function readAttributes(
  value: unknown,
  where: Where,
): ReadMatch<{ readonly attributes: AttributePatterns }> {
  const expected = 'attribute types with a value each, such as { "CN": "Issuing CA", "O": "*" }'
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(where, expected)
  }
  const attributes = new Map<string, string | readonly string[]>()
  const parts: Part[] = []
  for (const [type, wanted] of Object.entries(value)) {
    const at = within(where, type)
    const values: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted]
    if (values.length === 0) throw invalid(at, 'a text')
    const texts = values.map((text) => {
      if (typeof text !== 'string' || text === '') throw invalid(at, 'a text that is not empty')
      return text
    })
    for (const text of texts) {
      const attribute = readAttribute(type, text === '*' ? 'x' : text, at)
      const key = text === '*' ? attributeTypeFact(attribute.type) : attributeFact(attribute)
      parts.push({ key, type: attribute.type, text })
    }
    attributes.set(type, texts.length > 1 ? Object.freeze(texts) : (texts[0] as string))
  }
  const [key, ...also] = parts.map((part) => part.key)
  if (key === undefined || also.length >= limits.attributes) {
    throw invalid(where, key === undefined ? expected : `at most ${limits.attributes} attributes`)
  }
  return {
    match: { attributes: Object.freeze(Object.fromEntries(attributes)) },
    matcher: { kind: kinds.attributes, key, also, parts },
  }
}

function readAttribute(type: string, value: string, where: Where): AttributeTypeAndValue {
  const expected = 'an attribute type such as CN, O or 2.5.4.3'
  if (!/^(?:[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)+)$/.test(type)) throw invalid(where, expected)
  const parsed = parseNameText(`${type}=${escapeValue(value)}`)
  const attribute = parsed.ok ? parsed.value.rdns[0]?.[0] : undefined
  if (attribute === undefined) throw invalid(where, expected)
  return attribute
}

/** RFC 4514 §2.4; a space anywhere may be escaped, and a leading `#` must be. */
function escapeValue(value: string): string {
  return value.replace(/[\\",+;<>=# ]/g, '\\$&').replaceAll('\0', '\\00')
}

function readPattern(
  value: unknown,
  shape: RegExp,
  { where, expected }: { where: Where; expected: string },
): string {
  if (typeof value !== 'string' || value.length > limits.line) throw invalid(where, expected)
  if (value !== '*' && !shape.test(value)) throw invalid(where, expected)
  return value
}

function uriKey(uri: string, where: Where): string {
  if (!uri.endsWith('/*')) return uriFact(uri)
  const prefix = uri.slice(0, -1)
  const depth = prefix.split('/').length - 4
  // Other schemes have no rule that keeps one path from having two spellings.
  if (!/^spiffe:\/\/[^/]+\//i.test(prefix) || !isPlainPath(prefix.slice(0, -1))) {
    throw invalid(where, 'spiffe://domain/path/* with plain path segments')
  }
  if (depth > limits.uriSegments) {
    throw invalid(where, `at most ${limits.uriSegments} path segments`)
  }
  return uriPrefixFact(prefix)
}
