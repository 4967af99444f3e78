/**
 * Which addresses a fetch may connect to: a certificate names the URI, so that whoever obtains one could point the server at its own
 * network. Public unicast only, unless allowed. @module
 */

import { BlockList } from 'node:net'
import { misuse } from '../../client/misuse.ts'
import { ipAddressText, parseIpAddress } from '../../path/ip-address.ts'

/** Judges the address that is connected to, never only the name that led to it. */
export class AddressRules {
  readonly #hosts = new Set<string>()
  readonly #allowed = new BlockList()

  /**
   * @param allowed - Networks as `10.0.0.0/8`, addresses, host names, `private` (RFC 1918 §3, RFC 6598 §7, RFC 4193 §3.1) or `loopback`.
   * @throws TypeError with code `option-invalid` for anything else.
   */
  constructor(allowed: readonly string[] = []) {
    for (const rule of allowed) this.#allow(rule)
  }

  /** @param host - The name or literal that was asked for, as `URL` writes it. */
  allows(host: string, address: string): boolean {
    if (this.#hosts.has(host.toLowerCase())) return true
    const octets = octetsOf(address)
    if (octets === undefined) return false
    return isPublicOctets(octets) || isListed(this.#allowed, octets)
  }

  #allow(rule: string): void {
    const networks = named.get(rule)
    if (networks !== undefined) {
      for (const network of networks) this.#allow(network)
      return
    }
    const [address = '', prefix, ...rest] = rule.split('/')
    const octets = parseIpAddress(address)
    if (octets === undefined && prefix === undefined && hostName.test(rule)) {
      this.#hosts.add(rule.toLowerCase())
      return
    }
    const bits = prefix === undefined ? (octets?.length ?? 0) * 8 : Number(prefix)
    const isPrefix = prefix === undefined || /^\d{1,3}$/.test(prefix)
    if (octets === undefined || rest.length > 0 || !isPrefix || bits > octets.length * 8) {
      const text = `allowAddresses: ${rule} is no network, address, host name, private or loopback`
      throw misuse('option-invalid', text, { option: 'allowAddresses' })
    }
    this.#allowed.addSubnet(ipAddressText(octets), bits, familyOf(octets))
  }
}

/** Whether an address is one that everybody on the Internet would reach under it. */
function isPublicOctets(octets: Uint8Array): boolean {
  if (octets.length === 4) return !isListed(special, octets)
  const inside = embedded(octets)
  // What a relay would send on is the address inside.
  if (inside !== undefined) return isPublicOctets(inside)
  return isListed(globalUnicast, octets) && !isListed(special, octets)
}

/** 4 octets, or 16; an IPv4-mapped address as the 4 that the system connects to. RFC 4291 §2.5.5.2 */
function octetsOf(address: string): Uint8Array | undefined {
  const octets = parseIpAddress(address.split('%')[0] as string)
  if (octets?.length !== 16 || !isListed(mapped, octets)) return octets
  return octets.subarray(12)
}

/** NAT64: RFC 6052 §2.1. 6to4: RFC 3056 §2. */
function embedded(octets: Uint8Array): Uint8Array | undefined {
  if (isListed(nat64, octets)) return octets.subarray(12)
  if (isListed(sixToFour, octets)) return octets.subarray(2, 6)
  return undefined
}

function isListed(list: BlockList, octets: Uint8Array): boolean {
  return list.check(ipAddressText(octets), familyOf(octets))
}

function familyOf(octets: Uint8Array): 'ipv4' | 'ipv6' {
  return octets.length === 4 ? 'ipv4' : 'ipv6'
}

function networks(...texts: readonly string[]): BlockList {
  const list = new BlockList()
  for (const text of texts) {
    const [address = '', prefix] = text.split('/')
    list.addSubnet(address, Number(prefix), address.includes(':') ? 'ipv6' : 'ipv4')
  }
  return list
}

const hostName = /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?$/

const named: ReadonlyMap<string, readonly string[]> = new Map([
  ['private', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7']],
  ['loopback', ['127.0.0.0/8', '::1/128']],
])

const mapped: BlockList = /* @__PURE__ */ networks('::ffff:0:0/96')
const nat64: BlockList = /* @__PURE__ */ networks('64:ff9b::/96')
const sixToFour: BlockList = /* @__PURE__ */ networks('2002::/16')
/** RFC 4291 §2.4; nothing else is assigned. */
const globalUnicast: BlockList = /* @__PURE__ */ networks('2000::/3')

/** IANA's registries of special-purpose addresses (RFC 6890), multicast (RFC 5771 §3) and class E (RFC 1112 §4). */
const special: BlockList = /* @__PURE__ */ networks(
  '0.0.0.0/8', // this network
  '10.0.0.0/8',
  '100.64.0.0/10', // carrier-grade NAT
  '127.0.0.0/8',
  '169.254.0.0/16', // link-local, where clouds have their metadata
  '172.16.0.0/12',
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16',
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
  '2001::/23', // protocol assignments: Teredo, ORCHID, benchmarks
  '2001:db8::/32', // documentation
  '3fff::/20', // documentation
)
