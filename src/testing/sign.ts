/** Signing for the test PKI: WebCrypto, and Node's own crypto for what WebCrypto lacks. @module */

import type { HashName, SignatureScheme } from '../base/signature-scheme.ts'
import { writeBitString, writeElement, writeNull, writeSequence } from '../der/writer.ts'
import { constructed, elementsOf, integer, oid } from './encode.ts'
import type { KeyInput, KeyKind, TestKey } from './keys.ts'
import { toPem } from './pem.ts'
import type { WebCrypto } from './web-crypto.ts'

/** How a certificate, a list or a response is signed, right or wrong. */
export interface SignatureOptions {
  /** Signs in place of the issuer's key: a forgery. */
  readonly signingKey?: KeyInput
  /** Default: what fits the signing key, with SHA-256 or the hash of the curve's size. */
  readonly signatureScheme?: SignatureScheme
  /** What the signed part names as its algorithm, when it shall differ: a scheme, or an AlgorithmIdentifier in DER. */
  readonly tbsSignature?: SignatureScheme | Uint8Array
  /** What the outer part names, when it shall differ. Default: the same as the signed part. */
  readonly signatureAlgorithm?: SignatureScheme | Uint8Array
  /** Changes the part that is signed before it is: the signature is right for what comes back. */
  readonly mutateTbs?: (tbs: Uint8Array) => Uint8Array
  /** Changes the octets of the signature. */
  readonly mutateSignature?: (signature: Uint8Array) => Uint8Array
}

/**
 * Signs what `encodeTbs` makes with the AlgorithmIdentifier that it names.
 *
 * @returns The signed part, the AlgorithmIdentifier and the BIT STRING: what a signed SEQUENCE holds. RFC 5280 §4.1.1
 */
export async function signedParts(
  key: TestKey,
  options: SignatureOptions,
  crypto: WebCrypto,
  encodeTbs: (algorithm: Uint8Array) => Uint8Array,
): Promise<[tbs: Uint8Array, algorithm: Uint8Array, signature: Uint8Array]> {
  const scheme = options.signatureScheme ?? usualScheme(key.kind)
  const inner = algorithm(options.tbsSignature ?? scheme)
  const encoded = encodeTbs(inner)
  const tbs = options.mutateTbs?.(encoded) ?? encoded
  const signed = await sign(key, scheme, tbs, crypto)
  const signature = options.mutateSignature?.(signed) ?? signed
  const outer =
    options.signatureAlgorithm === undefined ? inner : algorithm(options.signatureAlgorithm)
  return [tbs, outer, writeBitString(signature)]
}

function algorithm(value: SignatureScheme | Uint8Array): Uint8Array {
  return value instanceof Uint8Array ? value : encodeScheme(value)
}

/** What a CA signs with when a test does not say: SHA-256, or the hash that fits the curve. */
export function usualScheme(kind: KeyKind): SignatureScheme {
  if (kind.startsWith('RSA-PSS')) return { name: 'RSASSA-PSS', hash: 'SHA-256', saltLength: 32 }
  if (kind.startsWith('RSA')) return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  if (kind.startsWith('DSA')) return { name: 'DSA', hash: 'SHA-256' }
  if (kind === 'Ed25519' || kind === 'Ed448') return { name: kind }
  return {
    name: 'ECDSA',
    hash: kind === 'P-384' ? 'SHA-384' : kind === 'P-521' ? 'SHA-512' : 'SHA-256',
  }
}

/** AlgorithmIdentifier of a scheme. RFC 3279 §2.2, RFC 4055 §5 and §3.1, RFC 5758 §3, RFC 8410 §3, RFC 9881 §2 */
export function encodeScheme(scheme: SignatureScheme): Uint8Array {
  switch (scheme.name) {
    case 'RSASSA-PKCS1-v1_5':
      return writeSequence(oid(`1.2.840.113549.1.1.${rsaArcs[scheme.hash]}`), writeNull())
    case 'RSASSA-PSS':
      return writeSequence(
        oid('1.2.840.113549.1.1.10'),
        pssParameters(scheme.hash, scheme.saltLength),
      )
    case 'ECDSA':
      return writeSequence(oid(known(ecdsaOids[scheme.hash], scheme)))
    case 'DSA':
      return writeSequence(oid(known(dsaOids[scheme.hash], scheme)))
    default:
      return writeSequence(oid(plainOids[scheme.name]))
  }
}

