/** Many certificates, each really signed: one is issued as usual, and the others differ from it in a few octets. @module */

import { createPrivateKey, type KeyObject, randomFillSync, sign } from 'node:crypto'
import { writeBitString, writeSequence } from '../src/der/writer.ts'
import type { CertificateAuthority } from '../src/testing/index.ts'
import { parseCertificate } from '../src/x509/parse-certificate.ts'
import { clientOptions } from './material.ts'

/** Writes another serial number and another common name into the signed part, and signs that with the CA's P-256 key. */
export class QuickIssuer {
  readonly #tbs: Buffer
  readonly #algorithm: Uint8Array
  readonly #key: KeyObject
  readonly #serial: { readonly at: number; readonly length: number }
  readonly #nameAt: number
  #count = 0

  private constructor(tbs: Buffer, algorithm: Uint8Array, serial: Uint8Array, key: KeyObject) {
    this.#tbs = tbs
    this.#algorithm = algorithm
    this.#key = key
    this.#serial = { at: tbs.indexOf(serial), length: serial.length }
    this.#nameAt = tbs.indexOf(nameOf(0))
  }

  /** Clients have RSA keys: with those a certificate is large, and so is what a cache keeps of it. */
  static async under(ca: CertificateAuthority): Promise<QuickIssuer> {
    const { der } = await ca.issueBytes(nameOf(0), { ...clientOptions(first), key: 'RSA-2048' })
    const parsed = parseCertificate(der)
    if (!parsed.ok) throw new Error(parsed.failure.code)
    const { tbsCertificate, signatureAlgorithm } = parsed.value
    const key = createPrivateKey({
      key: Buffer.from(ca.key.privateKey),
      format: 'der',
      type: 'pkcs8',
    })
    const tbs = Buffer.from(tbsCertificate.der)
    return new QuickIssuer(tbs, signatureAlgorithm.der, tbsCertificate.serialNumber, key)
  }

  /** A million at most. */
  next(): Uint8Array {
    const tbs = this.#tbs
    const { at, length } = this.#serial
    // The first octet stays: positive, and as long.
    randomFillSync(tbs, at + 1, length - 1)
    tbs.write(nameOf(this.#count++), this.#nameAt, 'latin1')
    const signature = sign('sha256', tbs, this.#key)
    return writeSequence(tbs, this.#algorithm, writeBitString(signature))
  }
}

/** All of one length. */
function nameOf(index: number): string {
  return `client-${first + index}`
}

const first = 1_000_000
