/** Encodes and signs one certificate as a test asks for it: RFC 5280 §4.1, right or wrong. @module */

import { writeSequence } from '../der/writer.ts'
import { constructed, integer, primitive, type TimeInput, time } from './encode.ts'
import { type ExtensionOptions, encodeExtensions } from './extensions.ts'
import type { KeyInput, TestKey } from './keys.ts'
import type { NameInput } from './names.ts'
import { type SignatureOptions, signedParts } from './sign.ts'
import type { WebCrypto } from './web-crypto.ts'

/** What a test may want different. Everything has a default that makes a certificate to be accepted. */
export interface CertificateOptions extends ExtensionOptions, SignatureOptions {
  /** Default: the name that was given, as CN. */
  readonly subject?: NameInput
  /** Default: the subject of whoever issues. */
  readonly issuer?: NameInput
  /** Default: `defaultValidity`. */
  readonly notBefore?: TimeInput
  readonly notAfter?: TimeInput
  /** A number, or the content octets of the INTEGER. Default: counted by each CA. */
  readonly serialNumber?: number | bigint | Uint8Array
  /** The subject's key. Default: a P-256 key. */
  readonly key?: KeyInput
  /** The public key to write in place of the key's own: a SubjectPublicKeyInfo in DER. */
  readonly subjectPublicKeyInfo?: Uint8Array
  /** Default: 3. In versions 1 and 2 only the extensions that are named here are written. */
  readonly version?: 1 | 2 | 3
  readonly issuerUniqueID?: Uint8Array
  readonly subjectUniqueID?: Uint8Array
  /** Changes the whole certificate after it was signed. */
  readonly mutateCertificate?: (certificate: Uint8Array) => Uint8Array
}

/** Unix seconds: 2020-01-01T00:00:00Z to 2049-12-31T23:59:59Z, inclusive. Whatever the wall clock says, nothing expires soon. */
export const defaultValidity: { readonly notBefore: number; readonly notAfter: number } = {
  notBefore: 1_577_836_800,
  notAfter: 2_524_607_999,
}

/** The clock of the test PKI in Unix seconds: 2030-01-01T00:00:00Z. Pass it (or a `Date` of it) as the time of a validation. */
export const testTime = 1_893_456_000

/** What does not come from the options. */
export interface Issuance {
  readonly options: CertificateOptions
  /** DER. */
  readonly subject: Uint8Array
  /** DER. */
  readonly issuer: Uint8Array
  readonly serialNumber: number | bigint | Uint8Array
  readonly key: TestKey
  readonly signingKey: TestKey
  /** Defaults under the options. */
  readonly extensions: ExtensionOptions
  readonly crypto: WebCrypto
}

/** @returns The certificate in DER, unless the options asked for something else. */
export async function encodeCertificate(issuance: Issuance): Promise<Uint8Array> {
  const { options, signingKey, crypto } = issuance
  const parts = await signedParts(signingKey, options, crypto, (algorithm) =>
    encodeTbsCertificate(issuance, algorithm),
  )
  const certificate = writeSequence(...parts)
  return options.mutateCertificate?.(certificate) ?? certificate
}

function encodeTbsCertificate(issuance: Issuance, signature: Uint8Array): Uint8Array {
  const { options, subject, issuer, serialNumber, key, extensions } = issuance
  const version = options.version ?? 3
  const criticality = { subjectAltName: subject.length === emptyName, ...options.criticality }
  const wanted = version === 3 ? { ...extensions, ...options } : options
  const all = encodeExtensions({ ...wanted, criticality })
  const parts = [
    integer(serialNumber),
    signature,
    issuer,
    writeSequence(
      time(options.notBefore ?? defaultValidity.notBefore),
      time(options.notAfter ?? defaultValidity.notAfter),
    ),
    subject,
    options.subjectPublicKeyInfo ?? key.publicKey,
  ]
  if (version !== 1) parts.unshift(constructed(0, integer(version - 1)))
  const { issuerUniqueID, subjectUniqueID } = options
  if (issuerUniqueID) parts.push(primitive(1, Uint8Array.of(0), issuerUniqueID))
  if (subjectUniqueID) parts.push(primitive(2, Uint8Array.of(0), subjectUniqueID))
  if (all.length > 0) parts.push(constructed(3, writeSequence(...all)))
  return writeSequence(...parts)
}

/** Octets of a Name without RDNs, beside which a subjectAltName is critical. RFC 5280 §4.2.1.6 */
const emptyName = 2
