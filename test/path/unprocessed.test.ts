import { describe, expect, test } from 'vitest'
import { parseTrustAnchors, validateClientCertificateSync } from '../../src/sync.ts'
import { issueCa, testTime } from '../../src/testing/index.ts'

describe('a critical extension that is read and not processed, RFC 5280 §4.2', async () => {
  const root = await issueCa('Root CA')

  test.each(['interoperable', 'rfc5280'] as const)('authorityInfoAccess, %s', async (profile) => {
    const judge = async (critical: boolean) => {
      const client = await root.issue('client', {
        authorityInfoAccess: { ocsp: 'http://ocsp.example' },
        criticality: { authorityInfoAccess: critical },
      })
      const verdict = validateClientCertificateSync(client, {
        trustAnchors: parseTrustAnchors(root),
        time: new Date(testTime * 1000),
        profile,
      })
      return verdict.ok ? undefined : verdict.failure
    }
    expect(await judge(true)).toEqual({
      code: 'unknown-critical-extension',
      index: 0,
      oid: '1.3.6.1.5.5.7.1.1',
    })
    expect(await judge(false)).toBeUndefined()
  })
})
