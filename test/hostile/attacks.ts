/** Certificates that cost whoever reads them: made by anybody, because nothing in them is signed by a trusted key. @module */

import * as crypto from 'node:crypto'
import { concatBytes } from '../../src/base/bytes.ts'
import { writeBitString, writeElement, writeNull, writeSequence } from '../../src/der/writer.ts'
import { oid } from '../../src/testing/encode.ts'
import { poolKey, type TestKey } from '../../src/testing/keys.ts'
import { encodeScheme, usualScheme } from '../../src/testing/sign.ts'
import { encodeTbs, type Plan } from '../property/forge.ts'

export type Kind = 'P-256' | 'P-521' | 'RSA-8192'

/** A public key that nobody can sign with, as expensive to check with as any of its kind. @param index - Same index, same key. */
export function publicKey(kind: Kind, index: number): Uint8Array {
  const id = `${kind} ${index}`
  const known = publicKeys.get(id) ?? makePublicKey(kind)
  publicKeys.set(id, known)
  return known
}

const publicKeys = new Map<string, Uint8Array>()

function makePublicKey(kind: Kind): Uint8Array {
  if (kind === 'RSA-8192') {
    const modulus = crypto.randomBytes(1024)
    modulus[0]! |= 0x80
    modulus[1023]! |= 1
    const key = writeSequence(
      writeElement(2, Uint8Array.of(0), modulus),
      writeElement(2, Uint8Array.of(1, 0xff, 0xff, 0xff, 0xff)),
    )
    return writeSequence(
      writeSequence(oid('1.2.840.113549.1.1.1'), writeNull()),
      writeBitString(key),
    )
  }
  const pair = crypto.generateKeyPairSync('ec', { namedCurve: kind })
  return Uint8Array.from(pair.publicKey.export({ format: 'der', type: 'spki' }))
}

/** A certificate with a signature that is well-formed and wrong. @param kind - Of the key that is said to have signed. */
export function unsigned(plan: Omit<Plan, 'key'>, kind: Kind): Uint8Array {
  const algorithm = encodeScheme(usualScheme(kind))
  const tbs = encodeTbs({ ...plan, key: anyKey }, algorithm)
  return writeSequence(tbs, algorithm, writeBitString(wrongSignature(kind)))
}

function wrongSignature(kind: Kind): Uint8Array {
  if (kind === 'RSA-8192') return concatBytes(Uint8Array.of(0), crypto.randomBytes(1023))
  const octets = kind === 'P-256' ? 32 : 64
  const number = () =>
    writeElement(2, Uint8Array.of(1 + crypto.randomInt(0x7e)), crypto.randomBytes(octets - 1))
  return writeSequence(number(), number())
}

/**
 * - `one name`: CAs of one name, each of which may have issued each
 * - `two names`: the same, and none of them is self-issued
 * - `star`: CAs of one name, each of which the anchor may have issued: as many whole paths
 */
export type Shape = 'one name' | 'two names' | 'star'

/**
 * CAs that look alike; their signatures are wrong, since a search that checks them pays all the same.
 *
 * @param keyIdentifiers - `matching`: the key identifiers say that each of them issued each.
 */
export function mesh(
  kind: Kind,
  size: number,
  keyIdentifiers: 'absent' | 'matching',
  shape: Shape,
): readonly Uint8Array[] {
  const identifiers: Partial<Plan> =
    keyIdentifiers === 'absent'
      ? {}
      : { subjectKeyIdentifier: identifier, authorityKeyIdentifier: { keyIdentifier: identifier } }
  return Array.from({ length: size }, (_, i) =>
    unsigned(
      {
        ...identifiers,
        basicConstraints: { cA: true },
        keyUsage: ['keyCertSign'],
        serialNumber: i + 1,
        subject: meshName(shape === 'two names' ? i % 2 : 0),
        issuer: shape === 'star' ? anchorName : meshName(shape === 'two names' ? (i + 1) % 2 : 0),
        subjectPublicKeyInfo: publicKey(kind, i),
      },
      kind,
    ),
  )
}

/** The subject of the mesh's certificates. */
export function meshName(number: number): string {
  return `CN=Mesh ${number},O=Example`
}

export const anchorName = 'CN=Anchor,O=Example'

export const identifier: Uint8Array = new Uint8Array(20).fill(7)

const anyKey: TestKey = poolKey('P-256', 0)