/** The parameters of RSASSA-PSS; what equals the default is left out, as DER asks. RFC 4055 §3.1 */
export function pssParameters(hash: HashName, saltLength: number): Uint8Array {
  const algorithm = writeSequence(oid(hashOids[hash]), writeNull())
  const isDefault = hash === 'SHA-1'
  return writeSequence(
    ...(isDefault
      ? []
      : [
          constructed(0, algorithm),
          constructed(1, writeSequence(oid('1.2.840.113549.1.1.8'), algorithm)),
        ]),
    ...(saltLength === 20 ? [] : [constructed(2, integer(saltLength))]),
  )
}

/**
 * Signs `data`.
 *
 * @returns The octets of a signatureValue: ECDSA and DSA as DER of r and s.
 * @throws TypeError with code `testing-cannot-sign` when the key and the scheme do not fit, or this runtime lacks them.
 */
export async function sign(
  key: TestKey,
  scheme: SignatureScheme,
  data: Uint8Array,
  crypto: WebCrypto,
): Promise<Uint8Array> {
  const parameters = webCryptoParameters(key.kind, scheme)
  if (parameters === undefined) return signWithNode(key, scheme, data)
  const handle = await importKey(key, parameters, crypto)
  const signature = new Uint8Array(
    await crypto.subtle.sign(parameters, handle, data as BufferSource),
  )
  return scheme.name === 'ECDSA' ? ecdsaSignature(signature) : signature
}

type Parameters = Algorithm & {
  readonly hash?: HashName
  readonly namedCurve?: string
  readonly saltLength?: number
}

function webCryptoParameters(kind: KeyKind, scheme: SignatureScheme): Parameters | undefined {
  switch (scheme.name) {
    case 'RSASSA-PKCS1-v1_5':
      return kind.startsWith('RSA') && webHashes.has(scheme.hash) ? { ...scheme } : undefined
    case 'RSASSA-PSS':
      return kind.startsWith('RSA') && webHashes.has(scheme.hash)
        ? { ...scheme, name: 'RSA-PSS' }
        : undefined
    case 'ECDSA':
      return webCurves.has(kind) && webHashes.has(scheme.hash)
        ? { ...scheme, namedCurve: kind }
        : undefined
    case 'Ed25519':
      return kind === 'Ed25519' ? { ...scheme } : undefined
    default:
      return undefined
  }
}

const handles = new WeakMap<WebCrypto, Map<string, Promise<CryptoKey>>>()

function importKey(key: TestKey, parameters: Parameters, crypto: WebCrypto): Promise<CryptoKey> {
  let ofCrypto = handles.get(crypto)
  if (ofCrypto === undefined) {
    ofCrypto = new Map()
    handles.set(crypto, ofCrypto)
  }
  const id = `${key.id} ${parameters.name} ${parameters.hash}`
  const known = ofCrypto.get(id)
  if (known !== undefined) return known
  const pkcs8 = key.kind.startsWith('RSA-PSS') ? asRsaEncryption(key.privateKey) : key.privateKey
  const handle = crypto.subtle.importKey('pkcs8', pkcs8 as BufferSource, parameters, false, [
    'sign',
  ])
  ofCrypto.set(id, handle)
  return handle
}

/** WebCrypto imports RSA keys only under rsaEncryption. */
function asRsaEncryption(pkcs8: Uint8Array): Uint8Array {
  const [version, , octets] = elementsOf(pkcs8) as [Uint8Array, Uint8Array, Uint8Array]
  return writeSequence(version, writeSequence(oid('1.2.840.113549.1.1.1'), writeNull()), octets)
}

/** From WebCrypto's r and s of equal length to Ecdsa-Sig-Value. RFC 3279 §2.2.3 */
function ecdsaSignature(raw: Uint8Array): Uint8Array {
  const half = raw.length / 2
  return writeSequence(unsigned(raw.subarray(0, half)), unsigned(raw.subarray(half)))
}

