/**
 * Signature algorithms and public keys of X.509 as data: RFC 3279 §2, RFC 4055 §3, RFC 5480 §2, RFC 5758 §3, RFC 8410 §3,
 * RFC 9881 §2.
 * What is weak is decoded like the rest; refusing it is the policy's work (`path/algorithms.ts`).
 * @module
 */

import { bytesEqual, compareBytes } from '../base/bytes.ts'
import { fromHex, toHex } from '../base/hex.ts'
import { failed, type Result, success } from '../base/result.ts'
import type { HashName, SignatureScheme } from '../base/signature-scheme.ts'
import { DerReader } from '../der/reader.ts'
import { contextConstructed, tagInteger, tagNull, tagSequence } from '../der/tags.ts'
import { writeBitString, writeElement, writeInteger, writeSequence } from '../der/writer.ts'
import type {
  AlgorithmIdentifier,
  Curve,
  KeyDescription,
  SubjectPublicKeyInfo,
} from './certificate.ts'
import type { ParseFailure } from './failure.ts'
import { rsaAlgorithm } from './known-algorithms.ts'
import { readAlgorithmIdentifier, reading, readSubjectPublicKeyInfo } from './parse-certificate.ts'

export type SchemeFailure =
  | { readonly code: 'signature-algorithm-unknown'; readonly algorithm: string }
  | {
      readonly code: 'signature-algorithm-parameters'
      readonly algorithm: string
      readonly expected: ExpectedParameters
    }

/** `rsassa-pss`: RSASSA-PSS-params with one hash for message and mask, and the one trailer there is. */
export type ExpectedParameters = 'absent' | 'null' | 'rsassa-pss'

/**
 * The scheme that an AlgorithmIdentifier names.
 *
 * Parameters are strict: absent for ECDSA (RFC 5758 §3.2), DSA (RFC 5758 §3.1), Ed25519 and Ed448 (RFC 8410 §3) and ML-DSA
 * (RFC 9881 §2); NULL for RSA PKCS #1 v1.5 (RFC 3279 §2.2.1), or absent beside SHA-2, where RFC 4055 §5 demands that both
 * be read.
 *
 * @returns `signature-algorithm-unknown` for an OID that is not in the table, `signature-algorithm-parameters` for
 *   parameters that do not belong to the OID.
 */
export function decodeSignatureScheme(
  algorithm: AlgorithmIdentifier,
): Result<SignatureScheme, SchemeFailure> {
  const { parameters } = algorithm
  const known = signatureAlgorithms.get(algorithm.algorithm)
  if (known === undefined) {
    if (algorithm.algorithm === rsassaPss) return decodePss(algorithm)
    return failed({ code: 'signature-algorithm-unknown', algorithm: algorithm.algorithm })
  }
  const scheme = known.value
  if (scheme.name !== 'RSASSA-PKCS1-v1_5') {
    return parameters === undefined ? known : badParameters(algorithm, 'absent')
  }
  const fits =
    parameters === undefined ? scheme.hash !== 'MD5' && scheme.hash !== 'SHA-1' : isNull(parameters)
  return fits ? known : badParameters(algorithm, 'null')
}

function decodePss(algorithm: AlgorithmIdentifier): Result<PssScheme, SchemeFailure> {
  const scheme = algorithm.parameters && parsePssParameters(algorithm.parameters)
  return scheme ? success(scheme) : badParameters(algorithm, 'rsassa-pss')
}

function badParameters(
  { algorithm }: AlgorithmIdentifier,
  expected: ExpectedParameters,
): { readonly ok: false; readonly failure: SchemeFailure } {
  return failed({ code: 'signature-algorithm-parameters', algorithm, expected })
}

/**
 * What kind of key `spki` holds. Never throws: what is no key of its algorithm is `malformed` with a kebab-case reason,
 * an OID (for EC: a curve) that is not in the tables is `unknown`.
 *
 * That an EC point lies on its curve is left to the import by the runtime, which refuses it. `size` of a DSA key without
 * parameters is the length of its public value.
 */
