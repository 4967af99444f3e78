/** Checking a signature over very many octets without stopping the event loop: hashed in turns, or in the thread pool. @module */

import * as crypto from 'node:crypto'
import type { SignatureScheme } from '../base/signature-scheme.ts'
import type { SignatureAnswer } from '../effect/effect.ts'
import { eachSlice } from './revocation/turns.ts'
import type { SignatureQuestion } from './signature-memo.ts'

/** As the handlers of `node.ts`, for data that takes longer to hash than others may be kept waiting. */
export async function verifyInTurns(question: SignatureQuestion): Promise<SignatureAnswer> {
  try {
    const key = crypto.createPublicKey({
      key: Buffer.from(question.spki),
      format: 'der',
      type: 'spki',
    })
    return (await verify(question, key)) ? 'valid' : 'invalid'
  } catch (error) {
    // OpenSSL's errors, and Node's own for a hash or a key that it lacks.
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (/^ERR_(OSSL|CRYPTO|INVALID_ARG_VALUE)/.test(code)) return 'unsupported'
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
