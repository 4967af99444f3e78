/** Entries of a kill list: what a caller writes, and what of it is looked up. @module */

import { decodeBase64 } from '../base/base64.ts'
import { fromHex, toHex } from '../base/hex.ts'
import type { Certificate } from '../x509/certificate.ts'
import { readCertificateInput } from '../x509/input.ts'
import type { Name } from '../x509/name.ts'
import { nameKey } from '../x509/name-match.ts'
import { parseNameText } from '../x509/name-text.ts'
import { parseCertificate } from '../x509/parse-certificate.ts'

interface Fields {
  /** RFC 4514 text as `formatName` writes it, or `/C=…/CN=…`; compared by RFC 5280 §7.1. Alone: every certificate below a CA of that name. */
  issuer: string
  /** Hexadecimal, with or without `0x`, colons, spaces, leading zeros and a minus sign; or the number. */
  serialNumber: string | bigint
  /** SHA-256 of a SubjectPublicKeyInfo's DER, hexadecimal or base64: this key, whichever certificate holds it. */
  spkiSha256: string
  /** SHA-256 of a certificate, hexadecimal or base64. Its ECDSA signature rewritten changes nothing. */
  certificateSha256: string
  /** One certificate as PEM, DER or parsed: these signed octets, whatever the signature over them. */
  certificate: string | Uint8Array | Certificate
  /** As `spkiSha256`, of a CA: every certificate below that key. */
  issuerSpkiSha256: string
}

type Exactly<K extends keyof Fields> = { readonly [F in K]: Fields[F] } & {
  readonly [F in Exclude<keyof Fields, K>]?: never
}

/** Who must not come in. All but `issuer` alone and `issuerSpkiSha256` speak of one certificate or key, of a client or of a CA above it. */
export type KillListEntry = (
  | Exactly<'issuer' | 'serialNumber'>
  | Exactly<'spkiSha256'>
  | Exactly<'certificateSha256'>
  | Exactly<'certificate'>
  | Exactly<'issuer'>
  | Exactly<'issuerSpkiSha256'>
) & {
  /** For operators; no client is told. */
  readonly note?: string | undefined
  /** The last second in which the entry counts; fractions are dropped. Absent: it always does. */
  readonly expires?: Date | undefined
}

/** A `TypeError` with `code: 'kill-list-invalid'`, the entry's `index` in what was given, the `field`, and what was `expected`. */
export interface KillListInvalid extends TypeError {
  readonly code: 'kill-list-invalid'
  readonly index: number
  readonly field: string
  readonly expected: string
}

/** What an entry is looked up by. */
export type Kind = 'serial' | 'certificate' | 'spki' | 'fingerprint' | 'issuerName' | 'issuerSpki'

export interface ReadKillEntry {
  /** A copy, frozen. */
  readonly entry: KillListEntry
  readonly kind: Kind
  readonly key: string
  /** For kind `serial`, of the name of who gave the number. */
  readonly issuerKey?: string
  /** For kind `certificate`: the signed octets. */
  readonly tbs?: Uint8Array
  /** Unix seconds, the last one that counts. */
  readonly expires: number
}

/**
 * Reads one entry.
 *
 * @throws TypeError with code `kill-list-invalid`.
 */
export function readKillEntry(given: unknown, index: number): ReadKillEntry {
  const refuse: Refuse = (field, expected) => {
    const message = `kill list entry ${index}${field && ` ${field}`}: expected ${expected}`
    const facts = { code: 'kill-list-invalid', index, field, expected }
    throw Object.assign(new TypeError(message), facts)
  }
  if (typeof given !== 'object' || given === null) return refuse('', 'an object')
  const { note, expires, ...fields }: Readonly<Record<string, unknown>> = { ...given }
  if (note !== undefined && typeof note !== 'string') return refuse('note', 'a text')
  if (expires !== undefined && !(expires instanceof Date && !Number.isNaN(expires.getTime()))) {
    return refuse('expires', 'a valid Date')
  }
  const names = Object.keys(fields).sort().join()
  const read = Object.hasOwn(readers, names) ? readers[names] : undefined
  if (read === undefined) {
    return refuse('', `one of ${Object.keys(readers).join(' | ')}, and no other field`)
  }
  const { given: own, ...what } = read(fields, refuse)
  return {
    ...what,
    entry: Object.freeze({
      ...own,
      ...(note === undefined ? {} : { note }),
      ...(expires === undefined ? {} : { expires: new Date(expires.getTime()) }),
    }),
    expires: expires === undefined ? Number.MAX_SAFE_INTEGER : secondsOf(expires),
  }
}

/** Serial numbers by their octets: a negative one has the digits of a positive one, and is killed under both. */
export function serialKeyOf({ tbsCertificate }: Certificate): string {
  return withoutZeros(toHex(tbsCertificate.serialNumber))
}

function withoutZeros(digits: string): string {
  return digits.startsWith('0') ? digits.replace(/^0+(?=.)/, '') : digits
}

