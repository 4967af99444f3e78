/** Why a list or a response does not count: what each code means, and what would mend it. @module */

import { describeProblem } from '../../revocation/problem-text.ts'
import type { StatusProblem } from '../../revocation/status.ts'
import type { Reason } from '../files.ts'

type Code = StatusProblem['code']
/** `afterFetching`: what is left to do for whoever had it fetched already. */
type Row = readonly [source: string, meaning: string, remedy: string, afterFetching?: string]

/**
 * One problem in words.
 *
 * @param fetched - Whether what is to be had over the network was fetched.
 */
export function problemReason(problem: StatusProblem, fetched: boolean): Reason {
  const { code } = problem
  const [source, , remedy, afterFetching = remedy] = problems[code]
  const message = describeProblem(problem)
  return { code, message, source, remedy: fetched ? afterFetching : remedy }
}

/** What a code means; `undefined` for a word that is no such code. */
export function explainProblem(word: string): Reason | undefined {
  if (!Object.hasOwn(problems, word)) return undefined
  const code = word as Code
  const [source, message, remedy] = problems[code]
  return { code, message, source, remedy }
}

const longer = 'stale=DURATION in --revocation lets a good answer count for a while longer'
const newList = [
  `get the list anew: mtls-policy crl fetch, or --fetch; ${longer}`,
  `ask the CA for a new list, for no newer one was fetched; ${longer}`,
] as const
const newResponse = [
  `get the response anew: mtls-policy ocsp fetch, or --fetch; ${longer}`,
  `ask whoever runs the responder for a new response, for no newer one was fetched; ${longer}`,
] as const
const clock = 'check the clock, or the --time that was given'
const correct = 'have its issuer write it again with correct software'

