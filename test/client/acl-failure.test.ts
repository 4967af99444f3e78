import { describe, expect, test } from 'vitest'
import { parseClientAcl, parseIssuerAcl } from '../../src/acl/index.ts'
import {
  createClientCertificateValidatorSync,
  parseTrustAnchors,
  type ValidateOptionsSync,
  validateClientCertificateSync,
} from '../../src/sync.ts'
import { issueCa, testTime } from '../../src/testing/index.ts'

describe('a refusal by an ACL holds its code and the entry that decided, and nothing else', async () => {
  const root = await issueCa('Root CA')
  const client = await root.issue('client')
  const judge = (options: object) => {
    const verdict = validateClientCertificateSync(client, {
      trustAnchors: parseTrustAnchors(root),
      time: new Date(testTime * 1000),
      ...options,
    } as ValidateOptionsSync)
    return verdict.ok ? undefined : verdict.failure
  }

  test.each([
    ['', 'acl-empty'],
    ['allow dn "CN=Other"', 'issuer-not-allowed'],
  ])('issuer ACL %j: %s', (text, code) => {
    expect(judge({ issuerAcl: parseIssuerAcl(text) })).toEqual({ code })
    expect(
      judge({
        issuerAcl: parseIssuerAcl(text),
        validateCertificate: false,
        trustAnchors: undefined,
      }),
    ).toEqual({ code })
  })

  test('a denial has its entry, without when it expires', () => {
    const issuerAcl = parseIssuerAcl(
      'deny dn "CN=Root CA" expires 2040-01-01T00:00:00Z note "closed"',
    )
    expect(judge({ issuerAcl })).toEqual({ code: 'issuer-denied', entry: issuerAcl.entries[0] })
    const clientAcl = parseClientAcl('deny dn "CN=client"')
    expect(judge({ clientAcl })).toEqual({ code: 'client-denied', entry: clientAcl.entries[0] })
  })
})

test.each([Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY, '9'])(
  'a cache of %j verdicts is none',
  async (verdicts) => {
    const trustAnchors = parseTrustAnchors(await issueCa('Root CA'))
    expect(() =>
      createClientCertificateValidatorSync({ trustAnchors }, { verdicts: verdicts as number }),
    ).toThrow(expect.objectContaining({ code: 'option-invalid', option: 'verdicts' }))
  },
)
