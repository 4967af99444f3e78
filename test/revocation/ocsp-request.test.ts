import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { fromHex } from '../../src/base/hex.ts'
import {
  writeElement,
  writeInteger,
  writeNull,
  writeObjectIdentifier,
  writeOctetString,
  writeSequence,
} from '../../src/der/writer.ts'
import { buildOcspRequest, type OcspRequestOptions } from '../../src/revocation/ocsp-request.ts'
import { issueCa } from '../../src/testing/index.ts'
import type { Certificate } from '../../src/x509/certificate.ts'
import { Counter, statusIssuer } from './ocsp-support.ts'

const root = await issueCa('Root CA')
const client = await root.issue('client-a', { serialNumber: 5 })

function requestFor(certificate: Certificate, options?: OcspRequestOptions): Uint8Array {
  return new Counter().run(buildOcspRequest(certificate, statusIssuer(root), options))
}

function certID(hash: 'sha1' | 'sha256', oid: string): Uint8Array {
  const { subject, subjectPublicKeyInfo } = root.tbsCertificate
  const digest = (data: Uint8Array) => writeOctetString(createHash(hash).update(data).digest())
  return writeSequence(
    writeSequence(writeObjectIdentifier(oid), writeNull()),
    digest(subject.der),
    digest(subjectPublicKeyInfo.subjectPublicKey),
    writeInteger(5),
  )
}

describe('a request, RFC 6960 §4.1.1', () => {
  test('by default by SHA-1, without version, requestor and extensions', () => {
    expect(requestFor(client)).toEqual(
      writeSequence(writeSequence(writeSequence(writeSequence(certID('sha1', '1.3.14.3.2.26'))))),
    )
  })

  test('by SHA-256', () => {
    const id = certID('sha256', '2.16.840.1.101.3.4.2.1')
    expect(requestFor(client, { hash: 'SHA-256' })).toEqual(
      writeSequence(writeSequence(writeSequence(writeSequence(id)))),
    )
  })

  test('with a nonce, RFC 9654 §2.1', () => {
    const nonce = fromHex('00112233445566778899aabbccddeeff') as Uint8Array
    const extension = writeSequence(
      writeObjectIdentifier('1.3.6.1.5.5.7.48.1.2'),
      writeOctetString(writeOctetString(nonce)),
    )
    const list = writeSequence(writeSequence(certID('sha1', '1.3.14.3.2.26')))
    expect(requestFor(client, { nonce })).toEqual(
      writeSequence(writeSequence(list, writeElement(0xa2, writeSequence(extension)))),
    )
  })

  test('a serial number stands as in the certificate', async () => {
    const serialNumber = fromHex('8000000000000000000000000000000000000001') as Uint8Array
    const negative = await root.issue('client-b', { serialNumber })
    expect(requestFor(negative).subarray(-22)).toEqual(writeElement(0x02, serialNumber))
  })

  test('the name is hashed as the certificate writes it', async () => {
    const shouting = await root.issue('client-c', { issuer: 'ROOT CA', serialNumber: 5 })
    const { issuer } = shouting.tbsCertificate
    const expected = createHash('sha1').update(issuer.der).digest()
    expect(Buffer.from(requestFor(shouting)).includes(expected)).toBe(true)
  })

  test.each([0, 129])('a nonce of %i octets is misuse', (length) => {
    const build = () => requestFor(client, { nonce: new Uint8Array(length) })
    expect(build).toThrow(RangeError)
    expect(build).toThrow(expect.objectContaining({ code: 'ocsp-nonce-length' }))
  })

  test.each([1, 128])('a nonce of %i octets is none', (length) => {
    expect(requestFor(client, { nonce: new Uint8Array(length) }).length).toBeGreaterThan(length)
  })
})
