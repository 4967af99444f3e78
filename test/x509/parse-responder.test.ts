import { describe, expect, test } from 'vitest'
import { writeBoolean, writeSequence } from '../../src/der/writer.ts'
import { type CertificateOptions, issueCa } from '../../src/testing/index.ts'
import { isParsedCertificate, parseCertificate } from '../../src/x509/parse-certificate.ts'
import { parseResponderCertificate } from '../../src/x509/parse-responder.ts'

const root = await issueCa('Root CA')
const empty = writeSequence()
const subjectAltName = '2.5.29.17'

async function read(options: CertificateOptions) {
  const { der } = await root.issueBytes('Responder', {
    extendedKeyUsage: ['OCSPSigning'],
    key: 'P-256#9',
    ...options,
  })
  return { der, parsed: parseResponderCertificate(der), strict: parseCertificate(der) }
}

describe("a responder's certificate", () => {
  test('without a flaw is read as any other', async () => {
    const { parsed } = await read({ subjectAltName: [{ dns: 'ocsp.example' }] })
    expect(parsed.ok && isParsedCertificate(parsed.value)).toBe(true)
  })

  test('may have a subjectAltName without a name: every other field is as it stands', async () => {
    const { parsed, strict, der } = await read({
      rawExtensions: [{ oid: subjectAltName, value: empty }],
    })
    const right = await read({})
    expect(strict).toMatchObject({ failure: { code: 'der-truncated' } })
    if (!parsed.ok || !right.strict.ok) throw new Error('not read')
    const { extensions, ...fields } = parsed.value.tbsCertificate
    const { serialNumber: _serial, der: _der, ...expected } = right.strict.value.tbsCertificate
    const { extensions: others, ...rest } = expected
    expect(fields).toMatchObject(rest)
    expect(extensions).toMatchObject({
      extendedKeyUsage: others.extendedKeyUsage,
      keyUsage: others.keyUsage,
    })
    expect(extensions.subjectAltName).toBeUndefined()
    expect(extensions.all.map(({ oid }) => oid)).toContain(subjectAltName)
    expect(parsed.value.der).toBe(der)
    expect(isParsedCertificate(parsed.value)).toBe(false)
  })

  const flawed = { oid: subjectAltName, value: empty }
  const notBoolean = { oid: '1.2.3', critical: true, value: writeBoolean(true) }
  test.each<[string, CertificateOptions, string]>([
    ['critical', { rawExtensions: [{ ...flawed, critical: true }] }, 'der-truncated'],
    ['twice', { rawExtensions: [flawed, flawed] }, 'der-truncated'],
    [
      'beside another malformed extension',
      { rawExtensions: [flawed, { oid: '2.5.29.19', value: writeBoolean(true) }] },
      'der-truncated',
    ],
    [
      'beside another signature algorithm',
      {
        rawExtensions: [flawed, notBoolean],
        signatureAlgorithm: { name: 'ECDSA', hash: 'SHA-384' },
      },
      'der-truncated',
    ],
  ])('with that flaw %s is refused', async (_, options, code) => {
    expect((await read(options)).parsed).toMatchObject({ ok: false, failure: { code } })
  })

  test.each([
    ['nothing', new Uint8Array()],
    ['no certificate', writeSequence()],
    ['half of one', root.der.subarray(0, 100)],
  ])('%s is refused as any other', (_, der) => {
    expect(parseResponderCertificate(der)).toEqual(parseCertificate(der))
  })
})
