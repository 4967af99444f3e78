/**
 * A certificate in a header: the source that all presets are made of, and the one to describe any other proxy with.
 *
 * Built in, whatever the description says: only a trusted proxy is believed; one line of each header; no twin of any; a proxy's good
 * word is an extra condition and never takes the place of a certificate; what two headers say must fit together. Whether a certificate
 * is a good one, and whether those after it are its chain, is not judged here.
 *
 * @module
 */

import { bytesEqual } from '../../base/bytes.ts'
import { fromHex, toHex } from '../../base/hex.ts'
import { failed, type Result, success } from '../../base/result.ts'
import { misuse } from '../../client/misuse.ts'
import type { AssertedIdentity } from '../asserted.ts'
import type { ForwardingFailure } from '../failure.ts'
import { decodeExactBase64 } from '../headers/der.ts'
import { type CertificateEncoding, readers } from '../headers/encodings.ts'
import {
  maxCertificates,
  maxHeaderLength,
  type ReadCertificates,
  type ReadFailure,
} from '../headers/limits.ts'
import { sha256 } from '../headers/sha256.ts'
import { HeaderLines } from '../lines.ts'
import { absentByProxy, trustedHeaders } from '../proxy-trust.ts'
import type { HttpRequest } from '../request.ts'
import { type ClientCertificateSource, type Found, unbelievable } from '../source.ts'
import type { ProxyTrust } from '../trust.ts'
import { checkFlag, checkOneOf, checkOptionNames } from './options.ts'

export interface FromHeaderOptions {
  /** For logs and metrics. Default `header`. */
  readonly name?: string | undefined
  /** Who may write these headers. */
  readonly trust: ProxyTrust
  readonly certificate: CertificateHeader
  readonly chain?: ChainHeader | undefined
  readonly verdict?: VerdictHeader | undefined
  readonly presence?: PresenceHeader | undefined
  /** Headers by which the proxy says that something was too large to be passed on. */
  readonly tooLarge?: readonly TooLargeHeader[] | undefined
  /** SHA-256 of the certificate: where the proxy sends it, it must be that. */
  readonly hash?: HashHeader | undefined
  /** What a proxy may say of a client whose certificate it does not pass on. */
  readonly identity?: IdentityHeaders | undefined
  /**
   * Whether names without a certificate are taken on the proxy's word alone, and answered as `asserted`. Default false: such a
   * request is refused with `identity-only`.
   */
  readonly assertedIdentity?: boolean | undefined
  /** Other headers of the proxy, not read, but taken away before the request goes on. */
  readonly others?: readonly string[] | undefined
}

export interface CertificateHeader {
  readonly header: string
  readonly encoding: CertificateEncoding
  /** Whole values that mean that there is none. Default: the empty one. */
  readonly absent?: readonly string[] | undefined
  /** Whether the proxy sends a line for every request, so that no line at all is `header-missing`. Default false. */
  readonly always?: boolean | undefined
  /** Whether the chain comes in the same header, after the certificate. Default false: more than one is refused. */
  readonly withChain?: boolean | undefined
}

export interface ChainHeader {
  /** One header, or one for each certificate, in this order and without gaps. */
  readonly header: string | readonly string[]
  /** Only `rfc9440-list` may come in several lines. */
  readonly encoding: CertificateEncoding
  /** Whole values that mean that there is none. Default: the empty one. */
  readonly absent?: readonly string[] | undefined
}

/** Sent with every request, or it is `header-missing`. A value that is named nowhere here is `proxy-refused`. */
export interface VerdictHeader {
  readonly header: string
  /** Whole values, case and all. */
  readonly success: readonly string[]
  /** Values that mean that there was no certificate. One may be in both lists, as the `0` of HAProxy is. */
  readonly absent?: readonly string[] | undefined
  /** Values of `absent` that also mean a bad certificate, where one is there. */
  readonly refused?: readonly string[] | undefined
}

export interface PresenceHeader {
  readonly header: string
  readonly yes: string
  readonly no: string
  /** Whether the proxy sends it with every request, so that its absence is `header-missing`. */
  readonly always: boolean
  /** Whether `yes` without a certificate means that it was too large (`proxy-omitted-certificate`); else it contradicts. */
  readonly omitted?: boolean | undefined
}

export interface TooLargeHeader {
  readonly header: string
  /** What the value ends with when it is so. */
  readonly endsWith: string
}

