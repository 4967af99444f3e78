/**
 * Checks the signature of a list before it is put in force: hashed in turns, because 35 MB at once would stop the event loop for longer
 * than it may. @module
 */

import * as crypto from 'node:crypto'
import type { SignatureScheme } from '../../base/signature-scheme.ts'
import { defaultAlgorithmPolicy } from '../../path/algorithms.ts'
import { askSignature, type SignatureQuestion } from '../../path/signature.ts'
import type { SubjectPublicKeyInfo } from '../../x509/certificate.ts'
import type { CertificateList } from '../../x509/crl.ts'
import { errorCodeOf } from './failure.ts'
import { eachSlice } from './turns.ts'

/**
 * Whether `spki` signed `list`; `undefined` when that is not for this function to say: a scheme or a key that the default policy does
 * not take, or the runtime lacks. Validation decides about those, and says why.
 */
export async function verifyList(
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
  if ('code' in question) return question.code === 'signature-invalid' ? false : undefined
  try {
    const key = crypto.createPublicKey({
      key: Buffer.from(question.spki),
      format: 'der',
      type: 'spki',
    })
    return await verify(question, key)
  } catch (error) {
    // OpenSSL's errors, and Node's own for a hash or a key that it lacks.
    if (/^ERR_(OSSL|CRYPTO|INVALID_ARG_VALUE)/.test(errorCodeOf(error))) return undefined
    throw error
  }
}

async function verify(
  { scheme, data, signature }: SignatureQuestion,
  key: crypto.KeyObject,
): Promise<boolean> {
  if (!('hash' in scheme)) {
    // These take the whole message twice; the thread pool does it.
    return new Promise((resolve, reject) => {
      crypto.verify(null, data, key, signature, (error, verified) => {
        if (error) reject(error)
        else resolve(verified)
      })
    })
  }
  const verifier = crypto.createVerify(scheme.hash.replace('SHA-', 'sha'))
  await eachSlice(data, (slice) => {
    verifier.update(slice)
  })
  return verifier.verify(inputOf(scheme, key), signature)
}

function inputOf(
  scheme: SignatureScheme,
  key: crypto.KeyObject,
): crypto.KeyObject | crypto.VerifyKeyObjectInput {
  if (scheme.name !== 'RSASSA-PSS') return key
  const padding = crypto.constants.RSA_PKCS1_PSS_PADDING
  return { key, padding, saltLength: scheme.saltLength }
}
