/** The manager's signing key in a file, made at the first start. @module */

import { writeFile } from 'node:fs/promises'
import {
  generateSigningKey,
  publicKeyPem,
  readSigningKey,
  type SigningKey,
  signingKeyPem,
} from '../../deployment/index.ts'
import { readIfThere, writeSecret } from './secret-file.ts'

/**
 * @param file - PEM. Its public half, which gateways pin, is written beside it as `FILE.pub`.
 * @returns `isNew`: no gateway knows it yet.
 */
export async function signingKeyIn(
  file: string,
): Promise<SigningKey & { readonly isNew: boolean }> {
  const pem = await readIfThere(file)
  const key = pem === undefined ? generateSigningKey() : readSigningKey(pem)
  if (pem === undefined) {
    await writeSecret(file, signingKeyPem(key))
    // Only then: a key that was given may be in a place where nothing can be written.
    await writeFile(`${file}.pub`, publicKeyPem(key.publicKey))
  }
  return { ...key, isNew: pem === undefined }
}