export interface HashHeader {
  readonly header: string
  /** `base64`: with or without its padding. */
  readonly encoding: 'hex' | 'base64'
}

export interface IdentityHeaders {
  readonly subject?: string | undefined
  readonly issuer?: string | undefined
  /** Hexadecimal, with or without colons. */
  readonly serialNumber?: string | undefined
  /** One URI. */
  readonly uri?: string | undefined
}

/**
 * A source for a proxy that has no preset.
 *
 * @throws TypeError with a `code` when an option is missing, unknown, of the wrong type, or names a header twice.
 * @example
 * const source = fromHeader({
 *   name: 'f5',
 *   trust: { addresses: ['10.0.0.0/8'] },
 *   certificate: { header: 'X-Client-Certificate', encoding: 'base64-der' },
 *   verdict: { header: 'X-Client-Verify', success: ['ok'], absent: ['none'] },
 * })
 * console.log(source.name, source.headers.length) // f5 2
 */
export function fromHeader(options: FromHeaderOptions): ClientCertificateSource {
  const plan = planOf(options)
  const trusted = trustedHeaders(options.trust, plan.headers)
  const others = (options.others ?? []).map((header) => header.toLowerCase())
  return {
    name: plan.name,
    headers: [...trusted.names, ...others],
    read: (request: HttpRequest) => {
      const lines = trusted.read(request)
      return lines instanceof HeaderLines ? find(plan, lines) : lines
    },
  }
}

/** The description with positions of lines in place of names; what is not described is -1. */
interface Plan {
  readonly name: string
  readonly headers: readonly string[]
  readonly certificate: CertificateHeader
  /** Of the certificate's header. */
  readonly leafAbsent: readonly string[]
  readonly chain: ChainPlan | undefined
  readonly verdict: (VerdictHeader & { readonly at: number }) | undefined
  readonly presence: (PresenceHeader & { readonly at: number }) | undefined
  readonly tooLarge: readonly (TooLargeHeader & { readonly at: number })[]
  readonly hash: (HashHeader & { readonly at: number }) | undefined
  readonly identity: readonly { readonly field: keyof IdentityHeaders; readonly at: number }[]
  readonly assertedIdentity: boolean
}

interface ChainPlan {
  readonly encoding: CertificateEncoding
  readonly absent: readonly string[]
  readonly at: readonly number[]
}

/** Position of the certificate's own header. */
const leafAt = 0

function find(plan: Plan, lines: HeaderLines): Found {
  const repeated = repeatedHeader(plan, lines)
  if (repeated !== undefined) return repeated
  const { values } = lines
  const { verdict, presence } = plan
  const leafLine = values[leafAt]
  const verdictWord = verdict === undefined ? undefined : values[verdict.at]
  const presenceWord = presence === undefined ? undefined : values[presence.at]
  if (verdict !== undefined && verdictWord === undefined) return missing(lines, verdict.at)
  if (presence?.always && presenceWord === undefined) return missing(lines, presence.at)
  if (plan.certificate.always && leafLine === undefined) return missing(lines, leafAt)

  let isPresent: boolean | undefined
  if (presence !== undefined && presenceWord !== undefined) {
    isPresent = presenceWord === presence.yes
    if (!isPresent && presenceWord !== presence.no) return notPresence(lines, presence)
  }
  for (const { at, endsWith } of plan.tooLarge) {
    if (values[at]?.endsWith(endsWith)) {
      return unbelievable({ code: 'proxy-omitted-certificate', header: nameOf(lines, at) })
    }
  }
  const leaf = leafLine === undefined || plan.leafAbsent.includes(leafLine) ? undefined : leafLine
  let saysAbsent = false
  if (verdict !== undefined && verdictWord !== undefined) {
    const saysGood = verdict.success.includes(verdictWord)
    saysAbsent = verdict.absent?.includes(verdictWord) === true
    const nobody = leaf === undefined && isPresent !== true
    if (!saysGood && !(saysAbsent && (nobody || !verdict.refused?.includes(verdictWord)))) {
      return refused(lines, verdict, verdictWord)
    }
    // One word for both: the certificate itself tells.
    if (saysGood && saysAbsent) saysAbsent = nobody
    else if (saysAbsent && leaf !== undefined) return contradict(lines, verdict.at, leafAt)
    if (saysAbsent && isPresent === true && presence !== undefined) {
      return contradict(lines, presence.at, verdict.at)
    }
    if (saysGood && !saysAbsent && isPresent === false && presence !== undefined) {
      return contradict(lines, leaf === undefined ? verdict.at : leafAt, presence.at)
    }
  }
  if (leaf === undefined) return withoutLeaf(plan, lines, isPresent, saysAbsent)
  if (isPresent === false && presence !== undefined) return contradict(lines, presence.at, leafAt)
  return withLeaf(plan, lines, leaf)
}

