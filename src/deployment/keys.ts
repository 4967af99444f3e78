/** Ed25519 keys: the manager signs, gateways pin the public key. RFC 8032 §5.1. @module */

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { decodeBase64, encodeBase64 } from '../base/base64.ts'
import { misuse } from '../client/misuse.ts'

/** Of the manager; never in a log, an answer or an export. */
export interface SigningKey {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/**
 * A new key.
 *
 * @example
 * const { publicKey } = generateSigningKey()
 * console.log(publicKeyText(publicKey).length) // 44
 */
export function generateSigningKey(): SigningKey {
  return generateKeyPairSync('ed25519')
}

/**
 * PKCS#8 in PEM.
 *
 * @example
 * const pem = signingKeyPem(generateSigningKey())
 * console.log(pem.split('\n')[0]) // -----BEGIN PRIVATE KEY-----
 */
export function signingKeyPem({ privateKey }: SigningKey): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/**
 * Reads an Ed25519 private key in PEM.
 *
 * @throws TypeError with code `option-invalid`, without a word of what was given.
 * @example
 * const key = generateSigningKey()
 * const same = readSigningKey(signingKeyPem(key))
 * console.log(publicKeyText(same.publicKey) === publicKeyText(key.publicKey)) // true
 */
export function readSigningKey(pem: string): SigningKey {
  try {
    const privateKey = createPrivateKey(pem)
    if (privateKey.asymmetricKeyType === 'ed25519') {
      return { privateKey, publicKey: createPublicKey(privateKey) }
    }
  } catch {
    // Whatever OpenSSL says of a key, its bytes are to blame, and they are a secret.
  }
  throw misuse('option-invalid', 'signingKey must be an Ed25519 private key in PEM', {
    option: 'signingKey',
  })
}

/**
 * Base64 of the 32 octets.
 *
 * @example
 * console.log(publicKeyText(generateSigningKey().publicKey).length) // 44
 */
export function publicKeyText(publicKey: KeyObject): string {
  const der = publicKey.export({ type: 'spki', format: 'der' })
  return encodeBase64(der.subarray(der.length - keyOctets))
}

/**
 * SubjectPublicKeyInfo in PEM: what gateways pin.
 *
 * @example
 * const pem = publicKeyPem(generateSigningKey().publicKey)
 * console.log(pem.split('\n')[0]) // -----BEGIN PUBLIC KEY-----
 */
export function publicKeyPem(publicKey: KeyObject): string {
  return publicKey.export({ type: 'spki', format: 'pem' }).toString()
}

/**
 * Reads a public key: PEM, or base64 of its 32 octets.
 *
 * @throws TypeError with code `option-invalid`.
 */
export function readPublicKey(text: string): KeyObject {
  const octets = decodeBase64(text)
  try {
    const key =
      octets?.length === keyOctets
        ? createPublicKey({
            key: Buffer.concat([spkiPrefix, octets]),
            type: 'spki',
            format: 'der',
          })
        : text.includes('PUBLIC KEY')
          ? createPublicKey(text)
          : undefined
    if (key?.asymmetricKeyType === 'ed25519') return key
  } catch {
    // No key, whatever OpenSSL calls it.
  }
  throw misuse('option-invalid', 'publicKey must be an Ed25519 public key: PEM or base64', {
    option: 'publicKey',
  })
}

export function signText(text: string, { privateKey }: Pick<SigningKey, 'privateKey'>): string {
  return encodeBase64(sign(null, Buffer.from(text), privateKey))
}

export function verifiesText(text: string, signature: string, publicKey: KeyObject): boolean {
  const octets = decodeBase64(signature)
  // One form of each signature: 64 octets, no white space.
  if (octets?.length !== 64 || encodeBase64(octets) !== signature) return false
  return verify(null, Buffer.from(text), publicKey, octets)
}

const keyOctets = 32
/** RFC 8410 §4: SEQUENCE { SEQUENCE { id-Ed25519 }, BIT STRING }. */
const spkiPrefix: Uint8Array = Buffer.from('302a300506032b6570032100', 'hex')
