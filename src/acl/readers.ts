/** One match, read from its JSON form: loaded by who parses an ACL, not by who only decides. @module */

import { decodeBase64, encodeBase64 } from '../base/base64.ts'
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
  serialFact,
  stripZeros,
  uriFact,
  uriPrefixFact,
} from './facts.ts'
import { type Matcher, matchCertificate, type Part } from './matcher.ts'
import { invalid, type Where, within } from './misuse.ts'

export interface ReadMatch<M> {
  /** In its normal form. */
  readonly match: M
  readonly matcher: Matcher
}

export type Fields = Readonly<Record<string, unknown>>
export type MatchReader<M> = (fields: Fields, effect: AclEffect, where: Where) => ReadMatch<M>

type Readers<K extends string, M> = { readonly [N in K]: MatchReader<M> }
type CertificateKind =
  | 'dn'
  | 'attributes'
  | 'spkiSha256'
  | 'certificateSha256'
  | 'tbsSha256'
  | 'certificate'

/** How the text of a field is read; `undefined` when it is not as `expected` says. */
type Format<T> = readonly [expected: string, read: (text: string) => T | undefined]

export function readField<T>(
  fields: Fields,
  name: string,
  where: Where,
  [expected, read]: Format<T>,
): T {
  const text = fields[name]
  const value = typeof text === 'string' && text.length <= limits.line ? read(text) : undefined
  if (value === undefined) throw invalid(within(where, name), expected)
  return value
}

export const nameFormat: Format<Name> = [
  'a name such as CN=Issuing CA,O=Example,C=DE',
  (text) => {
    const parsed = parseNameText(text)
    // The empty name would match every CA without one.
    return parsed.ok && parsed.value.rdns.length > 0 ? parsed.value : undefined
  },
]

const hexFormat: Format<string> = [
  'pairs of hexadecimal digits, colons allowed',
  (text) => {
    const hex = plainHex(text)
    return hex !== undefined && hex.length <= 2048 ? hex : undefined
  },
]

export const digestFormat: Format<string> = [
  'a SHA-256 digest: 64 hexadecimal digits, colons allowed',
  (text) => {
    const hex = plainHex(text)
    return hex?.length === 64 ? hex : undefined
  },
]

const certificateFormat: Format<Certificate> = [
  'one certificate as PEM or as base64 of its DER',
  (text) => {
    const armoured = /^\s*-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----\s*$/.exec(
      text,
    )
    const der = decodeBase64(armoured?.[1] ?? text)
    const parsed = der && parseCertificate(der)
    return parsed?.ok ? parsed.value : undefined
  },
]

/** `*` alone stands for any. */
function patternFormat(expected: string, shape: RegExp): Format<string> {
  return [expected, (text) => (text === '*' || shape.test(text) ? text : undefined)]
}

/** A match by one field that is looked up as it is written in its normal form. */
function byText<N extends string>(
  name: N,
  kind: number,
  format: Format<string>,
  keyOf: (value: string, effect: AclEffect) => string,
): MatchReader<Readonly<Record<N, string>>> {
  return (fields, effect, where) => {
    const value = readField(fields, name, where, format)
    const match = { [name]: value } as Readonly<Record<N, string>>
    return { match, matcher: { kind, key: keyOf(value, effect) } }
  }
}

export const certificateReaders: Readers<CertificateKind, CertificateMatch> = {
  dn: (fields, _effect, where) => {
    const name = readField(fields, 'dn', where, nameFormat)
    const matcher = { kind: kinds.name, key: nameFact(name), name }
    return { match: { dn: fields.dn as string }, matcher }
  },
  attributes: (fields, _effect, where) =>
    readAttributes(fields.attributes, within(where, 'attributes')),
  spkiSha256: byText('spkiSha256', kinds.spki, digestFormat, (digest) => `spki:${digest}`),
  certificateSha256: byText(
    'certificateSha256',
    kinds.fingerprint,
    digestFormat,
    (digest) => `certificate:${digest}`,
  ),
  tbsSha256: byText('tbsSha256', kinds.tbs, digestFormat, (digest) => `tbs:${digest}`),
  certificate: (fields, effect, where) => {
    const certificate = readField(fields, 'certificate', where, certificateFormat)
    return {
      match: { certificate: encodeBase64(certificate.der) },
      matcher: matchCertificate(certificate, effect),
    }
  },
}

export const issuerReaders: Readers<CertificateKind | 'keyId', IssuerAclMatch> = {
  ...certificateReaders,
  keyId: byText('keyId', kinds.keyId, hexFormat, (keyId) => `key:${keyId}`),
}

export const clientReaders: Readers<
  CertificateKind | 'sanDns' | 'sanEmail' | 'sanUri' | 'serial',
  ClientAclMatch
> = {
  ...certificateReaders,
  sanDns: byText(
    'sanDns',
    kinds.alternativeNames,
    patternFormat('a DNS name, or * for any', /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/),
    (name) => (name === '*' ? anyDns : dnsFact(name)),
  ),
  sanEmail: byText(
    'sanEmail',
    kinds.alternativeNames,
    patternFormat('an e-mail address, or * for any', /^[^\s*@]+@[^\s*@]+$/),
    (address, effect) => {
      if (address === '*') return anyEmail
      return effect === 'deny' ? foldedEmailFact(address) : emailFact(address)
    },
  ),
  sanUri: byText(
    'sanUri',
    kinds.alternativeNames,
    [
      `a URI, * for any, or spiffe://domain/path/* with at most ${limits.uriSegments} plain segments`,
      (text) => (text === '*' || isUriPattern(text) ? text : undefined),
    ],
    (uri) => {
      if (uri === '*') return anyUri
      return uri.endsWith('/*') ? uriPrefixFact(uri.slice(0, -1)) : uriFact(uri)
    },
  ),
  serial: (fields, _effect, where) => {
    const serial = stripZeros(readField(fields, 'serial', where, hexFormat))
    const issuer = readField(fields, 'issuer', where, nameFormat)
    return {
      match: { serial, issuer: fields.issuer as string },
      matcher: { kind: kinds.serial, key: serialFact(serial, issuer) },
    }
  },
}

/** Fields that stand beside the one that names the match. */
export const companions: Readonly<Record<string, readonly string[]>> = { serial: ['issuer'] }

/** Lower case, without the colons that OpenSSL prints between octets. */
function plainHex(text: string): string | undefined {
  const plain = /^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})+$/.test(text) ? text.replaceAll(':', '') : text
  const bytes = plain === '' ? undefined : fromHex(plain)
  return bytes === undefined ? undefined : toHex(bytes)
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

function isUriPattern(text: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:[^\s*]+(?:\/\*)?$/.test(text)) return false
  if (!text.endsWith('/*')) return true
  const prefix = text.slice(0, -2)
  // Other schemes have no rule that keeps one path from having two spellings.
  return (
    /^spiffe:\/\/[^/]+(?:\/|$)/i.test(prefix) &&
    isPlainPath(prefix) &&
    prefix.split('/').length - 3 <= limits.uriSegments
  )
}
