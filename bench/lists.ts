/** Writes revocation lists of any length, with a key of the test PKI: octets into one array, no object for an entry. @module */

import * as crypto from 'node:crypto'
import { concatBytes } from '../src/base/bytes.ts'
import {
  writeBitString,
  writeElement,
  writeInteger,
  writeOctetString,
  writeSequence,
} from '../src/der/writer.ts'
import type { CertificateAuthority } from '../src/testing/index.ts'

/**
 * `usual`: serial numbers of 16 octets, one date for all, a reason on every tenth. `mixed`: serial numbers of 8 to 20 octets, a date
 * for each, a reason on all of them, and on every third the date from which the key was in doubt.
 */
export type ListShape = 'usual' | 'mixed'

export interface Entries {
  /** All of them, one after the other. */
  readonly der: Uint8Array
  /** How many of them `serialAt` knows: every tenth. */
  readonly listed: number
  /** Content octets of a serial number, a copy. None is kept: garbage would be collected while something else is timed. */
  readonly serialAt: (index: number) => Uint8Array
}

/** The same entries for the same arguments, in no order. */
export function writeEntries(count: number, shape: ListShape): Entries {
  const writer = new EntryWriter(count, shape)
  const starts = new Uint32Array(Math.ceil(count / 10))
  for (let i = 0; i < count; i++) {
    const start = writer.add(i)
    if (i % 10 === 0) starts[i / 10] = start
  }
  const der = writer.written
  const serialAt = (index: number): Uint8Array => {
    const start = (starts[index] as number) + 4
    return der.slice(start, start + (der[start - 1] as number))
  }
  return { der, listed: starts.length, serialAt }
}

export interface ListFields {
  /** Tells lists of one CA apart; the one with the higher number is the later one. */
  readonly number: number
  readonly entries: readonly Uint8Array[]
}

/** A complete list that is current at the time of the benchmarks, signed with ECDSA over SHA-256. */
export function signList(
  issuer: CertificateAuthority,
  { number, entries }: ListFields,
): Uint8Array {
  const { subject, extensions } = issuer.tbsCertificate
  const keyIdentifier = extensions.subjectKeyIdentifier?.keyIdentifier
  if (keyIdentifier === undefined) throw new Error('the issuer of the list has no key identifier')
  const thisUpdate = Date.UTC(2026, 4, 1) + number * 60_000
  const tbsCertList = writeSequence(
    octets('020101'),
    ecdsaWithSha256,
    subject.der,
    writeElement(0x17, utcTime(thisUpdate)),
    writeElement(0x17, utcTime(Date.UTC(2026, 10, 1))),
    ...(entries.length === 0 ? [] : [writeSequence(...entries)]),
    writeElement(
      0xa0,
      writeSequence(
        extension('0603551d23', writeSequence(writeElement(0x80, keyIdentifier))),
        extension('0603551d14', writeInteger(number)),
      ),
    ),
  )
  const key = crypto.createPrivateKey({
    key: Buffer.from(issuer.privateKey),
    format: 'der',
    type: 'pkcs8',
  })
  const signature = crypto.sign('sha256', tbsCertList, key)
  return writeSequence(tbsCertList, ecdsaWithSha256, writeBitString(signature))
}

/** One entry with a reason, for a certificate of this serial number. */
export function writeEntry(serialNumber: Uint8Array): Uint8Array {
  const revoked = writeElement(0x17, utcTime(Date.UTC(2026, 3, 1)))
  return writeSequence(writeElement(0x02, serialNumber), revoked, octets(reasonAlone))
}

class EntryWriter {
  readonly #shape: ListShape
  readonly #bytes: Uint8Array
  readonly #random = new Random(1)
  #end = 0

  constructor(count: number, shape: ListShape) {
    this.#shape = shape
    this.#bytes = new Uint8Array(count * maxEntry)
  }

  get written(): Uint8Array {
    return this.#bytes.slice(0, this.#end)
  }

  /** @returns Where it begins. */
  add(index: number): number {
    const isMixed = this.#shape === 'mixed'
    const random = this.#random
    const size = isMixed ? 8 + random.below(13) : 16
    const time = isMixed ? (dates[random.below(dates.length)] as Uint8Array) : sameTime
    const bytes = this.#bytes
    const start = this.#end
    const serial = start + 4
    bytes[start] = 0x30
    bytes[start + 2] = 0x02
    bytes[start + 3] = size
    for (let i = 0; i < size; i++) bytes[serial + i] = random.below(256)
    // Positive, and no octet too many.
    bytes[serial] = 0x40 | ((bytes[serial] as number) & 0x3f)
    let end = serial + size
    bytes[end] = 0x17
    bytes[end + 1] = time.length
    bytes.set(time, end + 2)
    end += 2 + time.length
    const extensions = this.#extensions(index)
    bytes.set(extensions, end)
    end += extensions.length
    bytes[start + 1] = end - start - 2
    this.#end = end
    return start
  }

  #extensions(index: number): Uint8Array {
    if (this.#shape === 'usual') return index % 10 === 0 ? usualReason : nothing
    const reasons = index % 3 === 0 ? doubted : explained
    return reasons[index % reasons.length] as Uint8Array
  }
}

/** Numerical Recipes' linear congruential generator: the lists shall be the same in every run. */
class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((this.#state / 0x1_0000_0000) * limit)
  }
}

function extension(oid: string, value: Uint8Array): Uint8Array {
  return writeSequence(octets(oid), writeOctetString(value))
}

/** @param time - Unix milliseconds, from 1950 to 2049. */
function utcTime(time: number): Uint8Array {
  const text = new Date(time).toISOString().replace(/\.\d+|[-:T]/g, '')
  return Buffer.from(text.slice(2), 'latin1')
}

function octets(hex: string): Uint8Array {
  return Buffer.from(hex, 'hex')
}

const ecdsaWithSha256 = octets('300a06082a8648ce3d040302')
const reasonAlone = '300c300a0603551d1504030a0101'
const usualReason = octets(reasonAlone)
const nothing = new Uint8Array(0)
const sameTime = utcTime(Date.UTC(2025, 5, 1))
const dates = Array.from({ length: 1200 }, (_, day) => utcTime(Date.UTC(2023, 0, 1 + day)))
/** Each reason that a complete list may have: RFC 5280 §5.3.1. */
const reasonValues: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 9, 10]
const reasons = reasonValues.map((value) =>
  extension('0603551d15', writeElement(0x0a, Uint8Array.of(value))),
)
const invalidityDate = extension(
  '0603551d18',
  writeElement(0x18, Buffer.from('20250401000000Z', 'latin1')),
)
const explained = reasons.map((reason) => writeSequence(reason))
const doubted = reasons.map((reason) => writeSequence(concatBytes(reason, invalidityDate)))
/** Octets of the longest entry: 4 + 20, a time of 15, and two extensions in 39. */
const maxEntry = 80