/** Names, hashes and chains are of somebody: without a certificate they stand alone, or contradict who says that nobody came. */
function withoutLeaf(
  plan: Plan,
  lines: HeaderLines,
  isPresent: boolean | undefined,
  saysAbsent: boolean,
): Found {
  const { verdict, presence, chain, hash } = plan
  const named = plan.identity.find(({ at }) => Boolean(lines.values[at]))?.at
  const identityAt = named ?? (hash !== undefined && lines.values[hash.at] ? hash.at : undefined)
  const chainAt = chain?.at.find((at) => isGiven(lines.values[at], chain.absent))
  if (saysAbsent || isPresent === false) {
    const somebody = identityAt ?? chainAt
    if (somebody === undefined) return absentByProxy
    return contradict(lines, somebody, isPresent === false ? (presence?.at ?? leafAt) : leafAt)
  }
  if (isPresent === true && presence?.omitted) {
    return unbelievable({ code: 'proxy-omitted-certificate', header: nameOf(lines, leafAt) })
  }
  if (identityAt !== undefined) return identityOnly(plan, lines, identityAt)
  if (chainAt !== undefined) return contradict(lines, chainAt, leafAt)
  if (isPresent === true && presence !== undefined) return contradict(lines, presence.at, leafAt)
  return verdict === undefined ? absentByProxy : contradict(lines, verdict.at, leafAt)
}

function withLeaf(plan: Plan, lines: HeaderLines, leaf: string): Found {
  const { chain, hash } = plan
  if (leaf.length > maxHeaderLength) return tooLarge(lines, leafAt)
  const hashLine = hash === undefined ? undefined : lines.values[hash.at]
  if (hash !== undefined && hashLine !== undefined && hashLine.length > maxHeaderLength) {
    return tooLarge(lines, hash.at)
  }
  const links = chain === undefined ? none : linksOf(chain, lines)
  if (!links.ok) return unbelievable(links.failure)
  const rest = links.value
  const isAlone = rest.length === 0 && !hashLine
  const key = isAlone ? leaf : [leaf, hashLine ?? '', ...rest.map(({ value }) => value)].join('\n')
  // A line feed would let one list of values pass for another; no HTTP parser lets it through.
  const breaks = isAlone ? 0 : rest.length + 1
  if (countBreaks(key) !== breaks) {
    return malformedAt(lines, leafAt, 'no line feed')
  }
  const names = lines.names
  return {
    kind: 'presented',
    key,
    read: () => readAll(plan, names, leaf, hashLine, rest),
  }
}

interface Link {
  readonly at: number
  readonly value: string
}

/** Values of the chain's headers; those that may repeat, line by line. */
function linksOf(chain: ChainPlan, lines: HeaderLines): Result<readonly Link[], ForwardingFailure> {
  const links: Link[] = []
  let gap: number | undefined
  for (const at of chain.at) {
    let length = 0
    let isEmpty = true
    for (const value of lines.all(at)) {
      if (!isGiven(value, chain.absent)) continue
      isEmpty = false
      length += value.length
      if (length > maxHeaderLength) {
        const header = nameOf(lines, at)
        return failed({ code: 'header-too-large', header, maximum: maxHeaderLength })
      }
      if (gap !== undefined) {
        const [header, other] = [nameOf(lines, at), nameOf(lines, gap)]
        return failed({ code: 'headers-contradict', header, other })
      }
      links.push({ at, value })
    }
    if (isEmpty) gap ??= at
  }
  return links.length === 0 ? none : success(links)
}

