import { describe, expect, test } from 'vitest'
import { parseTrustAnchors, validateClientCertificateSync } from '../../src/sync.ts'
import { issueCa, testTime } from '../../src/testing/index.ts'

describe('an anchor without authority key identifier, RFC 5280 §4.2.1.1', async () => {
  const upper = await issueCa('Upper CA')
  const crossSigned = await upper.issueCa('Anchor', { authorityKeyIdentifier: 'absent' })
  const selfSigned = await issueCa('Self-signed')

  test.each([
    ['rfc5280', 'authority-key-identifier-missing'],
    ['interoperable', undefined],
  ] as const)('that another CA signed, profile %s: %s', async (profile, code) => {
    const verdict = validateClientCertificateSync(await crossSigned.issue('client'), {
      trustAnchors: parseTrustAnchors(crossSigned),
      time: new Date(testTime * 1000),
      profile,
    })
    expect(verdict.ok ? undefined : verdict.failure.code).toBe(code)
    if (!verdict.ok) expect(verdict.failure).toMatchObject({ index: 1 })
  })

  test('that is self-signed is excepted, whatever it says', async () => {
    const anchor = await issueCa('Self-signed', { authorityKeyIdentifier: 'absent' })
    const verdict = validateClientCertificateSync(await selfSigned.issue('client'), {
      trustAnchors: parseTrustAnchors(anchor),
      time: new Date(testTime * 1000),
      profile: 'rfc5280',
    })
    expect(verdict.ok).toBe(true)
  })
})
