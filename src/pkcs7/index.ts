/**
 * Certificate bundles in PKCS #7: `.p7b`, `.p7c`, RFC 5652 §5 SignedData. pkijs reads the envelope, which may be BER; what is inside is
 * read again, strictly, from its own bytes. Signatures of the envelope say nothing about the certificates and are not looked at.
 * @module
 */

import { BaseBlock, Constructed, fromBER, Sequence } from 'asn1js'
import { ContentInfo, SignedData } from 'pkijs'
import { decodeBase64 } from '../base/base64.ts'
import { asciiText } from '../base/bytes.ts'
import { readPem } from '../base/pem.ts'
import { failed, type Result, success } from '../base/result.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { ParseFailure } from '../x509/failure.ts'
import { parseCertificate } from '../x509/parse-certificate.ts'

export interface Pkcs7Bundle {
  /** In the order of the bundle, which means nothing: certificates are a set. */
  readonly certificates: readonly Certificate[]
  /** DER of each CRL, unread. */
  readonly crls: readonly Uint8Array[]
  /** Certificates that are left out; `index` counts from 0 through the bundle's certificates. */
  readonly unreadable: readonly Pkcs7Unreadable[]
}

export interface Pkcs7Unreadable {
  readonly index: number
  readonly failure:
    | ParseFailure
    /** An attribute certificate, or another of the formats beside X.509. RFC 5652 §10.2.2 */
    | { readonly code: 'pkcs7-not-x509' }
}

export type Pkcs7Failure =
  | { readonly code: 'pkcs7-empty' }
  | { readonly code: 'pkcs7-too-large'; readonly maximum: number }
  /** Neither PEM with label PKCS7, CMS or CERTIFICATE, nor DER or BER, nor base64 of these. */
  | { readonly code: 'pkcs7-unrecognized' }
  | { readonly code: 'pkcs7-malformed' }
  /** Another kind of content: encrypted, digested, plain data. `contentType` in dotted decimal. */
  | { readonly code: 'pkcs7-not-signed-data'; readonly contentType: string }
  | { readonly code: 'pkcs7-no-certificates' }
  /** There are certificates, and none can be read: the failure of the first one. */
  | { readonly code: 'pkcs7-unreadable'; readonly failure: Pkcs7Unreadable['failure'] }

/**
 * Reads the certificates of a `.p7b` or `.p7c` file. Nothing in it is to be trusted because it is in there.
 *
 * @param input - PEM as text or octets, DER or BER, or base64 of these; at most 1 MiB.
 * @returns At least one certificate, or why there is none; never throws on bytes.
 * @example
 * const bundle = parsePkcs7(await readFile('cas.p7b'))
 * if (bundle.ok) parseIntermediates(bundle.value.certificates)
 */
export function parsePkcs7(input: string | Uint8Array): Result<Pkcs7Bundle, Pkcs7Failure> {
  if (input.length === 0) return failed({ code: 'pkcs7-empty' })
  // Base64 takes four characters for three octets, and PEM some more for lines.
  if (input.length > (typeof input === 'string' ? 1.5 : 1) * maxOctets) {
    return failed({ code: 'pkcs7-too-large', maximum: maxOctets })
  }
  const ber = berOf(input)
  if (ber === undefined) return failed({ code: 'pkcs7-unrecognized' })
  const parts = openEnvelope(ber)
  if (!parts.ok) return parts
  const certificates: Certificate[] = []
  const unreadable: Pkcs7Unreadable[] = []
  parts.value.certificates.forEach((bytes, index) => {
    const parsed = bytes[0] === tagSequence ? parseCertificate(bytes) : notX509
    if (parsed.ok) certificates.push(parsed.value)
    else unreadable.push({ index, failure: parsed.failure })
  })
  if (certificates.length === 0) {
    const first = unreadable[0]
    return failed(
      first === undefined
        ? { code: 'pkcs7-no-certificates' }
        : { code: 'pkcs7-unreadable', failure: first.failure },
    )
  }
  return success({ certificates, crls: parts.value.crls, unreadable })
}

