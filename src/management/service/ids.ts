/** Identifiers of rows. @module */

import { createHash, randomBytes } from 'node:crypto'

/** RFC 9562 §5.7, version 7: in the order of time, so that lists by identifier are in the order in which things happened. */
export function newId(now: Date): string {
  const time = now.getTime()
  count = time === lastTime ? count + 1 : 0
  lastTime = time
  const octets = randomBytes(16)
  octets.writeUIntBE(time, 0, 6)
  octets[6] = 0x70 | ((count >> 8) & 0x0f)
  octets[7] = count & 0xff
  return withVariant(octets)
}

/**
 * RFC 9562 §5.8, version 8: the same for one name in one project for ever. A proxy that is made again goes on with its history, and its
 * pointers replace the old ones instead of standing beside them.
 */
export function apiProxyId(project: string, apiProxy: string): string {
  const octets = createHash('sha256').update(`${project}/${apiProxy}`).digest().subarray(0, 16)
  octets[6] = 0x80 | ((octets[6] as number) & 0x0f)
  return withVariant(octets)
}

function withVariant(octets: Buffer): string {
  octets[8] = 0x80 | ((octets[8] as number) & 0x3f)
  const hex = octets.toString('hex')
  return [0, 8, 12, 16, 20].map((at, i, all) => hex.slice(at, all[i + 1] ?? 32)).join('-')
}

/** Of identifiers within one millisecond. */
let count = 0
let lastTime = 0
