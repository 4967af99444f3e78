/** Who signed a list: RFC 5280 §6.3.3 (f) and (g). @module */

import { bytesEqual } from '../base/bytes.ts'
import { ask, type Steps } from '../effect/effect.ts'
import { askSignature, judgeSignature, type SignatureQuestion } from '../path/signature.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { StatusContext } from './context.ts'
import type { HeldCrl } from './held-crl.ts'
import type { StatusIssuer, StatusProblem } from './status.ts'

/** Who else has the name of a list's issuer; or why one of them may not sign it. */
export type CrlSigner = { readonly issuer: StatusIssuer } | { readonly problem: StatusProblem }

export interface CrlContext extends StatusContext {
  /** Who may sign this list about the certificate, beside its own issuer; their paths to the same anchor are checked. */
  readonly othersWhoSign: (held: HeldCrl, certificate: Certificate) => Steps<readonly CrlSigner[]>
}

/**
 * Whether the certificate's own issuer is known to have signed the list, and may, without asking anybody. Found out once for the same
 * key, certificate and policy, as objects: they are the same for every client of a CA.
 */
export function isKnownToSign(
  held: HeldCrl,
  issuer: StatusIssuer,
  context: StatusContext,
): boolean {
  const { subjectPublicKeyInfo: spki, certificate } = issuer
  const { algorithms } = context
  const last = held.lastSigner
  if (last?.spki === spki && last.certificate === certificate && last.algorithms === algorithms) {
    return true
  }
  const isKnown =
    held.judgedKeys.verifiesUnder(spki.der) === true &&
    questionOf(held, issuer, context) === undefined
  if (isKnown) held.lastSigner = { spki, certificate, algorithms }
  return isKnown
}

/**
 * Why a list does not count for its signature; `null` when it does. The certificate's own issuer is tried first. That a limit was
 * reached is told before anything else: then nobody knows.
 */
export function* findSigner(
  held: HeldCrl,
  certificate: Certificate,
  issuer: StatusIssuer,
  isDirect: boolean,
  context: CrlContext,
): Steps<StatusProblem | null> {
  let problem: StatusProblem = { code: 'crl-signer-unknown' }
  if (isDirect) {
    const own = yield* whyNotSignedBy(held, issuer, context)
    if (own === undefined) return null
    problem = own
  }
  // Another certificate of the same key may have the cRLSign that this one lacks, but no other signature.
  const isTried = problem.code === 'crl-signature'
  for (const signer of yield* context.othersWhoSign(held, certificate)) {
    if (isTried && 'issuer' in signer && hasKeyOf(signer.issuer, issuer)) continue
    const why =
      'problem' in signer ? signer.problem : yield* whyNotSignedBy(held, signer.issuer, context)
    if (why === undefined) return null
    if (!isUndecided(problem)) problem = why
  }
  return problem
}

function hasKeyOf(a: StatusIssuer, b: StatusIssuer): boolean {
  return bytesEqual(a.subjectPublicKeyInfo.der, b.subjectPublicKeyInfo.der)
}

/** Whether the list may count all the same: a limit was reached, the runtime lacks its scheme, or a status is not known. */
export function isUndecided(problem: StatusProblem): boolean {
  switch (problem.code) {
    case 'status-limit':
    case 'crl-signer-status-unknown':
      return true
    case 'crl-signature':
      return (
        problem.failure.code === 'budget-exhausted' ||
        problem.failure.code === 'signature-algorithm-unsupported'
      )
    default:
      return false
  }
}

function* whyNotSignedBy(
  held: HeldCrl,
  issuer: StatusIssuer,
  context: StatusContext,
): Steps<StatusProblem | undefined> {
  const question = questionOf(held, issuer, context)
  if (question === undefined || !('op' in question)) return question
  // Of the key as it is now: its buffer is the caller's.
  const asked = issuer.subjectPublicKeyInfo.der.slice()
  const answer = yield* ask(question)
  // What the runtime lacks says nothing about the list.
  if (answer !== 'unsupported') held.judgedKeys.remember(asked, answer === 'valid')
  const failure = judgeSignature(question, answer)
  return failure && { code: 'crl-signature', failure }
}

/** What came out before is not asked again, but whether the policy takes it. */
function questionOf(
  { list, judgedKeys }: HeldCrl,
  { subjectPublicKeyInfo, key, certificate }: StatusIssuer,
  { algorithms, budget }: StatusContext,
): SignatureQuestion | StatusProblem | undefined {
  if (!maySignCrls(certificate)) return { code: 'crl-signer-no-crl-sign' }
  const known = judgedKeys.verifiesUnder(subjectPublicKeyInfo.der)
  if (known === false) return { code: 'crl-signature', failure: { code: 'signature-invalid' } }
  const question = askSignature({
    algorithm: list.signatureAlgorithm,
    data: list.tbsCertList.der,
    signature: list.signatureValue,
    spki: subjectPublicKeyInfo,
    key,
    policy: algorithms,
    memorable: false,
    isVerified: known === true,
    budget,
  })
  return question === undefined || 'op' in question
    ? question
    : { code: 'crl-signature', failure: question }
}

/** "If a key usage extension is present", it has cRLSign: RFC 5280 §6.3.3 (f). An anchor that is a name and a key has none. */
export function maySignCrls(certificate: Certificate | undefined): boolean {
  const keyUsage = certificate?.tbsCertificate.extensions.keyUsage
  return keyUsage === undefined || (keyUsage.bits & cRLSign) !== 0
}

/** Bit 6 of KeyUsage. RFC 5280 §4.2.1.3 */
const cRLSign = 1 << 6