function berOf(input: string | Uint8Array): Uint8Array | undefined {
  if (typeof input !== 'string' && input[0] === tagSequence) return input
  const text = typeof input === 'string' ? input : asciiText(input)
  const { blocks, failure } = readPem(text)
  const [block] = blocks
  if (block !== undefined) return labels.includes(block.label) ? block.bytes : undefined
  const bytes = failure === undefined ? decodeBase64(text.trim()) : undefined
  return bytes?.[0] === tagSequence ? bytes : undefined
}

interface Parts {
  readonly certificates: readonly Uint8Array[]
  readonly crls: readonly Uint8Array[]
}

function openEnvelope(ber: Uint8Array): Result<Parts, Pkcs7Failure> {
  if (!isNestedLittle(ber)) return failed({ code: 'pkcs7-malformed' })
  let content: BaseBlock
  try {
    // A copy: the parser looks at the whole buffer under a view.
    const { offset, result } = fromBER(ber.slice())
    if (offset !== ber.length) return failed({ code: 'pkcs7-malformed' })
    const info = new ContentInfo({ schema: result })
    if (info.contentType !== ContentInfo.SIGNED_DATA) {
      return failed({ code: 'pkcs7-not-signed-data', contentType: info.contentType })
    }
    content = info.content
    // Only for its complaint: the fields are taken from the bytes below.
    new SignedData({ schema: content })
  } catch (error) {
    // Two libraries' own complaints about bytes, of several classes; a full stack is one more of them.
    if (error instanceof Error) return failed({ code: 'pkcs7-malformed' })
    throw error
  }
  if (!(content instanceof Sequence)) return failed({ code: 'pkcs7-malformed' })
  return success({ certificates: taggedSet(content, 0), crls: taggedSet(content, 1) })
}

/** The elements of an IMPLICIT [number] SET inside SignedData, each with tag and length. RFC 5652 §5.1 */
function taggedSet(content: Sequence, number: number): readonly Uint8Array[] {
  const found = content.valueBlock.value.find(
    ({ idBlock }) => idBlock.tagClass === contextClass && idBlock.tagNumber === number,
  )
  if (!(found instanceof Constructed)) return []
  return found.valueBlock.value
    .filter((block) => block instanceof BaseBlock && block.idBlock.tagNumber !== -1)
    .map(({ valueBeforeDecodeView }) => valueBeforeDecodeView)
    .filter((bytes) => bytes.length > 2)
}

/** Whether no more elements are open at once than any real bundle has; keeps a recursive parser from filling the stack. */
function isNestedLittle(ber: Uint8Array): boolean {
  const ends: number[] = []
  for (let at = 0; at < ber.length; ) {
    while (ends.length > 0 && (ends.at(-1) as number) <= at) ends.pop()
    const tag = ber[at++] as number
    if ((tag & 0x1f) === 0x1f) while ((ber[at++] ?? 0) >= 0x80);
    const first = ber[at++] ?? 0
    let length = first
    if (first > 0x80) {
      length = 0
      for (let left = first & 0x7f; left > 0; left--) length = length * 256 + (ber[at++] ?? 0)
    }
    if (tag === 0 && first === 0) {
      if (ends.at(-1) === Number.POSITIVE_INFINITY) ends.pop()
      continue
    }
    if (tag & 0x20) {
      ends.push(first === 0x80 ? Number.POSITIVE_INFINITY : at + length)
      if (ends.length > maxDepth) return false
    } else at += length
  }
  return true
}

const notX509 = failed({ code: 'pkcs7-not-x509' } as const)
const tagSequence = 0x30
const contextClass = 3
/** What OpenSSL, Windows and Java write. */
const labels: readonly string[] = ['PKCS7', 'PKCS #7 SIGNED DATA', 'CMS', 'CERTIFICATE']
/** Local limit: the largest public bundles (all roots of an operating system) have about half of it. */
const maxOctets = 1_048_576
/** Local limit: a certificate in SignedData nests about 15 deep. */
const maxDepth = 64
