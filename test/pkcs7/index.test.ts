import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeBase64 } from '../../src/base/base64.ts'
import { concatBytes } from '../../src/base/bytes.ts'
import { parsePkcs7 } from '../../src/pkcs7/index.ts'
import { createPki, issueVariant, toPem } from '../../src/testing/index.ts'
import { pkcs7Of } from './support.ts'

const pki = await createPki()
const all = [pki.client.der, pki.issuing.der, pki.root.der]
const bundle = pkcs7Of(all)
const certificatesOf = (input: string | Uint8Array) => {
  const read = parsePkcs7(input)
  return read.ok ? read.value.certificates.map(({ der }) => der) : read.failure.code
}

describe('a certs-only bundle, RFC 5652 §5', () => {
  test.each([
    ['DER', bundle],
    ['PEM with label PKCS7', toPem(bundle, 'PKCS7')],
    ['PEM with label CMS, as octets', new TextEncoder().encode(toPem(bundle, 'CMS'))],
    ['PEM with label CERTIFICATE, as Windows writes it', toPem(bundle, 'CERTIFICATE')],
    ['base64', encodeBase64(bundle)],
  ])('in %s gives every certificate from its own bytes', (_, input) => {
    expect(certificatesOf(input)).toEqual(all)
  })
  test('in BER of indefinite length', () => {
    const contents = bundle.subarray(2 + (bundle[1]! & 0x7f))
    const ber = concatBytes(Uint8Array.of(0x30, 0x80), contents, Uint8Array.of(0, 0))
    expect(certificatesOf(ber)).toEqual(all)
  })
  test.runIf(spawnSync('openssl', ['version']).status === 0)('that openssl wrote', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mtls-policy-p7-'))
    const file = join(folder, 'all.pem')
    writeFileSync(file, pki.chainPem + pki.anchorsPem)
    const argv = ['crl2pkcs7', '-nocrl', '-certfile', file, '-outform', 'DER']
    const made = execFileSync('openssl', argv)
    rmSync(folder, { recursive: true })
    expect(certificatesOf(made)).toEqual(all)
  })
})

describe('what is inside is read strictly', () => {
  test('a certificate in BER is left out and named', async () => {
    const { client } = await issueVariant('boolean-not-der')
    const read = parsePkcs7(pkcs7Of([pki.root.der, client.der]))
    expect(read.ok && read.value.certificates.map(({ der }) => der)).toEqual([pki.root.der])
    expect(read.ok && read.value.unreadable).toMatchObject([
      { index: 1, failure: { code: 'der-boolean' } },
    ])
  })
  test('a bundle of nothing else is a failure', async () => {
    const { client } = await issueVariant('boolean-not-der')
    expect(parsePkcs7(pkcs7Of([client.der]))).toMatchObject({
      failure: { code: 'pkcs7-unreadable', failure: { code: 'der-boolean' } },
    })
  })
})

describe('what is no bundle has a code', () => {
  test.each([
    ['nothing', '', 'pkcs7-empty'],
    ['text', 'hello', 'pkcs7-unrecognized'],
    ['a PEM of another kind', toPem(bundle, 'PRIVATE KEY'), 'pkcs7-unrecognized'],
    ['a PEM that is cut', toPem(bundle, 'PKCS7').slice(0, 300), 'pkcs7-unrecognized'],
    ['a certificate', pki.client.der, 'pkcs7-malformed'],
    ['a cut bundle', bundle.subarray(0, 200), 'pkcs7-malformed'],
    ['a bundle with an octet after it', concatBytes(bundle, Uint8Array.of(0)), 'pkcs7-malformed'],
    ['a bundle without certificates', pkcs7Of([]), 'pkcs7-no-certificates'],
    ['enveloped data', pkcs7Of(all, [], '1.2.840.113549.1.7.3'), 'pkcs7-not-signed-data'],
    ['more than 1 MiB', new Uint8Array(1_048_577), 'pkcs7-too-large'],
  ])('%s', (_, input, code) => {
    expect(certificatesOf(input)).toBe(code)
  })
  test('a tower of lengths costs no stack and no time', () => {
    const begin = performance.now()
    expect(certificatesOf(new Uint8Array(1_000_000).fill(0x30))).toBe('pkcs7-malformed')
    const indefinite = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i % 2 ? 0x80 : 0x30))
    expect(certificatesOf(indefinite)).toBe('pkcs7-malformed')
    expect(performance.now() - begin).toBeLessThan(2_000)
  })
})

describe('properties', () => {
  test('no bytes make it throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        parsePkcs7(concatBytes(Uint8Array.of(0x30), bytes))
        parsePkcs7(bytes)
      }),
    )
  })
  test('every certificate handed out stands in the bytes as it is', () => {
    const small = pkcs7Of([pki.client.der])
    fc.assert(
      fc.property(fc.nat(small.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const changed = Uint8Array.from(small)
        changed[at]! ^= by
        const read = parsePkcs7(changed)
        if (!read.ok) return
        for (const { der } of read.value.certificates) {
          expect(Buffer.from(changed).indexOf(der)).toBeGreaterThan(0)
        }
      }),
    )
  })
})
