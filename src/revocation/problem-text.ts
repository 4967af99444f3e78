/** Why a list or a response does not count, in words for people. @module */

import { formatTime } from '../base/time.ts'
import { formatName } from '../x509/name-text.ts'
import type { CrlScopeMismatch, StatusProblem } from './status.ts'

/** On one line, without a full stop; may change between versions. */
export function describeProblem(problem: StatusProblem): string {
  return (texts[problem.code] as (problem: StatusProblem) => string)(problem)
}

type Text<C> = (problem: Extract<StatusProblem, { code: C }>) => string

const mismatches: { readonly [M in CrlScopeMismatch]: string } = {
  'distribution-point': 'another distribution point',
  'crl-issuer': 'another issuer',
  indirect: 'certificates that say so, as it is indirect, or it is not indirect and should be',
  'user-certificates': 'user certificates only',
  'ca-certificates': 'CA certificates only',
  'attribute-certificates': 'attribute certificates only',
  reasons: 'other reasons',
}

function age(what: string, problem: { thisUpdate: number; maxAge: number | undefined }): string {
  const since = formatTime(problem.thisUpdate)
  return problem.maxAge === undefined
    ? `${what} of ${since} does not say when it runs out, and no maxAge is set`
    : `${what} of ${since} is older than ${problem.maxAge} s`
}

const texts: { readonly [C in StatusProblem['code']]: Text<C> } = {
  'crl-missing': (p) => `no CRL of ${formatName(p.issuer)} was given`,
  'crl-not-yet-valid': (p) => `the CRL is of the future, ${formatTime(p.thisUpdate)}`,
  'crl-expired': (p) => `the CRL ran out ${formatTime(p.nextUpdate)}`,
  'crl-too-old': (p) => age('the CRL', p),
  'crl-out-of-scope': (p) => `the CRL is for ${mismatches[p.of]}`,
  'crl-unknown-critical-extension': (p) => `the CRL has an unknown critical extension ${p.oid}`,
  'crl-malformed': (p) => `the CRL breaks its profile: ${p.what}`,
  'crl-signer-unknown': () => 'nobody with a path to the same anchor may sign the CRL',
  'crl-signer-no-crl-sign': () => 'the key usage of the CA has no cRLSign',
  'crl-signer-revoked': () => 'whoever signed the CRL is revoked',
  'crl-signer-status-unknown': () => 'nothing says whether whoever signed the CRL is revoked',
  'crl-signature': (p) => `the signature of the CRL does not count: ${p.failure.code}`,
  'crl-delta-without-base': () => 'a delta CRL has no base',
  'crl-reasons-missing': () => 'the CRLs cover some reasons only',
  'ocsp-missing': () => 'there is no OCSP response about it',
  'ocsp-error': (p) => `the OCSP responder answered ${p.responseStatus}`,
  'ocsp-type-unknown': () => 'the OCSP response is of an unknown type',
  'ocsp-other-certificate': () => 'the OCSP response is about a certificate of another issuer',
  'ocsp-not-yet-valid': (p) => `the OCSP response is of the future, ${formatTime(p.thisUpdate)}`,
  'ocsp-expired': (p) => `the OCSP response ran out ${formatTime(p.nextUpdate)}`,
  'ocsp-too-old': (p) => age('the OCSP response', p),
  'ocsp-produced-at': (p) => `the OCSP response cannot be of ${formatTime(p.producedAt)}`,
  'ocsp-unknown-critical-extension': (p) =>
    `the OCSP response has an unknown critical extension ${p.oid}`,
  'ocsp-responder-unknown': () => 'no certificate of the OCSP responder came with the response',
  'ocsp-responder-not-authorized': (p) => `the OCSP responder may not answer: ${p.what}`,
  'ocsp-responder-revoked': () => 'the OCSP responder is revoked',
  'ocsp-signature': (p) => `the signature of the OCSP response does not count: ${p.failure.code}`,
  'ocsp-unknown': () => 'the OCSP responder does not know the certificate',
  'status-limit': (p) => `the limit of ${p.of} was reached`,
}
