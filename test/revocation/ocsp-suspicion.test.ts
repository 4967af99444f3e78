import { expect, test } from 'vitest'
import { parseTrustAnchors } from '../../src/index.ts'
import { parseOcspResponses } from '../../src/revocation.ts'
import { validateClientCertificateSync } from '../../src/sync.ts'
import { issueCa, poolKey, testTime } from '../../src/testing/index.ts'

const root = await issueCa('Root of a suspicious responder')
const client = await root.issue('client')
const trustAnchors = parseTrustAnchors(root)
const time = new Date(testTime * 1000)
const revoked = { certStatus: 'revoked' as const, certificate: client }

test('forged responses that use up the budget let no revoked client in, whatever the rule', async () => {
  const forged = await Promise.all(
    Array.from({ length: 150 }, (_, i) =>
      root.issueOcspResponse({
        responses: [revoked],
        producedAt: testTime - 100 - i,
        signingKey: poolKey('P-256', 7),
      }),
    ),
  )
  const genuine = await root.issueOcspResponse({ responses: [revoked] })
  const ocspResponses = parseOcspResponses([...forged, genuine].map(({ der }) => der))
  const options = {
    trustAnchors,
    time,
    revocation: { mode: 'ocsp', ocspResponses, onUnknown: 'allow' },
  } as const
  const first = validateClientCertificateSync(client, options)
  expect(first).toMatchObject({ ok: false, failure: { code: 'revocation-unknown', index: 0 } })
  // What did not verify is remembered, so that the next call gets further.
  const second = validateClientCertificateSync(client, options)
  expect(second).toMatchObject({ ok: false, failure: { code: 'certificate-revoked', index: 0 } })
})
