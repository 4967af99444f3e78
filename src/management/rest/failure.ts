/** Failures as responses: one envelope for all of them. @module */

import { withoutTokens } from '../../base/log-text.ts'
import { SigningKeyReplaced } from '../channel/signer.ts'
import { Refusal } from '../service/refusal.ts'
import { StoreConflict, StoreUnavailable } from '../store/store.ts'

/** What the client is told; `undefined`: nobody foresaw it, and it is for the log. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error
  if (error instanceof StoreUnavailable) {
    const text =
      error.outcome === 'unknown'
        ? 'the store went away while it wrote: the change may have been made, look before you try again'
        : error.reason === 'transaction-timeout'
          ? 'it took longer than a change may take; nothing was changed'
          : 'the store is away; nothing was changed'
    return new Refusal('store-away', text, { headers: { 'retry-after': '1' } })
  }
  if (error instanceof SigningKeyReplaced) {
    const text = 'managers sign with another key now, and this one has not been restarted with it'
    return new Refusal('signing-key-replaced', text)
  }
  if (error instanceof StoreConflict) {
    return new Refusal('already-exists', 'somebody else has just written it')
  }
  return undefined
}

export function failureResponse({ status, code, message, details, headers }: Refusal): Response {
  const error = details === undefined ? { code, message } : { code, message, details }
  // A message may quote what was sent, and a token that was sent as something else would be in the logs of clients, too.
  const body = withoutTokens(JSON.stringify({ success: false, error }))
  return new Response(body, { status, headers: { 'content-type': 'application/json', ...headers } })
}
