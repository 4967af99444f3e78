/** A source under validation: the stated rule is obeyed whatever the responder does. */

import { beforeAll, describe, expect, test } from 'vitest'
import { parseTrustAnchors, validateClientCertificate } from '../../../src/index.node.ts'
import {
  type CertificateAuthority,
  type IssuedCertificate,
  issueCa,
  type Responder,
  type ResponderFault,
  testTime,
} from '../../../src/testing/index.ts'
import { pointsTo, respondWith, sourceWith, type Watched } from './support.ts'

let ca: CertificateAuthority
let responder: Responder
let good: IssuedCertificate
let revoked: IssuedCertificate
let source: Watched

beforeAll(async () => {
  ca = await issueCa('Root CA')
})

async function prepare(timeout = 500): Promise<void> {
  responder = await respondWith({ '/ca.crl': { crlOf: ca }, '/ocsp': { ocspOf: ca } })
  const where = {
    ...pointsTo(responder.url('/ca.crl')),
    authorityInfoAccess: { ocsp: responder.url('/ocsp') },
  }
  good = await ca.issue('good', where)
  revoked = await ca.issue('revoked', where)
  responder.set('/ca.crl', { crlOf: ca, options: { revoked: [revoked] } })
  responder.set('/ocsp', {
    ocspOf: ca,
    statuses: [{ certificate: revoked, certStatus: 'revoked' }],
  })
  source = sourceWith({
    crls: { distributionPoints: true },
    ocsp: { responder: 'aia' },
    timeout,
    maxBytes: 1_000_000,
  })
}

/** What a validation says: `ok`, or the code of the failure. */
async function decide(
  certificate: IssuedCertificate,
  mode: 'crl' | 'ocsp',
  wait: number,
  onUnknown: 'deny' | 'allow' = 'deny',
): Promise<string> {
  const rest = { source, wait, onUnknown }
  const verdict = await validateClientCertificate(certificate.pem, {
    trustAnchors: parseTrustAnchors(ca.pem),
    time: new Date(testTime * 1000),
    revocation: mode === 'crl' ? { mode, ...rest } : { mode, ...rest },
  })
  return verdict.ok ? 'ok' : verdict.failure.code
}

describe.each(['crl', 'ocsp'] as const)('by %s', (mode) => {
  const path = mode === 'crl' ? '/ca.crl' : '/ocsp'

  test('a validation that waits is decided by what comes', async () => {
    await prepare()
    expect(await decide(good, mode, 5_000)).toBe('ok')
    expect(await decide(revoked, mode, 5_000)).toBe('certificate-revoked')
  })

  test('a validation that does not wait refuses, and the next one is decided', async () => {
    await prepare()
    expect(await decide(good, mode, 0)).toBe('revocation-unknown')
    await source.refresh()
    expect(await decide(good, mode, 0)).toBe('ok')
  })

  test.each<ResponderFault['kind']>([
    'reset',
    'never',
    'slow',
    'drip',
    'truncated',
    'status',
    'redirect',
    'huge',
    'gzip-bomb',
    'not-modified',
    'wrong-content',
    'wrong-signer',
    'stale',
  ])(
    '%s: unknown is refused or let in as the rule says, and never a revoked one called good',
    async (fault) => {
      await prepare()
      responder.fail(path, fault === 'redirect' ? { kind: fault, to: 'other-host' } : fault)
      const begin = performance.now()
      expect(await decide(good, mode, 400)).toBe('revocation-unknown')
      expect(await decide(good, mode, 400, 'allow')).toBe('ok')
      expect(await decide(revoked, mode, 400)).toMatch(
        /^(?:revocation-unknown|certificate-revoked)$/,
      )
      expect(performance.now() - begin).toBeLessThan(5_000)
    },
  )

  test('a thousand validations at once on a cold cache make one fetch', async () => {
    await prepare(10_000)
    const verdicts = await Promise.all(
      Array.from({ length: 1_000 }, () => decide(good, mode, 10_000)),
    )
    expect(new Set(verdicts)).toEqual(new Set(['ok']))
    expect(responder.requests).toHaveLength(1)
  })

  test('what was learned outlives the responder', async () => {
    await prepare()
    await decide(revoked, mode, 5_000)
    responder.fail(path, 'reset')
    await source.refresh()
    expect(await decide(revoked, mode, 0)).toBe('certificate-revoked')
  })
})