export function describeKey(spki: SubjectPublicKeyInfo): KeyDescription {
  const { algorithm, parameters } = spki.algorithm
  const key = spki.subjectPublicKey
  switch (algorithm) {
    case ecPublicKey:
      return describeEcKey(parameters, key)
    case rsaEncryption:
      // RFC 3279 §2.3.1: "MUST have ASN.1 type NULL"; only a signature's algorithm may leave it out.
      if (parameters === undefined || !isNull(parameters)) return malformed(algorithm, 'parameters')
      return describeRsaKey(algorithm, key)
    case rsassaPss:
      return describePssKey(parameters, key)
    case dsa:
      return describeDsaKey(parameters, key)
    default: {
      const fixed = fixedSizeKeys.get(algorithm)
      if (fixed === undefined) return { kind: 'unknown', algorithm }
      if (parameters !== undefined) return malformed(algorithm, 'parameters')
      if (key.length !== fixed.length) return malformed(algorithm, 'key-length')
      return fixed.description
    }
  }
}

function describeEcKey(parameters: Uint8Array | undefined, point: Uint8Array): KeyDescription {
  // RFC 5480 §2.1.1: the parameters are a namedCurve; implicitCurve (NULL) and specifiedCurve (SEQUENCE) MUST NOT be used.
  const tag = parameters?.[0]
  if (parameters === undefined || tag === tagNull) return malformed(ecPublicKey, 'curve-absent')
  if (tag === tagSequence) return malformed(ecPublicKey, 'curve-explicit')
  const curve = namedCurves.find(({ oid }) => bytesEqual(parameters, oid))?.description
  if (curve === undefined) {
    const name = reading(() => new DerReader(parameters).objectIdentifier('a curve'))
    if (!name.ok) return malformed(ecPublicKey, 'curve')
    return { kind: 'unknown', algorithm: name.value }
  }
  // RFC 5480 §2.2 leaves the compressed form to the implementation, and not every WebCrypto has it: one answer for all.
  if (point[0] === 2 || point[0] === 3) return malformed(ecPublicKey, 'point-compressed')
  if (point[0] !== 4) return malformed(ecPublicKey, 'point-form')
  const octets = (curve.size + 7) >> 3
  return point.length === 1 + 2 * octets ? curve : malformed(ecPublicKey, 'point-length')
}

function describeRsaKey(
  algorithm: string,
  key: Uint8Array,
  restriction?: PssScheme,
): KeyDescription {
  // RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }: RFC 8017 §A.1.1
  const integers = readIntegers(key, 2)
  if (integers === undefined) return malformed(algorithm, 'key')
  const modulus = natural(integers[0]!)
  const exponent = natural(integers[1]!)
  if (modulus === undefined) return malformed(algorithm, 'modulus')
  if (exponent === undefined) return malformed(algorithm, 'exponent')
  // Even numbers are no product of two large primes, and Montgomery arithmetic is not defined for them.
  if ((modulus[modulus.length - 1]! & 1) === 0) return malformed(algorithm, 'modulus-even')
  const size = bitLength(modulus)
  if (algorithm === rsaEncryption) return { kind: 'RSA', size, exponent }
  return { kind: 'RSA-PSS', size, exponent, ...(restriction && { restriction }) }
}

function describePssKey(parameters: Uint8Array | undefined, key: Uint8Array): KeyDescription {
  if (parameters === undefined) return describeRsaKey(rsassaPss, key)
  const restriction = parsePssParameters(parameters)
  return restriction
    ? describeRsaKey(rsassaPss, key, restriction)
    : malformed(rsassaPss, 'parameters')
}

function describeDsaKey(parameters: Uint8Array | undefined, key: Uint8Array): KeyDescription {
  const y = reading(() => {
    const reader = new DerReader(key)
    const value = reader.integer('a public value')
    reader.finish()
    return natural(value)
  })
  if (!y.ok || y.value === undefined) return malformed(dsa, 'key')
  // RFC 3279 §2.3.2: absent means that the issuer's parameters apply.
  if (parameters === undefined) {
    return { kind: 'DSA', size: bitLength(y.value), hasParameters: false }
  }
  // Dss-Parms ::= SEQUENCE { p INTEGER, q INTEGER, g INTEGER }
  const [p, q, g] = readIntegers(parameters, 3)?.map(natural) ?? []
  if (p === undefined || q === undefined || g === undefined) return malformed(dsa, 'parameters')
  return { kind: 'DSA', size: bitLength(p), hasParameters: true }
}

/**
 * RSASSA-PSS-params of RFC 4055 §3.1, or `undefined`.
 *
 * Defaults of hash, mask and trailer may be written out, as RFC 4055 §3.1 demands of a verifier; that of the salt may not (X.690
 * 11.5). A mask over another hash than the message's is refused: RFC 4055 §3.1 strongly recommends against it, and WebCrypto
 * cannot express it.
 */
