/** The lists in one file or body: DER, or PEM of any size decoded in turns. RFC 7468 §6 @module */

import { decodeBase64 } from '../../base/base64.ts'
import { failed, type Result, success } from '../../base/result.ts'
import type { TakeFailure } from './failure.ts'
import { allocate } from './memory.ts'
import { Turn } from './turns.ts'

/** The DER of each list, not read yet. Damage anywhere refuses the whole: a file may be half written. */
export async function listOctets(
  bytes: Uint8Array,
): Promise<Result<readonly Uint8Array[], TakeFailure>> {
  if (bytes[0] === tagSequence) return success([bytes])
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const lists: Uint8Array[] = []
  let position = 0
  // Of all blocks: each by itself may be too short for a pause.
  const turn = new Turn()
  for (;;) {
    await turn.pause()
    const start = text.indexOf(begin, position)
    if (start === -1) break
    const body = start + begin.length
    // No character of base64 is a hyphen.
    const stop = text.indexOf('-', body)
    if (stop === -1 || text.indexOf(end, stop) !== stop) return failed({ code: 'not-a-list' })
    const der = await decodeInTurns(text, body, stop)
    if (der === undefined) return failed({ code: 'not-a-list' })
    lists.push(der)
    position = stop + end.length
  }
  return lists.length === 0 ? failed({ code: 'not-a-list' }) : success(lists)
}

/** As `decodeBase64`, which would take the whole text in one turn. */
async function decodeInTurns(
  text: Buffer,
  start: number,
  stop: number,
): Promise<Uint8Array | undefined> {
  const turn = new Turn()
  const parts: Uint8Array[] = []
  let rest = ''
  for (let at = start; at < stop; at += sliceOctets) {
    const isLast = at + sliceOctets >= stop
    const letters =
      rest + text.toString('latin1', at, Math.min(at + sliceOctets, stop)).replace(/\s+/g, '')
    const whole = isLast ? letters.length : letters.length - (letters.length % 4)
    const part = decodeBase64(letters, 0, whole)
    // Padding ends the text: what follows it would be another.
    if (part === undefined || (!isLast && part.length * 4 !== whole * 3)) return undefined
    parts.push(part)
    rest = letters.slice(whole)
    await turn.pause()
  }
  const joined = allocate(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
    await turn.pause()
  }
  return joined
}

const tagSequence = 0x30
const begin = '-----BEGIN X509 CRL-----'
const end = '-----END X509 CRL-----'
const sliceOctets = 1 << 18