/** A new code does not compile until it has its words here. */
const problems: { readonly [C in Code]: Row } = {
  'crl-missing': [
    'RFC 5280 §6.3.3',
    'no list at hand was issued by whoever issues lists for this certificate',
    'give the list of that CA with --crl FILE; --fetch gets those that the certificates name',
    'give the list of that CA with --crl FILE, for none was fetched',
  ],
  'crl-not-yet-valid': [
    'RFC 5280 §5.1.2.4',
    'the thisUpdate of the list lies ahead of the time of the check',
    clock,
  ],
  'crl-expired': [
    'RFC 5280 §5.1.2.5',
    'the nextUpdate of the list lies before the time of the check: what was revoked since then is not in it',
    ...newList,
  ],
  'crl-too-old': [
    'RFC 5280 §5.1.2.5',
    'the list is older than max-age allows; or it has no nextUpdate, and no max-age says how long it counts',
    'get the list anew, or say with max-age=DURATION in --revocation how long a list counts from its thisUpdate',
  ],
  'crl-out-of-scope': [
    'RFC 5280 §6.3.3 (b)',
    'the list is for other certificates: of another distribution point, of another issuer, or of another kind',
    'give the list that the distribution points of the certificate name: mtls-policy crl fetch CERTIFICATE gets it',
    'give the list that is for this certificate with --crl FILE, for the one that was fetched is not',
  ],
  'crl-unknown-critical-extension': [
    'RFC 5280 §5.2',
    'the list or one of its entries has a critical extension that is not known here, so that nothing in it can be relied on',
    'have the CA issue a list without it',
  ],
  'crl-malformed': [
    'RFC 5280 §5.2',
    'the list can be read and breaks a rule for those who issue lists',
    correct,
  ],
  'crl-signer-unknown': [
    'RFC 5280 §6.3.3 (f)',
    'no certificate with the name of the issuer of the list, and a path to the same anchor, is at hand',
    'give the certificate of whoever signs the list with --intermediates',
  ],
  'crl-signer-no-crl-sign': [
    'RFC 5280 §6.3.3 (f)',
    'the key usage of whoever signed the list has no cRLSign',
    'use lists of an issuer that has cRLSign, or have this CA certified with it',
  ],
  'crl-signer-revoked': [
    'RFC 5280 §6.3.3 (f)',
    'the certificate of whoever signed the list is revoked',
    'get the list that the CA signs with its other key',
  ],
  'crl-signer-status-unknown': [
    'RFC 5280 §6.3.3 (f)',
    'nothing says whether the certificate of whoever signed the list is revoked',
    'give the list that speaks of that certificate with --crl as well',
  ],
  'crl-signature': [
    'RFC 5280 §6.3.3 (g)',
    'the signature of the list does not verify under the key of its issuer, or is of a kind that does not count',
    'get the list anew; if the CA has another key for lists, give its certificate with --intermediates',
  ],
  'crl-delta-without-base': [
    'RFC 5280 §5.2.4',
    'a delta CRL says what changed since a complete one, and that one is not there',
    'give the complete list with --crl beside the delta',
  ],
  'crl-reasons-missing': [
    'RFC 5280 §6.3.3 (e)',
    'the lists speak of some reasons only, and another one may have revoked the certificate',
    'give the lists for the other reasons, too',
  ],
  'ocsp-missing': [
    'RFC 6960 §3.2',
    'no response at hand speaks of this certificate',
    'give a response with --ocsp FILE; --fetch asks the responders that the certificates name',
    'give a response with --ocsp FILE, for none was fetched',
  ],
  'ocsp-error': [
    'RFC 6960 §2.3',
    'the responder answered with an error in the place of a status',
    'ask again later; a responder that answers unauthorized is not for this CA',
  ],
  'ocsp-type-unknown': [
    'RFC 6960 §4.2.1',
    'the response is of another type than id-pkix-ocsp-basic',
    'ask a responder that answers in the basic form',
  ],
  'ocsp-other-certificate': [
    'RFC 6960 §3.2',
    'the response speaks of a certificate with this serial number, and of another issuer',
    'give the response that was asked for with this certificate and its issuer',
  ],
  'ocsp-not-yet-valid': [
    'RFC 6960 §4.2.2.1',
    'the thisUpdate of the response lies ahead of the time of the check',
    clock,
  ],
  'ocsp-expired': [
    'RFC 6960 §4.2.2.1',
    'the nextUpdate of the response lies before the time of the check',
    ...newResponse,
  ],
  'ocsp-too-old': [
    'RFC 6960 §4.2.2.1',
    'the response is older than max-age allows; or it has no nextUpdate, and no max-age says how long it counts',
    'get the response anew, or say with max-age=DURATION in --revocation how long a response counts from its thisUpdate',
  ],
  'ocsp-produced-at': [
    'RFC 6960 §4.2.2.1',
    'the response was produced ahead of the time of the check, or outside the validity of the certificate',
    clock,
  ],
  'ocsp-unknown-critical-extension': [
    'RFC 6960 §4.4',
    'the response has a critical extension that is not known here',
    'ask a responder that answers without it',
  ],
  'ocsp-responder-unknown': [
    'RFC 6960 §4.2.2.3',
    'neither the CA nor a certificate in the response is the responder that the response names',
    'have the responder send its certificate along',
  ],
  'ocsp-responder-not-authorized': [
    'RFC 6960 §4.2.2.2',
    'whoever signed the response is neither the CA of the certificate nor certified by it for OCSP signing',
    'ask the responder that the certificate names; another CA cannot vouch for it',
  ],
  'ocsp-responder-revoked': [
    'RFC 6960 §4.2.2.2',
    'the certificate of the responder is revoked',
    'have the CA certify another responder',
  ],
  'ocsp-signature': [
    'RFC 6960 §3.2',
    'the signature of the response does not verify, or is of a kind that does not count',
    'get the response anew: it was forged or damaged, or signed with weak algorithms',
  ],
  'ocsp-unknown': [
    'RFC 6960 §2.2',
    'the responder says that it does not know the certificate',
    'ask the CA whether it issued this certificate',
  ],
  'status-limit': [
    'local limit',
    'the status of one certificate took more work than is spent on it',
    'give fewer lists and responses, and those of its issuer alone',
  ],
}
