/** IP addresses as text and as octets. RFC 3986 §3.2.2, RFC 4291 §2.2, RFC 5952 §4 @module */

/**
 * Reads dotted IPv4 (four decimal numbers without leading zeros) or IPv6 text (no zone, no brackets).
 *
 * @returns 4 or 16 octets.
 */
export function parseIpAddress(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

/** Text of 4 or 16 octets; RFC 5952 §4 for the latter. Other lengths, and address with mask, are written in two halves. */
export function ipAddressText(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join('.')
  if (octets.length === 16) return ipv6Text(octets)
  const half = octets.length / 2
  if (half === 4 || half === 16) {
    return `${ipAddressText(octets.subarray(0, half))}/${ipAddressText(octets.subarray(half))}`
  }
  return octets.join(' ')
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => decimalOctet.test(part))) return undefined
  return Uint8Array.from(parts, Number)
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = groups(halves[0] as string, halves.length === 1)
  const tail = halves.length === 2 ? groups(halves[1] as string, true) : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 16 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail])
}

/** @param last - Whether the address ends here, so that an IPv4 address may stand in the last place. */
function groups(text: string, last: boolean): number[] | undefined {
  const octets: number[] = []
  if (text === '') return octets
  const parts = text.split(':')
  for (const [i, part] of parts.entries()) {
    if (group.test(part)) {
      const value = Number.parseInt(part, 16)
      octets.push(value >> 8, value & 0xff)
      continue
    }
    const ipv4 = last && i === parts.length - 1 ? parseIpv4(part) : undefined
    if (ipv4 === undefined) return undefined
    octets.push(...ipv4)
  }
  return octets
}

function ipv6Text(octets: Uint8Array): string {
  const parts: string[] = []
  for (let i = 0; i < 16; i += 2) {
    parts.push((((octets[i] as number) << 8) | (octets[i + 1] as number)).toString(16))
  }
  let from = 0
  let longest = 1
  for (let i = 0; i < 8; i++) {
    let end = i
    while (end < 8 && parts[end] === '0') end++
    if (end - i > longest) {
      from = i
      longest = end - i
    }
  }
  if (longest === 1) return parts.join(':')
  return `${parts.slice(0, from).join(':')}::${parts.slice(from + longest).join(':')}`
}

const decimalOctet: RegExp = /^(?:0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])$/
const group: RegExp = /^[0-9A-Fa-f]{1,4}$/
