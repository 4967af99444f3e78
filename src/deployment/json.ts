/** From bytes to JSON data: UTF-8, bounded, nothing else. @module */

import { failed, type Result, success } from '../base/result.ts'
import type { DeploymentFailure } from './failure.ts'

/**
 * Reads JSON.
 *
 * @param maximum - Octets at most.
 */
export function readJson(
  bytes: Uint8Array | string,
  maximum: number,
): Result<{ readonly value: unknown; readonly text: string }, DeploymentFailure> {
  if (bytes.length > maximum) return failed({ code: 'document-too-large', path: '', maximum })
  try {
    const text = typeof bytes === 'string' ? bytes : decoder.decode(bytes)
    return success({ value: JSON.parse(text) as unknown, text })
  } catch (error) {
    // SyntaxError: no JSON. TypeError with this code: no UTF-8.
    const { code } = error as { readonly code?: unknown }
    if (!(error instanceof SyntaxError) && code !== 'ERR_ENCODING_INVALID_ENCODED_DATA') throw error
    return failed({ code: 'document-malformed', path: '', expected: 'JSON in UTF-8' })
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
