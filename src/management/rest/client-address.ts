/** Who counts as the client where balancers stand before a manager: the last address in X-Forwarded-For that is none of theirs. @module */

import { misuse } from '../../client/misuse.ts'
import { type AddressRange, holds, parsePeer, parseRange } from '../../http/address-range.ts'

/** @param peer - Address of the socket's other end. */
export type ClientAddress = (request: Request, peer: string | undefined) => string | undefined

/**
 * @param trustedProxies - IP addresses and CIDR ranges; empty: the peer is the client, whatever it says.
 * @throws TypeError with code `option-invalid`.
 */
export function clientAddress(trustedProxies: readonly string[]): ClientAddress {
  if (!Array.isArray(trustedProxies)) throw invalid('a list of texts')
  const ranges = trustedProxies.map(rangeOf)
  const isTrusted = (address: Uint8Array | undefined): boolean =>
    address !== undefined && ranges.some((range) => holds(range, address))
  return (request, peer) => {
    let client = peer
    if (!isTrusted(parsePeer(peer))) return client
    // Each proxy adds who came to it: only what the last trusted one has written is believed, not what was there before it.
    const hops = (request.headers.get('x-forwarded-for') ?? '').split(',').reverse()
    for (const hop of hops) {
      const text = withoutPort(hop.trim())
      const address = parsePeer(text)
      if (address === undefined) return client
      client = text
      if (!isTrusted(address)) return client
    }
    return client
  }
}

function rangeOf(text: string): AddressRange {
  const range = typeof text === 'string' ? parseRange(text) : 'a list of texts'
  if (typeof range !== 'string') return range
  throw invalid(range)
}

function invalid(why: string): TypeError {
  return misuse('option-invalid', `trustedProxies: ${why}`, { option: 'trustedProxies' })
}

/** Some write the port as well: `192.0.2.1:1234`, `[2001:db8::1]:1234`. */
function withoutPort(text: string): string {
  const [, inBrackets, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?$/.exec(text) ?? []
  return inBrackets ?? plain ?? text
}
