/** The body of an answer, collected within a limit on what comes over the wire and on what it inflates to. @module */

import type { IncomingMessage } from 'node:http'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { failed, type Result, success } from '../../base/result.ts'
import { errorCodeOf, type FetchFailure } from './failure.ts'
import { allocate, largeOctets } from './memory.ts'
import { Turn } from './turns.ts'

/**
 * Reads all of it. Every octet is copied once: into its place when the length is known, else in turns at the end.
 *
 * @throws BodyCut when the connection is ended meanwhile: the caller knows whether it was the one who ended it.
 */
export async function readBody(
  message: IncomingMessage,
  maxBytes: number,
): Promise<Result<Uint8Array, FetchFailure>> {
  const encoding = (message.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  const isGzip = encoding === 'gzip' || encoding === 'x-gzip'
  if (!isGzip && encoding !== 'identity') return failed({ code: 'encoding', encoding })
  const length = Number(message.headers['content-length'] ?? Number.NaN)
  if (length > maxBytes) return failed({ code: 'too-large', maxBytes })
  const collector = new Collector(isGzip || Number.isNaN(length) ? undefined : length)
  try {
    const wire = limited(message, maxBytes)
    for await (const chunk of isGzip ? limited(inflated(wire), maxBytes) : wire) {
      collector.push(chunk)
    }
  } catch (error) {
    if (error instanceof TooLarge) return failed({ code: 'too-large', maxBytes })
    if (isZlibError(error)) return failed({ code: 'truncated' })
    throw new BodyCut()
  }
  return message.complete ? success(await collector.finish()) : failed({ code: 'truncated' })
}

async function* limited(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array, void> {
  let length = 0
  for await (const chunk of chunks) {
    length += chunk.length
    if (length > maxBytes) throw new TooLarge()
    yield chunk
  }
}

/** In the thread pool. An error of `chunks` comes out of it as well. */
function inflated(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: 65_536 })
  // The error is thrown where the result is read.
  return pipeline(Readable.from(chunks), gunzip, () => {})
}

export class BodyCut extends Error {}

class TooLarge extends Error {}

function isZlibError(error: unknown): boolean {
  return errorCodeOf(error).startsWith('Z_')
}

class Collector {
  readonly #isExpected: boolean
  /** All of it, or blocks that grow up to `largeOctets`, of which the last is not full. */
  readonly #blocks: Uint8Array[] = []
  /** Octets in the last block. */
  #used = 0

  /** @param expected - Octets, where known and within the limit: memory that no chunk reaches is never touched. */
  constructor(expected: number | undefined) {
    this.#isExpected = expected !== undefined
    this.#blocks.push(allocate(expected ?? smallOctets))
  }

  push(chunk: Uint8Array): void {
    let rest = chunk
    while (rest.length > 0) {
      const block = this.#blocks.at(-1) as Uint8Array
      const part = rest.subarray(0, block.length - this.#used)
      block.set(part, this.#used)
      this.#used += part.length
      rest = rest.subarray(part.length)
      // Node's parser ends a body at its Content-Length, so that what is expected suffices.
      if (rest.length > 0) {
        this.#blocks.push(allocate(Math.min(2 * block.length, largeOctets)))
        this.#used = 0
      }
    }
  }

  async finish(): Promise<Uint8Array> {
    const last = this.#blocks.pop() as Uint8Array
    if (this.#isExpected) return last
    const parts = [...this.#blocks, last.subarray(0, this.#used)]
    const whole = allocate(parts.reduce((sum, part) => sum + part.length, 0))
    const turn = new Turn()
    let offset = 0
    for (const part of parts) {
      whole.set(part, offset)
      offset += part.length
      await turn.pause()
    }
    return whole
  }
}

/** What most answers fit into. */
const smallOctets = 16_384
