/**
 * Checks the signature of a list before it is put in force: hashed in turns, because 35 MB at once would stop the event loop for longer
 * than it may. @module
 */

import { defaultAlgorithmPolicy } from '../../path/algorithms.ts'
import { askSignature, type SignatureFailure } from '../../path/signature.ts'
import { rememberSignature } from '../../revocation/crls.ts'
import type { SubjectPublicKeyInfo } from '../../x509/certificate.ts'
import type { CertificateList } from '../../x509/crl.ts'
import { judgedKeysOf } from '../../x509/parse-crl.ts'
import { verifyInTurns } from '../verify-in-turns.ts'

/**
 * Whether `spki` signed `list`; `undefined` when that is not for this function to say: a scheme or a key that the default policy does
 * not take, or the runtime lacks. Validation decides about those, and says why. What is found out is remembered with the list.
 */
export async function isSignedBy(
  list: CertificateList,
  spki: SubjectPublicKeyInfo,
): Promise<boolean | undefined> {
  const known = judgedKeysOf(list).verifiesUnder(spki.der)
  if (known !== undefined) return known
  const verifies = await verify(list, spki)
  if (verifies !== undefined) rememberSignature(list, spki.der, verifies)
  return verifies
}

async function verify(
  list: CertificateList,
  spki: SubjectPublicKeyInfo,
): Promise<boolean | undefined> {
  const question = askSignature({
    algorithm: list.signatureAlgorithm,
    data: list.tbsCertList.der,
    signature: list.signatureValue,
    spki,
    policy: defaultAlgorithmPolicy,
    memorable: false,
    budget: { signatures: Number.POSITIVE_INFINITY },
  })
  if (question === undefined) return undefined
  if ('code' in question) return refuting.has(question.code) ? false : undefined
  const answer = await verifyInTurns(question)
  return answer === 'unsupported' ? undefined : answer === 'valid'
}

/** The key has not made this signature, whatever policies take. */
const refuting: ReadonlySet<SignatureFailure['code']> = new Set([
  'signature-invalid',
  'signature-algorithm-key-mismatch',
])