function parsePssParameters(der: Uint8Array): PssScheme | undefined {
  const parsed = reading(() => {
    const outer = new DerReader(der)
    const reader = outer.enter(tagSequence, 'RSASSA-PSS-params')
    outer.finish()
    const hash = pssField(reader, 0, readHash) ?? 'SHA-1'
    const maskHash = pssField(reader, 1, readMaskHash) ?? 'SHA-1'
    const salt = pssField(reader, 2, (field) => field.smallInteger('a salt length', maxSaltLength))
    const trailer = pssField(reader, 3, (field) => field.smallInteger('a trailer', 1)) ?? 1
    reader.finish()
    if (hash === 'unknown' || hash !== maskHash || trailer !== 1) return undefined
    if (salt === defaultSaltLength) return undefined
    return { name: 'RSASSA-PSS', hash, saltLength: salt ?? defaultSaltLength } as const
  })
  return parsed.ok ? parsed.value : undefined
}

function pssField<T>(
  reader: DerReader,
  number: number,
  read: (field: DerReader) => T,
): T | undefined {
  if (reader.peek() !== contextConstructed(number)) return undefined
  const field = reader.enter(contextConstructed(number), 'a field')
  const value = read(field)
  field.finish()
  return value
}

/** A hash has NULL parameters or none: RFC 4055 §2.1 */
function readHash(reader: DerReader): HashName | 'unknown' {
  const { algorithm, parameters } = readAlgorithmIdentifier(reader, 'a hash')
  if (parameters !== undefined && !isNull(parameters)) return 'unknown'
  return pssHashes.get(algorithm) ?? 'unknown'
}

/** RFC 4055 §2.2 */
function readMaskHash(reader: DerReader): HashName | 'unknown' {
  const { algorithm, parameters } = readAlgorithmIdentifier(reader, 'a mask generation function')
  if (algorithm !== mgf1 || parameters === undefined) return 'unknown'
  return readHash(new DerReader(parameters))
}

/**
 * DER of the SPKI in the form that every library imports: an id-RSASSA-PSS key as rsaEncryption, all others as they are.
 * Whoever uses it must have held the scheme against the key's restriction first.
 */
export function importableSpki(spki: SubjectPublicKeyInfo): Uint8Array {
  if (spki.algorithm.algorithm !== rsassaPss) return spki.der
  return writeSequence(rsaAlgorithm.der, writeBitString(spki.subjectPublicKey))
}

/**
 * A DSA key without parameters under the parameters of its issuer: RFC 3279 §2.3.2, RFC 5280 §6.1.4 (d)-(f).
 *
 * @param parameters - DER of Dss-Parms, tag and length included.
 */
export function inheritDsaParameters(
  spki: SubjectPublicKeyInfo,
  parameters: Uint8Array,
): SubjectPublicKeyInfo {
  const { algorithm } = spki.algorithm
  // Without parameters, the contents of its AlgorithmIdentifier are the OID.
  const der = writeSequence(spki.algorithm.der.subarray(2), parameters)
  return {
    der: writeSequence(der, writeBitString(spki.subjectPublicKey)),
    algorithm: { der, algorithm, parameters },
    subjectPublicKey: spki.subjectPublicKey,
  }
}

/**
 * Whether `signature` is the DER of SEQUENCE { r INTEGER, s INTEGER } with both in [1, n - 1] for the order n of `curve`:
 * RFC 3279 §2.2.3. Libraries differ on encodings that are not DER and on r and s out of range, so none is asked.
 */
export function isStrictEcdsaSignature(signature: Uint8Array, curve: Curve): boolean {
  const order = curveOrders[curve]
  const [r, s] = readIntegers(signature, 2)?.map(natural) ?? []
  return r !== undefined && s !== undefined && isBelow(r, order) && isBelow(s, order)
}

/**
 * The DER of (r, n - s) for that of (r, s): the other signature that verifies under the same key.
 *
 * @returns `undefined` when `signature` is none of `curve` in strict DER.
 */
export function mirrorEcdsaSignature(signature: Uint8Array, curve: Curve): Uint8Array | undefined {
  const [r, s] = readIntegers(signature, 2) ?? []
  if (r === undefined || s === undefined || !isStrictEcdsaSignature(signature, curve)) {
    return undefined
  }
  return writeSequence(
    writeElement(tagInteger, r),
    writeInteger(number(curveOrders[curve]) - number(s)),
  )
}

/** Octets of a number that is not negative. */
function number(octets: Uint8Array): bigint {
  return BigInt(`0x${toHex(octets)}`)
}

