/** A server's certificate and key, before anything listens with them. @module */

import { createSecureContext } from 'node:tls'
import { UsageError } from '../io.ts'

/** One of the two, and the option that named its file. */
export interface PairPart {
  readonly option: string
  readonly file: string
  /** PEM. */
  readonly content: string | Buffer
}

/** @throws UsageError for what OpenSSL does not take, and for two that do not belong together. */
export function checkTlsPair(certificate: PairPart, key: PairPart): void {
  try {
    createSecureContext({ cert: certificate.content })
  } catch (error) {
    throw new UsageError(
      'certificate-unreadable',
      `${certificate.option} ${certificate.file}: ${reasonOf(error)}`,
      "give the server's own certificate in PEM, the CAs above it after it",
    )
  }
  try {
    createSecureContext({ key: key.content })
  } catch (error) {
    throw new UsageError(
      'key-unreadable',
      `${key.option} ${key.file}: ${reasonOf(error)}`,
      'give the private key of that certificate in PEM, without a passphrase',
    )
  }
  try {
    createSecureContext({ cert: certificate.content, key: key.content })
  } catch (error) {
    throw new UsageError(
      'key-does-not-fit',
      `${certificate.option} ${certificate.file} and ${key.option} ${key.file} do not fit: ${reasonOf(error)}`,
      'the key must be the one that was made for this certificate, which comes first in its file; in a renewed pair, both are new',
    )
  }
}

/** What OpenSSL says, without its numbers. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { reason } = error as Error & { readonly reason?: unknown }
  return typeof reason === 'string' ? reason : error.message
}
