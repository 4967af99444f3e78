/** Encodes and signs OCSP responses as a test asks for them, right or wrong: RFC 6960 §4.2. @module */

import { writeNull, writeOctetString, writeSequence } from '../der/writer.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { RevocationReason } from '../x509/crl.ts'
import { type OcspResponseStatus, ocspResponseStatuses } from '../x509/ocsp.ts'
import type { IssuedCertificate } from './authority.ts'
import {
  constructed,
  enumerated,
  generalizedTime,
  integer,
  oid,
  primitive,
  type TimeInput,
} from './encode.ts'
import { encodeExtension, type RawExtension } from './extensions.ts'
import { type IntegerInput, reasonValue } from './issue-crl.ts'
import { encodeName, type NameInput } from './names.ts'
import { type SignatureOptions, signedParts } from './sign.ts'
import { digest, publicKeyDigest, signerOf, signingKeyOf } from './signer.ts'
import { type UpdateOptions, updatesOf } from './updates.ts'
import type { WebCrypto } from './web-crypto.ts'

/** A response as bytes, whether or not it is one. */
export interface IssuedOcspResponse {
  readonly der: Uint8Array
}

/** Revoked since a day before thisUpdate and without a reason, unless it says so. */
export type CertStatusInput =
  | 'good'
  | 'unknown'
  | 'revoked'
  | { readonly revocationTime?: TimeInput; readonly reason?: RevocationReason | number }

/** The hashes that WebCrypto has. */
export type CertIDHash = 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512'

interface SingleResponseFields extends UpdateOptions {
  /** Default: good. */
  readonly certStatus?: CertStatusInput
  /** Default: the response's. */
  readonly hash?: CertIDHash
  /** Default: of the name and the key of the CA. */
  readonly issuerNameHash?: Uint8Array
  readonly issuerKeyHash?: Uint8Array
  readonly singleExtensions?: readonly RawExtension[]
}

/** One SingleResponse; `certID` is the element as it stands. RFC 6960 §4.2.1 */
export type SingleResponseInput = SingleResponseFields &
  (
    | { readonly certificate: Certificate }
    | { readonly serialNumber: IntegerInput }
    | { readonly certID: Uint8Array }
  )

/** What a test may want different. Everything has a default that makes a response to be accepted at `testTime`. */
export interface OcspResponseOptions extends UpdateOptions, Omit<SignatureOptions, 'tbsSignature'> {
  /** Certificates that are good, or single responses as they shall be. Default: none. */
  readonly responses?: readonly (Certificate | SingleResponseInput)[]
  /** Another status than successful has nothing beside it. */
  readonly responseStatus?: OcspResponseStatus | number
  /** Default: the CA. */
  readonly signer?: IssuedCertificate
  /** Certificates that are sent along. Default: the signer's, unless that is the CA. */
  readonly certs?: readonly (Certificate | Uint8Array)[]
  /** Default: byKey, of the signer. */
  readonly responderID?:
    | 'byName'
    | 'byKey'
    | { readonly byName: NameInput }
    | { readonly byKey: Uint8Array }
  /** Default: thisUpdate. */
  readonly producedAt?: TimeInput
  /** Of all certIDs. Default: SHA-1, which every client knows. */
  readonly hash?: CertIDHash
  /** The octets inside the OCTET STRING. RFC 9654 §2.1 */
  readonly nonce?: Uint8Array
  /** Further extensions, written after the nonce. */
  readonly responseExtensions?: readonly RawExtension[]
  /** Dotted decimal. Default: id-pkix-ocsp-basic. */
  readonly responseType?: string
  /** Changes the BasicOCSPResponse after it was signed. */
  readonly mutateBasicResponse?: (basicResponse: Uint8Array) => Uint8Array
  /** Changes the whole response. */
  readonly mutateResponse?: (response: Uint8Array) => Uint8Array
}

/** @param issuer - Whose certificates the response is about. */
export async function issueOcspResponse(
  issuer: IssuedCertificate,
  options: OcspResponseOptions,
): Promise<IssuedOcspResponse> {
  const status = options.responseStatus ?? 'successful'
  const value = typeof status === 'number' ? status : ocspResponseStatuses.indexOf(status)
  const bytes = value === 0 ? [constructed(0, await responseBytes(issuer, options))] : []
  const der = writeSequence(enumerated(value), ...bytes)
  return { der: options.mutateResponse?.(der) ?? der }
}

async function responseBytes(
  issuer: IssuedCertificate,
  options: OcspResponseOptions,
): Promise<Uint8Array> {
  const { signer = issuer } = options
  const own = signerOf(signer)
  const { crypto } = own.hierarchy
  const responseData = writeSequence(
    await encodeResponderID(signer, options, crypto),
    generalizedTime(options.producedAt ?? updatesOf(options).thisUpdate),
    writeSequence(
      ...(await Promise.all(
        (options.responses ?? []).map((one) => encodeSingle(issuer, one, options, crypto)),
      )),
    ),
    ...encodeResponseExtensions(options),
  )
  const key = signingKeyOf(own, options.signingKey)
  const parts = await signedParts(key, options, crypto, () => responseData)
  const certs = (options.certs ?? (signer === issuer ? [] : [signer])).map((certificate) =>
    certificate instanceof Uint8Array ? certificate : certificate.der,
  )
  const basic = writeSequence(
    ...parts,
    ...(certs.length === 0 ? [] : [constructed(0, writeSequence(...certs))]),
  )
  return writeSequence(
    oid(options.responseType ?? '1.3.6.1.5.5.7.48.1.1'),
    writeOctetString(options.mutateBasicResponse?.(basic) ?? basic),
  )
}