function unsigned(octets: Uint8Array): Uint8Array {
  let start = 0
  while (start < octets.length - 1 && octets[start] === 0) start++
  const minimal = octets.subarray(start)
  return minimal[0]! >= 0x80
    ? writeElement(0x02, Uint8Array.of(0), minimal)
    : writeElement(0x02, minimal)
}

interface NodeCrypto {
  sign(hash: string | undefined, data: Uint8Array, key: object): Uint8Array
}

function signWithNode(key: TestKey, scheme: SignatureScheme, data: Uint8Array): Uint8Array {
  const fits = fitting(scheme).test(key.kind)
  const { process } = globalThis as {
    process?: { getBuiltinModule?: (name: string) => NodeCrypto | undefined }
  }
  const node = process?.getBuiltinModule?.('node:crypto')
  if (!fits || node === undefined) {
    throw Object.assign(new TypeError(`cannot sign with ${key.kind} and ${scheme.name} here`), {
      code: 'testing-cannot-sign',
    })
  }
  const hash = 'hash' in scheme ? scheme.hash.replace('-', '') : undefined
  const saltLength =
    scheme.name === 'RSASSA-PSS' ? { padding: 6, saltLength: scheme.saltLength } : {}
  // Node lends its signature from a pool of buffers; asked for as a copy, it stays what it was.
  return Uint8Array.from(
    node.sign(hash, data, {
      key: toPem(key.privateKey, 'PRIVATE KEY'),
      ...saltLength,
    }),
  )
}

function fitting(scheme: SignatureScheme): RegExp {
  if (scheme.name.startsWith('RSA')) return /^RSA/
  if (scheme.name === 'ECDSA') return /^(P-|secp)/
  if (scheme.name === 'DSA') return /^DSA/
  return new RegExp(`^${scheme.name}$`)
}

function known(
  id: string | undefined,
  scheme: { readonly name: string; readonly hash: HashName },
): string {
  if (id === undefined)
    throw new TypeError(`no algorithm identifier for ${scheme.name} with ${scheme.hash}`)
  return id
}

const webHashes: ReadonlySet<HashName> = new Set(['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'])
const webCurves: ReadonlySet<KeyKind> = new Set(['P-256', 'P-384', 'P-521'])

const hashOids: { readonly [H in HashName]: string } = {
  MD5: '1.2.840.113549.2.5',
  'SHA-1': '1.3.14.3.2.26',
  'SHA-224': '2.16.840.1.101.3.4.2.4',
  'SHA-256': '2.16.840.1.101.3.4.2.1',
  'SHA-384': '2.16.840.1.101.3.4.2.2',
  'SHA-512': '2.16.840.1.101.3.4.2.3',
}
const rsaArcs: { readonly [H in HashName]: number } = {
  MD5: 4,
  'SHA-1': 5,
  'SHA-224': 14,
  'SHA-256': 11,
  'SHA-384': 12,
  'SHA-512': 13,
}
const ecdsaOids: { readonly [H in HashName]?: string } = {
  'SHA-1': '1.2.840.10045.4.1',
  'SHA-224': '1.2.840.10045.4.3.1',
  'SHA-256': '1.2.840.10045.4.3.2',
  'SHA-384': '1.2.840.10045.4.3.3',
  'SHA-512': '1.2.840.10045.4.3.4',
}
const dsaOids: { readonly [H in HashName]?: string } = {
  'SHA-1': '1.2.840.10040.4.3',
  'SHA-224': '2.16.840.1.101.3.4.3.1',
  'SHA-256': '2.16.840.1.101.3.4.3.2',
  'SHA-384': '2.16.840.1.101.3.4.3.3',
  'SHA-512': '2.16.840.1.101.3.4.3.4',
}
const plainOids: {
  readonly [N in Exclude<SignatureScheme, { hash: HashName }>['name']]: string
} = {
  Ed25519: '1.3.101.112',
  Ed448: '1.3.101.113',
  'ML-DSA-44': '2.16.840.1.101.3.4.3.17',
  'ML-DSA-65': '2.16.840.1.101.3.4.3.18',
  'ML-DSA-87': '2.16.840.1.101.3.4.3.19',
}
