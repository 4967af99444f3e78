/** IP addresses and CIDR ranges of peers, as they are configured and as sockets show them. @module */

import { parseIpAddress } from '../path/ip-address.ts'

export interface AddressRange {
  /** 4 or 16 octets, the bits after `prefix` zero. */
  readonly octets: Uint8Array
  readonly prefix: number
}

/** @returns What is wrong with it, as a text. */
export function parseRange(text: string): AddressRange | string {
  const slash = text.indexOf('/')
  const octets = parseIpAddress(slash === -1 ? text : text.slice(0, slash))
  const digits = slash === -1 ? undefined : text.slice(slash + 1)
  if (octets === undefined || (digits !== undefined && !/^(?:0|[1-9][0-9]{0,2})$/.test(digits))) {
    return `${text} is no IP address or CIDR range`
  }
  const bits = octets.length * 8
  const prefix = digits === undefined ? bits : Number(digits)
  if (prefix > bits) return `${text} has a prefix longer than the address`
  for (let bit = prefix; bit < bits; bit++) {
    if (((octets[bit >> 3] as number) & (0x80 >> (bit & 7))) !== 0) {
      return `${text} has bits set after its prefix`
    }
  }
  // The bits of the mark itself are set, so that a range that begins with it has a prefix of 96 at least.
  return isMapped(octets)
    ? { octets: octets.subarray(12), prefix: prefix - 96 }
    : { octets, prefix }
}

export function holds({ octets, prefix }: AddressRange, address: Uint8Array): boolean {
  if (octets.length !== address.length) return false
  const whole = prefix >> 3
  for (let i = 0; i < whole; i++) if (octets[i] !== address[i]) return false
  const rest = prefix & 7
  if (rest === 0) return true
  return (((octets[whole] as number) ^ (address[whole] as number)) & (0xff00 >> rest) & 0xff) === 0
}

/** @param text - As a runtime shows it: a link-local address may name its interface, RFC 4007 §11. */
export function parsePeer(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined
  const zone = text.indexOf('%')
  const octets = parseIpAddress(zone === -1 ? text : text.slice(0, zone))
  return octets !== undefined && isMapped(octets) ? octets.subarray(12) : octets
}

/** RFC 4291 §2.5.5.2 */
function isMapped(octets: Uint8Array): boolean {
  if (octets.length !== 16 || octets[10] !== 0xff || octets[11] !== 0xff) return false
  for (let i = 0; i < 10; i++) if (octets[i] !== 0) return false
  return true
}