async function encodeResponderID(
  signer: IssuedCertificate,
  { responderID = 'byKey' }: OcspResponseOptions,
  crypto: WebCrypto,
): Promise<Uint8Array> {
  const { subject, subjectPublicKeyInfo } = signer.tbsCertificate
  if (responderID === 'byName') return constructed(1, subject.der)
  if (responderID === 'byKey') {
    const keyHash = await publicKeyDigest(subjectPublicKeyInfo.der, 'SHA-1', crypto)
    return constructed(2, writeOctetString(keyHash))
  }
  return 'byName' in responderID
    ? constructed(1, encodeName(responderID.byName))
    : constructed(2, writeOctetString(responderID.byKey))
}

function encodeResponseExtensions({
  nonce,
  responseExtensions,
}: OcspResponseOptions): Uint8Array[] {
  const all = encodeRawExtensions(responseExtensions)
  if (nonce !== undefined) all.unshift(encodeExtension(nonceOid, false, writeOctetString(nonce)))
  return all.length === 0 ? [] : [constructed(1, writeSequence(...all))]
}

function encodeRawExtensions(extensions: readonly RawExtension[] = []): Uint8Array[] {
  return extensions.map(({ oid, critical, value }) =>
    encodeExtension(oid, critical ?? false, value),
  )
}

async function encodeSingle(
  issuer: Certificate,
  input: Certificate | SingleResponseInput,
  options: OcspResponseOptions,
  crypto: WebCrypto,
): Promise<Uint8Array> {
  const single: SingleResponseInput = 'tbsCertificate' in input ? { certificate: input } : input
  const { thisUpdate, nextUpdate, before } = updatesOf({ ...options, ...single })
  const extensions = encodeRawExtensions(single.singleExtensions)
  return writeSequence(
    'certID' in single ? single.certID : await encodeCertID(issuer, single, options, crypto),
    encodeCertStatus(single.certStatus ?? 'good', before),
    generalizedTime(thisUpdate),
    ...(nextUpdate === undefined ? [] : [constructed(0, generalizedTime(nextUpdate))]),
    ...(extensions.length === 0 ? [] : [constructed(1, writeSequence(...extensions))]),
  )
}

async function encodeCertID(
  issuer: Certificate,
  single: Exclude<SingleResponseInput, { certID: Uint8Array }>,
  options: OcspResponseOptions,
  crypto: WebCrypto,
): Promise<Uint8Array> {
  const hash = single.hash ?? options.hash ?? 'SHA-1'
  const hashes = await issuerHashes(issuer, hash, crypto)
  return writeSequence(
    writeSequence(oid(certIDHashes[hash]), writeNull()),
    writeOctetString(single.issuerNameHash ?? hashes.name),
    writeOctetString(single.issuerKeyHash ?? hashes.key),
    integer(
      'certificate' in single
        ? single.certificate.tbsCertificate.serialNumber
        : single.serialNumber,
    ),
  )
}

/** What a certID says of the issuer. RFC 6960 §4.1.1 */
export async function issuerHashes(
  issuer: Certificate,
  hash: CertIDHash,
  crypto: WebCrypto,
): Promise<{ readonly name: Uint8Array; readonly key: Uint8Array }> {
  const { subject, subjectPublicKeyInfo } = issuer.tbsCertificate
  return {
    name: await digest(subject.der, hash, crypto),
    key: await publicKeyDigest(subjectPublicKeyInfo.der, hash, crypto),
  }
}

/** @param before - When it was revoked, if `status` does not say. */
function encodeCertStatus(status: CertStatusInput, before: number): Uint8Array {
  if (status === 'good') return primitive(0)
  if (status === 'unknown') return primitive(2)
  const { revocationTime = before, reason } = status === 'revoked' ? {} : status
  return constructed(
    1,
    generalizedTime(revocationTime),
    ...(reason === undefined ? [] : [constructed(0, enumerated(reasonValue(reason)))]),
  )
}

/** RFC 6960 §4.4.1 */
export const nonceOid = '1.3.6.1.5.5.7.48.1.2'

/** NULL parameters, as in the requests of RFC 5019 §2.1.1. */
export const certIDHashes: { readonly [H in CertIDHash]: string } = {
  'SHA-1': '1.3.14.3.2.26',
  'SHA-256': '2.16.840.1.101.3.4.2.1',
  'SHA-384': '2.16.840.1.101.3.4.2.2',
  'SHA-512': '2.16.840.1.101.3.4.2.3',
}
