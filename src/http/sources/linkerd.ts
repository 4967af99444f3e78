/**
 * Linkerd: `l5d-client-id`, the identity of the workload whose connection the inbound proxy authenticated. The proxy removes what a
 * client sent under that name, and forwards no certificate: its word for the name is all there is.
 *
 * @module
 */

import { parseHostName } from '../../path/host-name.ts'
import { absentByProxy, trustedHeaders } from '../proxy-trust.ts'
import { type ClientCertificateSource, type Found, unbelievable } from '../source.ts'
import type { ProxyTrust } from '../trust.ts'
import { checkFlag, checkOptionNames } from './options.ts'

export interface LinkerdOptions {
  /** Who may write the header: the address from which the proxy beside this process connects. */
  readonly trust: ProxyTrust
  /** `true`: the proxy's word for the name is taken, unproven, as `asserted`. Default: refused with `identity-only`. */
  readonly assertedIdentity?: boolean | undefined
}

/**
 * The name that Linkerd's proxy writes for a client of the mesh: a DNS name, or a SPIFFE id. Without the header the client is not in
 * the mesh.
 *
 * @throws TypeError with a `code` when an option is missing, unknown or of the wrong type.
 * @example
 * const source = linkerd({ trust: { addresses: ['127.0.0.1'] }, assertedIdentity: true })
 * console.log(source.name, source.headers.length) // linkerd 1
 */
export function linkerd(options: LinkerdOptions): ClientCertificateSource {
  checkOptionNames(options, ['trust', 'assertedIdentity'])
  const { assertedIdentity = false } = options
  checkFlag('assertedIdentity', assertedIdentity)
  const headers = trustedHeaders(options.trust, [header])
  return {
    name,
    headers: headers.names,
    read: (request) => {
      const lines = headers.read(request)
      if ('kind' in lines) return lines
      if (lines.repeated?.has(0)) return unbelievable({ code: 'header-repeated', header })
      const [value] = lines.values
      if (value === undefined) return absentByProxy
      return assertedIdentity ? asserted(value) : unbelievable({ code: 'identity-only', header })
    },
  }
}

function asserted(value: string): Found {
  if (spiffeId.test(value)) {
    return { kind: 'asserted', identity: { asserted: true, by: name, uris: [value] } }
  }
  const host = parseHostName(value)
  if (host === undefined) {
    const expected = 'a DNS name or a SPIFFE id'
    return unbelievable({ code: 'header-malformed', header, expected })
  }
  return { kind: 'asserted', identity: { asserted: true, by: name, dnsNames: [host] } }
}

const name = 'linkerd'
const header = 'l5d-client-id'

/** What a list in one line would have is in none: SPIFFE-ID §2 allows neither commas nor spaces. */
const spiffeId: RegExp = /^spiffe:\/\/[A-Za-z0-9._/-]{1,2000}$/
