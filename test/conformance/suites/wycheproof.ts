/** Wycheproof's signature vectors, each wrapped as X.509 would carry it. @module */
import type { HashName } from '../../../src/base/signature-scheme.ts'
import { contextConstructed } from '../../../src/der/tags.ts'
import {
  writeBitString,
  writeElement,
  writeInteger,
  writeNull,
  writeObjectIdentifier,
  writeSequence,
} from '../../../src/der/writer.ts'
import { bytesOf } from '../inputs.ts'
import { bothDrivers, type Case, type Suite } from '../suite.ts'
import { judgeSignature } from './signed-data.ts'

interface Group {
  readonly id: string
  /** Base64 of the SubjectPublicKeyInfo. */
  readonly spki: string
  /** Dotted decimal, of the signature algorithm. */
  readonly oid: string
  /** `rsa-pkcs1`, `rsa-pss`, `ecdsa-p256`, `ed25519`, `ml-dsa-44` … */
  readonly algorithm: string
  readonly pss?: {
    readonly hash: HashName
    readonly mgf_hash: HashName
    /** In octets. */
    readonly salt_length: number
  }
}

interface WycheproofCase {
  readonly id: string
  readonly group: string
  readonly msg: string
  /** The octets inside the BIT STRING. */
  readonly sig: string
  readonly result: 'valid' | 'invalid' | 'acceptable'
  /** ML-DSA's context, base64. */
  readonly context?: string
}

export const wycheproof: Suite = {
  name: 'wycheproof-signatures',
  file: 'wycheproof-signatures.json.gz',
  drivers: bothDrivers,
  profiles: ['interoperable'],
  recognises: ({ groups }) => Array.isArray(groups),
  read({ groups, cases }) {
    const byId = new Map((groups as readonly Group[]).map((group) => [group.id, group]))
    return (cases as unknown as readonly WycheproofCase[]).map((one) => {
      const group = byId.get(one.group)
      if (group === undefined) throw new Error(`wycheproof: ${one.id} has no group ${one.group}`)
      return readCase(one, group)
    })
  },
}

function readCase(one: WycheproofCase, group: Group): Case {
  return {
    id: one.id,
    run: (driver) =>
      judgeSignature(driver, expectedOf(one), {
        spki: bytesOf(group.spki),
        algorithm: algorithmOf(group),
        data: bytesOf(one.msg),
        signature: writeBitString(bytesOf(one.sig)),
      }),
  }
}

function expectedOf({ result, context }: WycheproofCase): boolean | undefined {
  if (result === 'acceptable') return undefined
  // X.509 signs with the empty context, so a signature with another one does not count. RFC 9881 §3
  return result === 'valid' && (context ?? '') === ''
}

/** The AlgorithmIdentifier of a certificate with such a signature. */
function algorithmOf({ oid, algorithm, pss }: Group): Uint8Array {
  if (pss) return writeSequence(writeObjectIdentifier(oid), pssParameters(pss))
  const parameters = algorithm === 'rsa-pkcs1' ? [writeNull()] : []
  return writeSequence(writeObjectIdentifier(oid), ...parameters)
}

/** RSASSA-PSS-params; what equals its DEFAULT is not encoded. RFC 4055 §3.1 */
function pssParameters(pss: NonNullable<Group['pss']>): Uint8Array {
  const fields: Uint8Array[] = []
  const field = (number: number, value: Uint8Array): void => {
    fields.push(writeElement(contextConstructed(number), value))
  }
  if (pss.hash !== 'SHA-1') field(0, hashAlgorithm(pss.hash))
  if (pss.mgf_hash !== 'SHA-1') {
    field(1, writeSequence(writeObjectIdentifier(mgf1), hashAlgorithm(pss.mgf_hash)))
  }
  if (pss.salt_length !== 20) field(2, writeInteger(pss.salt_length))
  return writeSequence(...fields)
}

function hashAlgorithm(hash: HashName): Uint8Array {
  return writeSequence(writeObjectIdentifier(hashes[hash]), writeNull())
}

const mgf1 = '1.2.840.113549.1.1.8'

const hashes: Readonly<Record<HashName, string>> = {
  MD5: '1.2.840.113549.2.5',
  'SHA-1': '1.3.14.3.2.26',
  'SHA-224': '2.16.840.1.101.3.4.2.4',
  'SHA-256': '2.16.840.1.101.3.4.2.1',
  'SHA-384': '2.16.840.1.101.3.4.2.2',
  'SHA-512': '2.16.840.1.101.3.4.2.3',
}