type Refuse = (field: string, expected: string) => never
type Given = Readonly<Record<string, unknown>>
type Reader = (
  fields: Given,
  refuse: Refuse,
) => Pick<ReadKillEntry, 'kind' | 'key' | 'issuerKey' | 'tbs'> & { readonly given: KillListEntry }

/** By the names of an entry's fields, in alphabetical order. */
const readers: Readonly<Record<string, Reader>> = {
  'issuer,serialNumber': ({ issuer, serialNumber }, refuse) => {
    const name = readName(issuer, refuse)
    const digits = serialDigits(serialNumber)
    if (digits === undefined) return refuse('serialNumber', 'hexadecimal digits, or a bigint')
    return {
      kind: 'serial',
      key: withoutZeros(digits),
      issuerKey: nameKey(name),
      given: { issuer: issuer as string, serialNumber: serialNumber as string | bigint },
    }
  },
  spkiSha256: /* @__PURE__ */ byDigest('spki', 'spkiSha256'),
  certificateSha256: /* @__PURE__ */ byDigest('fingerprint', 'certificateSha256'),
  certificate: ({ certificate }, refuse) => {
    const parsed = readCertificate(certificate)
    if (parsed === undefined) {
      return refuse('certificate', 'one certificate as PEM, DER, base64 of DER, or parsed')
    }
    return {
      kind: 'certificate',
      key: serialKeyOf(parsed),
      tbs: parsed.tbsCertificate.der,
      given: { certificate: typeof certificate === 'string' ? certificate : parsed.der },
    }
  },
  issuer: ({ issuer }, refuse) => ({
    kind: 'issuerName',
    key: nameKey(readName(issuer, refuse)),
    given: { issuer: issuer as string },
  }),
  issuerSpkiSha256: /* @__PURE__ */ byDigest('issuerSpki', 'issuerSpkiSha256'),
}

function byDigest(
  kind: Kind,
  field: 'spkiSha256' | 'certificateSha256' | 'issuerSpkiSha256',
): Reader {
  return (fields, refuse) => {
    const text = fields[field]
    const key = typeof text === 'string' ? digestOf(text) : undefined
    if (key === undefined) {
      return refuse(field, 'a SHA-256 digest: 64 hexadecimal digits, colons allowed, or base64')
    }
    return { kind, key, given: { [field]: text } as unknown as KillListEntry }
  }
}

/** Lower-case hexadecimal of 32 octets. */
function digestOf(text: string): string | undefined {
  // Local limit: twice what a digest with a colon behind each octet takes.
  if (text.length > 192) return undefined
  const octets = fromHex(text.replace(/[:\s]/g, '')) ?? decodeBase64(text)
  return octets?.length === 32 ? toHex(octets) : undefined
}

function readName(text: unknown, refuse: Refuse): Name {
  const parsed = typeof text === 'string' ? parseNameText(text) : undefined
  // The empty name would match every CA without one.
  return parsed?.ok && parsed.value.rdns.length > 0
    ? parsed.value
    : refuse('issuer', 'a name such as CN=Issuing CA,O=Example,C=DE')
}

/** Hexadecimal digits of the INTEGER's octets. */
function serialDigits(serial: unknown): string | undefined {
  if (typeof serial === 'bigint') return integerDigits(serial)
  if (typeof serial !== 'string') return undefined
  const [, minus, digits] = /^(-?)(?:0x)?([0-9a-f]+)$/i.exec(serial.replace(/[:\s]/g, '')) ?? []
  // Local limit: a hundred times what RFC 5280 §4.1.2.2 allows.
  if (digits === undefined || digits.length > 4096) return undefined
  const number = BigInt(`0x${digits}`)
  return integerDigits(minus === '-' ? -number : number)
}

/** X.690 8.3.3: two's complement. Zeros in front do not matter here. */
function integerDigits(number: bigint): string {
  if (number >= 0n) return number.toString(16)
  // The fewest octets that hold -number - 1 and a sign.
  const octets = (((-number - 1n) << 1n).toString(16).length + 1) >> 1
  return BigInt.asUintN(8 * octets, number).toString(16)
}

/** Exactly one, with octets of its own: what stands in the list must not change with the caller's buffer. */
function readCertificate(given: unknown): Certificate | undefined {
  const source = typeof given === 'object' && given !== null && 'der' in given ? given.der : given
  if (typeof source !== 'string' && !(source instanceof Uint8Array)) return undefined
  const input = readCertificateInput(source)
  if (!input.ok || input.value.damaged !== undefined) return undefined
  const [der, ...others] = input.value.certificates
  if (der === undefined || others.length > 0) return undefined
  const parsed = parseCertificate(new Uint8Array(der))
  return parsed.ok ? parsed.value : undefined
}

function secondsOf(time: Date): number {
  return Math.floor(time.getTime() / 1000)
}