function readAll(
  plan: Plan,
  names: readonly string[],
  leaf: string,
  hashLine: string | undefined,
  rest: readonly Link[],
): Result<readonly Uint8Array[], ForwardingFailure> {
  const { certificate, chain, hash } = plan
  const own = readers[certificate.encoding](leaf)
  if (!own.ok) return failed(failureOf(names, leafAt, own.failure))
  const [first] = own.value
  if (first === undefined || (own.value.length > 1 && !certificate.withChain)) {
    const expected = 'exactly one certificate'
    return failed({ code: 'header-malformed', header: names[leafAt] as string, expected })
  }
  if (hash !== undefined && hashLine) {
    const stated = decodeHash(hash, hashLine)
    const header = names[hash.at] as string
    if (stated === undefined) {
      const expected = `SHA-256 in ${hash.encoding}`
      return failed({ code: 'header-malformed', header, expected })
    }
    if (!bytesEqual(stated, sha256(first))) {
      return failed({ code: 'headers-contradict', header, other: names[leafAt] as string })
    }
  }
  if (chain === undefined || rest.length === 0) return own
  const certificates = [...own.value]
  const isList = chain.encoding === 'rfc9440-list'
  const texts = isList
    ? [{ at: chain.at[0] as number, value: rest.map(({ value }) => value).join(',') }]
    : rest
  let count = 0
  for (const { at, value } of texts) {
    const read: ReadCertificates = readers[chain.encoding](value)
    if (!read.ok) return failed(failureOf(names, at, read.failure))
    count += read.value.length
    if (count > maxCertificates) {
      const header = names[at] as string
      return failed({ code: 'header-too-many-certificates', header, maximum: maxCertificates })
    }
    certificates.push(...read.value)
  }
  return success(certificates)
}

/** The proxy's word is all there is. */
function identityOnly(plan: Plan, lines: HeaderLines, at: number): Found {
  if (!plan.assertedIdentity) {
    return unbelievable({ code: 'identity-only', header: nameOf(lines, at) })
  }
  const fields: { -readonly [F in keyof AssertedIdentity]?: AssertedIdentity[F] } = {}
  for (const { field, at: position } of plan.identity) {
    const value = lines.values[position]
    if (!value) continue
    if (value.length > maxHeaderLength) return tooLarge(lines, position)
    if (field === 'uri') fields.uris = [value]
    else if (field === 'serialNumber') {
      const digits = value.replaceAll(':', '').toLowerCase()
      if (!/^[0-9a-f]+$/.test(digits)) return malformedAt(lines, position, 'hexadecimal digits')
      fields.serialNumber = digits
    } else fields[field] = value
  }
  const hashLine = plan.hash && lines.values[plan.hash.at]
  if (plan.hash !== undefined && hashLine) {
    const octets = decodeHash(plan.hash, hashLine)
    if (octets === undefined) {
      return malformedAt(lines, plan.hash.at, `SHA-256 in ${plan.hash.encoding}`)
    }
    fields.fingerprint = toHex(octets)
  }
  return { kind: 'asserted', identity: { ...fields, asserted: true, by: plan.name } }
}

/** More than one line of what has one; only a list of structured fields may have several: RFC 9440 §2.3. */
function repeatedHeader(plan: Plan, lines: HeaderLines): Found | undefined {
  if (lines.repeated === undefined) return undefined
  for (const at of lines.repeated.keys()) {
    if (plan.chain?.encoding === 'rfc9440-list' && plan.chain.at.includes(at)) continue
    return unbelievable({ code: 'header-repeated', header: nameOf(lines, at) })
  }
  return undefined
}

/** Apache httpd joins a client's line and its own with a comma; no word of a verdict has one. */
function refused(
  lines: HeaderLines,
  { at, success: good, absent: none = [] }: VerdictHeader & { readonly at: number },
  word: string,
): Found {
  const header = nameOf(lines, at)
  if (joins(word, [...good, ...none])) return unbelievable({ code: 'header-repeated', header })
  const verdict = word.slice(0, 100).replace(/[^ -~]/g, '?')
  return unbelievable({ code: 'proxy-refused', header, verdict })
}

function notPresence(
  lines: HeaderLines,
  { at, yes, no }: PresenceHeader & { readonly at: number },
): Found {
  if (joins(lines.values[at] as string, [yes, no])) {
    return unbelievable({ code: 'header-repeated', header: nameOf(lines, at) })
  }
  return malformedAt(lines, at, `${yes} or ${no}`)
}

function joins(value: string, words: readonly string[]): boolean {
  const comma = value.indexOf(',')
  if (comma === -1) return false
  const last = value.slice(value.lastIndexOf(',') + 1).trim()
  return words.includes(value.slice(0, comma).trim()) || words.includes(last)
}

function decodeHash({ encoding }: HashHeader, text: string): Uint8Array | undefined {
  const octets =
    encoding === 'hex' ? fromHex(text) : decodeExactBase64(text.length === 43 ? `${text}=` : text)
  return octets?.length === 32 ? octets : undefined
}

