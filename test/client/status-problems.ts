/** One problem of each code, with words that its text must have. @module */

import type { StatusProblem } from '../../src/index.ts'
import { issueCa, testTime } from '../../src/testing/index.ts'

const ca = await issueCa('Issuing CA')
const issuer = ca.tbsCertificate.subject
const failure = { code: 'signature-invalid' } as const
const when = '2030-01-01T00:00:00Z'
const old = { thisUpdate: testTime, maxAge: 60 }

type Code = StatusProblem['code']

/** The compiler says when a code has none. */
export const statusProblems: {
  readonly [C in Code]: readonly [StatusProblem & { readonly code: C }, ...string[]]
} = {
  'crl-missing': [{ code: 'crl-missing', issuer }, 'CN=Issuing CA'],
  'crl-not-yet-valid': [{ code: 'crl-not-yet-valid', thisUpdate: testTime }, when],
  'crl-expired': [{ code: 'crl-expired', nextUpdate: testTime }, when],
  'crl-too-old': [{ code: 'crl-too-old', ...old }, when, 'older than 60 s'],
  'crl-out-of-scope': [{ code: 'crl-out-of-scope', of: 'ca-certificates' }, 'CA certificates'],
  'crl-unknown-critical-extension': [
    { code: 'crl-unknown-critical-extension', oid: '1.2.3' },
    '1.2.3',
  ],
  'crl-malformed': [{ code: 'crl-malformed', what: 'no cRLNumber' }, 'no cRLNumber'],
  'crl-signer-unknown': [{ code: 'crl-signer-unknown' }, 'nobody'],
  'crl-signer-no-crl-sign': [{ code: 'crl-signer-no-crl-sign' }, 'cRLSign'],
  'crl-signer-revoked': [{ code: 'crl-signer-revoked' }, 'revoked'],
  'crl-signer-status-unknown': [{ code: 'crl-signer-status-unknown' }, 'nothing says'],
  'crl-signature': [{ code: 'crl-signature', failure }, 'signature-invalid'],
  'crl-delta-without-base': [{ code: 'crl-delta-without-base' }, 'base'],
  'crl-reasons-missing': [{ code: 'crl-reasons-missing', reasons: 2 }, 'some reasons'],
  'ocsp-missing': [{ code: 'ocsp-missing' }, 'no OCSP response'],
  'ocsp-error': [{ code: 'ocsp-error', responseStatus: 'tryLater' }, 'tryLater'],
  'ocsp-type-unknown': [{ code: 'ocsp-type-unknown' }, 'unknown type'],
  'ocsp-other-certificate': [{ code: 'ocsp-other-certificate' }, 'another issuer'],
  'ocsp-not-yet-valid': [{ code: 'ocsp-not-yet-valid', thisUpdate: testTime }, when],
  'ocsp-expired': [{ code: 'ocsp-expired', nextUpdate: testTime }, when],
  'ocsp-too-old': [
    { code: 'ocsp-too-old', thisUpdate: testTime, maxAge: undefined },
    when,
    'no maxAge is set',
  ],
  'ocsp-produced-at': [{ code: 'ocsp-produced-at', producedAt: testTime }, when],
  'ocsp-unknown-critical-extension': [
    { code: 'ocsp-unknown-critical-extension', oid: '1.2.3' },
    '1.2.3',
  ],
  'ocsp-responder-unknown': [{ code: 'ocsp-responder-unknown' }, 'no certificate'],
  'ocsp-responder-not-authorized': [
    { code: 'ocsp-responder-not-authorized', what: 'key-usage' },
    'key-usage',
  ],
  'ocsp-responder-revoked': [{ code: 'ocsp-responder-revoked' }, 'revoked'],
  'ocsp-signature': [{ code: 'ocsp-signature', failure }, 'signature-invalid'],
  'ocsp-unknown': [{ code: 'ocsp-unknown' }, 'does not know'],
  'status-limit': [{ code: 'status-limit', of: 'delta CRLs' }, 'delta CRLs'],
}
