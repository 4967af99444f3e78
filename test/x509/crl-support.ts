import {
  writeBitString,
  writeBoolean,
  writeElement,
  writeInteger,
  writeObjectIdentifier,
  writeOctetString,
  writeSequence,
  writeText,
} from '../../src/der/writer.ts'
import { encodeName } from '../../src/testing/names.ts'
import type { CertificateList } from '../../src/x509/crl.ts'
import { parseCrl } from '../../src/x509/parse-crl.ts'

/** Parts of a CertificateList, as DER that need not be right. What is not named is right. */
export interface CrlParts {
  readonly version?: Uint8Array
  readonly signature?: Uint8Array
  readonly issuer?: Uint8Array
  readonly thisUpdate?: Uint8Array
  readonly nextUpdate?: Uint8Array
  /** The whole element. */
  readonly revokedCertificates?: Uint8Array
  /** What stands in that element, where it is not given. */
  readonly entries?: readonly Uint8Array[]
  /** Extensions; each an Extension. */
  readonly extensions?: readonly Uint8Array[]
  /** The whole element, [0] included. */
  readonly crlExtensions?: Uint8Array
  readonly afterExtensions?: Uint8Array
  readonly signatureAlgorithm?: Uint8Array
  readonly signatureValue?: Uint8Array
  readonly afterSignature?: Uint8Array
}

export const none: Uint8Array = new Uint8Array()
export const ecdsa: Uint8Array = writeSequence(writeObjectIdentifier('1.2.840.10045.4.3.2'))
export const name: Uint8Array = encodeName('CN=Example CA')

export function utcTime(text: string): Uint8Array {
  return writeText(0x17, text)
}

export function generalTime(text: string): Uint8Array {
  return writeText(0x18, text)
}

export function extension(oid: string, value: Uint8Array, critical: Uint8Array = none): Uint8Array {
  return writeSequence(writeObjectIdentifier(oid), critical, writeOctetString(value))
}

export const critical: Uint8Array = writeBoolean(true)

/** @param serial - The content octets. */
export function entry(serial: Uint8Array, ...rest: readonly Uint8Array[]): Uint8Array {
  return writeSequence(writeElement(0x02, serial), ...(rest.length === 0 ? [revokedAt] : rest))
}

export const revokedAt: Uint8Array = utcTime('200102030405Z')

export function crlBytes(parts: CrlParts = {}): Uint8Array {
  const { entries = [], extensions = [] } = parts
  const revoked = entries.length === 0 ? none : writeElement(0x30, joined(entries))
  const wrapped = extensions.length === 0 ? none : writeElement(0xa0, writeSequence(...extensions))
  const algorithm = parts.signature ?? ecdsa
  return writeSequence(
    writeSequence(
      parts.version ?? writeInteger(1),
      algorithm,
      parts.issuer ?? name,
      parts.thisUpdate ?? utcTime('200101000000Z'),
      parts.nextUpdate ?? utcTime('200108000000Z'),
      parts.revokedCertificates ?? revoked,
      parts.crlExtensions ?? wrapped,
      parts.afterExtensions ?? none,
    ),
    parts.signatureAlgorithm ?? algorithm,
    writeBitString(parts.signatureValue ?? Uint8Array.of(1, 2, 3, 4)),
    parts.afterSignature ?? none,
  )
}

/** The list; a failure is the test's own mistake. */
export function crlOf(parts: CrlParts): CertificateList {
  const parsed = parseCrl(crlBytes(parts))
  if (!parsed.ok) throw new Error(`${parsed.failure.code}: ${parsed.failure.expected}`)
  return parsed.value
}

/** What is wrong, and where; `undefined`: nothing. */
export function codeOf(der: Uint8Array): string | undefined {
  const parsed = parseCrl(der)
  return parsed.ok ? undefined : parsed.failure.code
}

/** As `concatBytes`, for more parts than a call takes arguments. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}
