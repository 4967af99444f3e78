/** The clients of the row about caches are what they say: certificates of their own, each accepted. @module */

import { expect, test } from 'vitest'
import { benchTime, validity } from '../../bench/material.ts'
import { QuickIssuer } from '../../bench/quick-issuer.ts'
import { percentPem } from '../../bench/requests.ts'
import { parseTrustAnchors } from '../../src/index.ts'
import { validateClientCertificateSync } from '../../src/sync.ts'
import { issueCa } from '../../src/testing/index.ts'
import { parseCertificate } from '../../src/x509/parse-certificate.ts'

const ca = await issueCa('Root', validity)

test('certificates that differ in a few octets are all signed, and no two are the same', async () => {
  const issuer = await QuickIssuer.under(ca)
  const all = Array.from({ length: 100 }, () => issuer.next())
  const serials = new Set<string>()
  const subjects = new Set<string>()
  for (const der of all) {
    const verdict = validateClientCertificateSync(der, {
      trustAnchors: parseTrustAnchors(ca.der),
      time: benchTime,
    })
    expect(verdict.ok || verdict.failure.code).toBe(true)
    if (verdict.ok && verdict.verified) subjects.add(verdict.identity.subject)
    const parsed = parseCertificate(der)
    if (parsed.ok)
      serials.add(Buffer.from(parsed.value.tbsCertificate.serialNumber).toString('hex'))
  }
  expect(serials.size).toBe(100)
  expect(subjects.size).toBe(100)
  expect([...subjects][7]).toBe('CN=client-1000007,O=Example Bank A.S.,C=TR')
})

test('what is percent-encoded is PEM again when it is decoded', () => {
  const text = percentPem(ca.der)
  expect(text).toMatch(/^-----BEGIN%20CERTIFICATE-----%0A[\w%.~-]+%0A$/)
  expect(decodeURIComponent(text)).toBe(ca.pem)
})