/** The same for DSA, whose order q stays with the runtime: RFC 3279 §2.2.2 */
export function isStrictDsaSignature(signature: Uint8Array): boolean {
  const [r, s] = readIntegers(signature, 2)?.map(natural) ?? []
  return r !== undefined && s !== undefined
}

/** Reads an AlgorithmIdentifier that stands alone: RFC 5280 §4.1.1.2 */
export function parseAlgorithmIdentifier(
  der: Uint8Array,
): Result<AlgorithmIdentifier, ParseFailure> {
  return parseWhole(der, (reader) => readAlgorithmIdentifier(reader, 'an algorithm'))
}

/** Reads a SubjectPublicKeyInfo that stands alone: RFC 5280 §4.1.2.7 */
export function parseSubjectPublicKeyInfo(
  der: Uint8Array,
): Result<SubjectPublicKeyInfo, ParseFailure> {
  return parseWhole(der, readSubjectPublicKeyInfo)
}

/** Octets of a signature's BIT STRING that stands alone and has no unused bits: RFC 5280 §4.1.1.3 */
export function parseSignatureValue(der: Uint8Array): Result<Uint8Array, ParseFailure> {
  return parseWhole(der, (reader) => reader.octetsOfBitString('a signature'))
}

function parseWhole<T>(der: Uint8Array, read: (reader: DerReader) => T): Result<T, ParseFailure> {
  return reading(() => {
    const reader = new DerReader(der)
    const value = read(reader)
    reader.finish()
    return value
  })
}

/** Content octets of the INTEGERs of a SEQUENCE that has just so many of them and nothing else. */
function readIntegers(der: Uint8Array, count: number): readonly Uint8Array[] | undefined {
  const integers = reading(() => {
    const outer = new DerReader(der)
    const reader = outer.enter(tagSequence, 'a sequence')
    outer.finish()
    const contents: Uint8Array[] = []
    for (let i = 0; i < count; i++) contents.push(reader.integer('an integer'))
    reader.finish()
    return contents
  })
  return integers.ok ? integers.value : undefined
}

/** Big-endian octets, no leading zero, of the contents of a positive INTEGER; `undefined` for zero and below. */
function natural(content: Uint8Array): Uint8Array | undefined {
  if (content[0]! >= 0x80) return undefined
  if (content[0] !== 0) return content
  return content.length > 1 ? content.subarray(1) : undefined
}

/** Both big-endian, without a leading zero. */
function isBelow(value: Uint8Array, limit: Uint8Array): boolean {
  if (value.length !== limit.length) return value.length < limit.length
  return compareBytes(value, limit) < 0
}

function bitLength(value: Uint8Array): number {
  return value.length * 8 - (Math.clz32(value[0]!) - 24)
}

function isNull(der: Uint8Array): boolean {
  return der.length === 2 && der[0] === tagNull && der[1] === 0
}

function malformed(
  algorithm: string,
  reason: string,
): Extract<KeyDescription, { kind: 'malformed' }> {
  return { kind: 'malformed', algorithm, reason }
}

type PssScheme = Extract<SignatureScheme, { name: 'RSASSA-PSS' }>

const rsaEncryption = '1.2.840.113549.1.1.1'
const rsassaPss = '1.2.840.113549.1.1.10'
const mgf1 = '1.2.840.113549.1.1.8'
const ecPublicKey = '1.2.840.10045.2.1'
const dsa = '1.2.840.10040.4.1'

const defaultSaltLength = 20
/** No RSA key of 8192 bits has room for more; the exact bound depends on the key and is the runtime's to check. */
const maxSaltLength = 1024

/** RFC 4055 §2.1 */
const pssHashes: ReadonlyMap<string, HashName> = new Map([
  ['1.3.14.3.2.26', 'SHA-1'],
  ['2.16.840.1.101.3.4.2.4', 'SHA-224'],
  ['2.16.840.1.101.3.4.2.1', 'SHA-256'],
  ['2.16.840.1.101.3.4.2.2', 'SHA-384'],
  ['2.16.840.1.101.3.4.2.3', 'SHA-512'],
])

const pkcs1 = (hash: HashName) => success<SignatureScheme>({ name: 'RSASSA-PKCS1-v1_5', hash })
const ecdsa = (hash: HashName) => success<SignatureScheme>({ name: 'ECDSA', hash })
const dss = (hash: HashName) => success<SignatureScheme>({ name: 'DSA', hash })

const signatureAlgorithms: ReadonlyMap<
  string,
  { readonly ok: true; readonly value: SignatureScheme }
