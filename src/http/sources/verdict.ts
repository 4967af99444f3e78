/** A proxy's own verdict, as presets take it or leave it. @module */

import { misuse } from '../../client/misuse.ts'
import type { FromHeaderOptions, VerdictHeader } from './from-header.ts'
import { checkOneOf } from './options.ts'

/**
 * `required`: the proxy must find the certificate good as well. `ignored`: its verdict is not read, for a proxy that does not know the
 * CAs; the certificate is validated here either way, and the TLS handshake proved to the proxy that the client holds its key.
 */
export type ProxyVerdict = 'required' | 'ignored'

/** What a preset adds to its description: the header is taken away before the request goes on, read or not. */
export function verdictOf(
  proxyVerdict: ProxyVerdict | undefined,
  verdict: VerdictHeader,
  assertedIdentity = false,
): Pick<FromHeaderOptions, 'verdict' | 'others'> {
  checkOneOf('proxyVerdict', proxyVerdict, ['required', 'ignored'])
  if (proxyVerdict !== 'ignored') return { verdict }
  if (assertedIdentity) {
    // Nobody would have checked anything.
    throw misuse('options-conflict', "assertedIdentity needs proxyVerdict: 'required'", {
      option: 'proxyVerdict',
    })
  }
  return { others: [verdict.header] }
}

/** The words of OpenSSL's callers: nginx, Apache httpd, and who builds on them. Others are `FAILED:reason` and `GENEROUS`. */
export const successOrNone: Pick<VerdictHeader, 'success' | 'absent'> = {
  success: ['SUCCESS'],
  absent: ['NONE'],
}