function failureOf(
  names: readonly string[],
  at: number,
  { problem, expected }: ReadFailure,
): ForwardingFailure {
  const header = names[at] as string
  if (problem === 'repeated') return { code: 'header-repeated', header }
  if (problem === 'malformed') return { code: 'header-malformed', header, expected }
  return { code: 'header-too-many-certificates', header, maximum: maxCertificates }
}

function isGiven(value: string | undefined, absentValues: readonly string[]): value is string {
  return value !== undefined && !absentValues.includes(value)
}

function countBreaks(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++
  return count
}

function nameOf(lines: HeaderLines, at: number): string {
  return lines.names[at] as string
}

function missing(lines: HeaderLines, at: number): Found {
  return unbelievable({ code: 'header-missing', header: nameOf(lines, at) })
}

function tooLarge(lines: HeaderLines, at: number): Found {
  const header = nameOf(lines, at)
  return unbelievable({ code: 'header-too-large', header, maximum: maxHeaderLength })
}

function malformedAt(lines: HeaderLines, at: number, expected: string): Found {
  return unbelievable({ code: 'header-malformed', header: nameOf(lines, at), expected })
}

function contradict(lines: HeaderLines, at: number, other: number): Found {
  const header = nameOf(lines, at)
  return unbelievable({ code: 'headers-contradict', header, other: nameOf(lines, other) })
}

const none: { readonly ok: true; readonly value: readonly Link[] } = { ok: true, value: [] }

function planOf(options: FromHeaderOptions): Plan {
  checkOptionNames(options, optionNames)
  const { name = 'header', certificate, chain, verdict, presence, hash, identity } = options
  const headers: string[] = []
  const at = (header: string): number => headers.push(header) - 1
  if (typeof certificate !== 'object' || certificate === null) {
    throw misuse('option-missing', 'certificate must say which header has it', {
      option: 'certificate',
    })
  }
  at(certificate.header)
  checkEncoding('certificate.encoding', certificate.encoding)
  checkFlag('certificate.always', certificate.always)
  checkFlag('certificate.withChain', certificate.withChain)
  checkFlag('assertedIdentity', options.assertedIdentity)
  if (chain !== undefined) checkEncoding('chain.encoding', chain.encoding)
  if (verdict !== undefined) {
    checkWords('verdict.success', verdict.success)
    if (verdict.success.length === 0) {
      throw misuse('option-invalid', 'verdict.success must name a value', {
        option: 'verdict.success',
      })
    }
    checkWords('verdict.absent', verdict.absent ?? [])
    checkWords('verdict.refused', verdict.refused ?? [])
  }
  checkWords('certificate.absent', certificate.absent ?? [])
  checkWords('chain.absent', chain?.absent ?? [])
  if (hash !== undefined) checkOneOf('hash.encoding', hash.encoding, ['hex', 'base64'])
  const chainHeaders = chain === undefined ? [] : [chain.header].flat()
  return {
    name,
    headers,
    certificate,
    leafAbsent: certificate.absent ?? [''],
    chain: chain && {
      encoding: chain.encoding,
      absent: chain.absent ?? [''],
      at: chainHeaders.map(at),
    },
    verdict: verdict && { ...verdict, at: at(verdict.header) },
    presence: presence && { ...presence, at: at(presence.header) },
    tooLarge: (options.tooLarge ?? []).map((flag) => ({ ...flag, at: at(flag.header) })),
    hash: hash && { ...hash, at: at(hash.header) },
    identity: identityFields.flatMap((field) => {
      const header = identity?.[field]
      return header === undefined ? [] : [{ field, at: at(header) }]
    }),
    assertedIdentity: options.assertedIdentity ?? false,
  }
}

function checkEncoding(option: string, encoding: CertificateEncoding): void {
  if (typeof encoding === 'string' && Object.hasOwn(readers, encoding)) return
  throw misuse('option-invalid', `${option} must be ${Object.keys(readers).join(' or ')}`, {
    option,
  })
}

function checkWords(option: string, words: readonly string[]): void {
  if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return
  throw misuse('option-invalid', `${option} must be a list of texts`, { option })
}

const identityFields: readonly (keyof IdentityHeaders)[] = [
  'subject',
  'issuer',
  'serialNumber',
  'uri',
]

const optionNames: readonly string[] = [
  'name',
  'trust',
  'certificate',
  'chain',
  'verdict',
  'presence',
  'tooLarge',
  'hash',
  'identity',
  'assertedIdentity',
  'others',
]
