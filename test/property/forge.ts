/**
 * Certificates in one synchronous step, for tests that want hundreds of thousands: what `src/testing` encodes, signed by
 * `node:crypto` with keys of the pool.
 * @module
 */

import * as crypto from 'node:crypto'
import type { SignatureScheme } from '../../src/base/signature-scheme.ts'
import { writeBitString, writeSequence } from '../../src/der/writer.ts'
import { constructed, integer, primitive, time } from '../../src/testing/encode.ts'
import { type ExtensionOptions, encodeExtensions } from '../../src/testing/extensions.ts'
import { defaultValidity } from '../../src/testing/issue.ts'
import { poolKey, type TestKey } from '../../src/testing/keys.ts'
import { encodeName, type NameInput } from '../../src/testing/names.ts'
import { encodeScheme, usualScheme } from '../../src/testing/sign.ts'

/** A name and a key that sign. */
export interface Signer {
  readonly name: NameInput
  readonly key: TestKey
  /** DER of a certificate for them. */
  readonly der: Uint8Array
  /** Its subject key identifier. */
  readonly keyIdentifier: Uint8Array
}

/** One certificate to be. Nothing is defaulted but what a certificate cannot do without. */
export interface Plan extends ExtensionOptions {
  readonly subject: NameInput
  readonly issuer: NameInput
  readonly key: TestKey
  readonly serialNumber?: number | bigint | Uint8Array
  /** Unix seconds. */
  readonly notBefore?: number
  readonly notAfter?: number
  readonly version?: 1 | 2 | 3
  readonly issuerUniqueID?: Uint8Array
  /** In place of the key's own. */
  readonly subjectPublicKeyInfo?: Uint8Array
  /** AlgorithmIdentifier of the signed part; default: that of the signing scheme. */
  readonly algorithm?: Uint8Array
}

export function encodeTbs(plan: Plan, algorithm: Uint8Array): Uint8Array {
  const version = plan.version ?? 3
  const extensions = encodeExtensions(plan)
  return writeSequence(
    ...(version === 1 ? [] : [constructed(0, integer(version - 1))]),
    integer(plan.serialNumber ?? 1),
    plan.algorithm ?? algorithm,
    encodeName(plan.issuer),
    writeSequence(
      time(plan.notBefore ?? defaultValidity.notBefore),
      time(plan.notAfter ?? defaultValidity.notAfter),
    ),
    encodeName(plan.subject),
    plan.subjectPublicKeyInfo ?? plan.key.publicKey,
    ...(plan.issuerUniqueID ? [primitive(1, Uint8Array.of(0), plan.issuerUniqueID)] : []),
    ...(extensions.length === 0 ? [] : [constructed(3, writeSequence(...extensions))]),
  )
}

/** Signs `tbs` and puts the certificate together. @param algorithm - Of the outer part. */
export function signTbs(
  tbs: Uint8Array,
  key: TestKey,
  algorithm: Uint8Array,
  scheme: SignatureScheme = usualScheme(key.kind),
): Uint8Array {
  return writeSequence(tbs, algorithm, writeBitString(signature(tbs, key, scheme)))
}

/** Issues what `plan` says. */
export function forge(
  plan: Plan,
  signingKey: TestKey,
  scheme: SignatureScheme = usualScheme(signingKey.kind),
): Uint8Array {
  const algorithm = encodeScheme(scheme)
  return signTbs(encodeTbs(plan, algorithm), signingKey, plan.algorithm ?? algorithm, scheme)
}

/** A self-signed CA. */
export function forgeRoot(name: NameInput, key: TestKey, options: Partial<Plan> = {}): Signer {
  const keyIdentifier = identifierOf(key)
  const plan = { ...caExtensions, subjectKeyIdentifier: keyIdentifier, ...options }
  return {
    name,
    key,
    keyIdentifier,
    der: forge({ ...plan, subject: name, issuer: name, key }, key),
  }
}

/** A CA under `issuer`. */
export function forgeCa(
  issuer: Signer,
  name: NameInput,
  key: TestKey,
  options: Partial<Plan> = {},
): Signer {
  const keyIdentifier = identifierOf(key)
  const plan = {
    ...caExtensions,
    subjectKeyIdentifier: keyIdentifier,
    authorityKeyIdentifier: { keyIdentifier: issuer.keyIdentifier },
    subject: name,
    issuer: issuer.name,
    key,
    ...options,
  }
  return { name, key, keyIdentifier, der: forge(plan, issuer.key) }
}

/** A client under `issuer`. */
export function forgeClient(issuer: Signer, options: Partial<Plan> = {}): Uint8Array {
  return forge(clientPlan(issuer, options), issuer.key)
}

export function clientPlan(issuer: Signer, options: Partial<Plan> = {}): Plan {
  return {
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: ['clientAuth'],
    authorityKeyIdentifier: { keyIdentifier: issuer.keyIdentifier },
    subject: 'CN=client-a,O=Example',
    issuer: issuer.name,
    key: clientKey,
    ...options,
  }
}

function identifierOf(key: TestKey): Uint8Array {
  return Uint8Array.from(crypto.createHash('sha1').update(key.publicKey).digest())
}

export function signature(data: Uint8Array, key: TestKey, scheme: SignatureScheme): Uint8Array {
  const hash = 'hash' in scheme ? scheme.hash.replace('-', '') : null
  const options =
    scheme.name === 'RSASSA-PSS'
      ? {
          key: handle(key),
          padding: crypto.constants.RSA_PKCS1_PSS_PADDING,
          saltLength: scheme.saltLength,
        }
      : handle(key)
  return Uint8Array.from(crypto.sign(hash, data, options))
}

/** Whether `key` made the signature, with its usual scheme. */
export function verifies(data: Uint8Array, signature: Uint8Array, key: TestKey): boolean {
  const scheme = usualScheme(key.kind)
  const hash = 'hash' in scheme ? scheme.hash.replace('-', '') : null
  const padding = crypto.constants.RSA_PKCS1_PSS_PADDING
  const handle = crypto.createPublicKey({
    key: Buffer.from(key.publicKey),
    format: 'der',
    type: 'spki',
  })
  return crypto.verify(
    hash,
    data,
    scheme.name === 'RSASSA-PSS' ? { key: handle, padding } : handle,
    signature,
  )
}

const handles = new Map<string, crypto.KeyObject>()

function handle(key: TestKey): crypto.KeyObject {
  let known = handles.get(key.id)
  if (known === undefined) {
    known = crypto.createPrivateKey({
      key: Buffer.from(key.privateKey),
      format: 'der',
      type: 'pkcs8',
    })
    handles.set(key.id, known)
  }
  return known
}

const clientKey: TestKey = poolKey('P-256', 63)

const caExtensions: ExtensionOptions = {
  basicConstraints: { cA: true },
  keyUsage: ['keyCertSign', 'cRLSign'],
}