> = new Map([
  ['1.2.840.113549.1.1.4', pkcs1('MD5')],
  ['1.2.840.113549.1.1.5', pkcs1('SHA-1')],
  ['1.2.840.113549.1.1.11', pkcs1('SHA-256')],
  ['1.2.840.113549.1.1.12', pkcs1('SHA-384')],
  ['1.2.840.113549.1.1.13', pkcs1('SHA-512')],
  ['1.2.840.113549.1.1.14', pkcs1('SHA-224')],
  ['1.2.840.10045.4.1', ecdsa('SHA-1')],
  ['1.2.840.10045.4.3.1', ecdsa('SHA-224')],
  ['1.2.840.10045.4.3.2', ecdsa('SHA-256')],
  ['1.2.840.10045.4.3.3', ecdsa('SHA-384')],
  ['1.2.840.10045.4.3.4', ecdsa('SHA-512')],
  ['1.2.840.10040.4.3', dss('SHA-1')],
  ['2.16.840.1.101.3.4.3.1', dss('SHA-224')],
  ['2.16.840.1.101.3.4.3.2', dss('SHA-256')],
  ['2.16.840.1.101.3.4.3.3', dss('SHA-384')],
  ['2.16.840.1.101.3.4.3.4', dss('SHA-512')],
  ['1.3.101.112', success<SignatureScheme>({ name: 'Ed25519' })],
  ['1.3.101.113', success<SignatureScheme>({ name: 'Ed448' })],
  ['2.16.840.1.101.3.4.3.17', success<SignatureScheme>({ name: 'ML-DSA-44' })],
  ['2.16.840.1.101.3.4.3.18', success<SignatureScheme>({ name: 'ML-DSA-65' })],
  ['2.16.840.1.101.3.4.3.19', success<SignatureScheme>({ name: 'ML-DSA-87' })],
])

/** Keys without structure: RFC 8410 §4, RFC 9881 §4. */
const fixedSizeKeys: ReadonlyMap<
  string,
  { readonly length: number; readonly description: KeyDescription }
> = new Map<string, { length: number; description: KeyDescription }>([
  ['1.3.101.112', { length: 32, description: { kind: 'Ed25519', size: 256 } }],
  ['1.3.101.113', { length: 57, description: { kind: 'Ed448', size: 456 } }],
  ['2.16.840.1.101.3.4.3.17', { length: 1312, description: { kind: 'ML-DSA-44', size: 10_496 } }],
  ['2.16.840.1.101.3.4.3.18', { length: 1952, description: { kind: 'ML-DSA-65', size: 15_616 } }],
  ['2.16.840.1.101.3.4.3.19', { length: 2592, description: { kind: 'ML-DSA-87', size: 20_736 } }],
])

type EcDescription = Extract<KeyDescription, { kind: 'EC' }>

/** `oid`: tag and length included. RFC 5480 §2.1.1.1; secp256k1: SEC 2 2.4.1 */
const namedCurves: readonly { readonly oid: Uint8Array; readonly description: EcDescription }[] =
  /* @__PURE__ */ (
    [
      ['06082a8648ce3d030107', 'P-256', 256], // 1.2.840.10045.3.1.7
      ['06052b81040022', 'P-384', 384], // 1.3.132.0.34
      ['06052b81040023', 'P-521', 521], // 1.3.132.0.35
      ['06052b8104000a', 'secp256k1', 256], // 1.3.132.0.10
      ['06052b81040021', 'P-224', 224], // 1.3.132.0.33
      ['06082a8648ce3d030101', 'P-192', 192], // 1.2.840.10045.3.1.1
    ] as const
  ).map(([oid, curve, size]) => ({ oid: octets(oid), description: { kind: 'EC', curve, size } }))

/** Order n of the base point, big-endian: SEC 2 2.2.2, 2.3.1, 2.4.1, 2.4.2, 2.5.1, 2.6.1 */
const curveOrders: { readonly [C in Curve]: Uint8Array } = {
  'P-192': octets('ffffffffffffffffffffffff99def836146bc9b1b4d22831'),
  'P-224': octets('ffffffffffffffffffffffffffff16a2e0b8f03e13dd29455c5c2a3d'),
  'P-256': octets('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'),
  'P-384': octets(
    'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
  ),
  'P-521': octets(
    `01${'ff'.repeat(32)}fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409`,
  ),
  secp256k1: octets('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141'),
}

function octets(hex: string): Uint8Array {
  return fromHex(hex)!
}
