/** The body of an answer, collected within a limit on what comes over the wire and on what it inflates to. @module */

import type { IncomingMessage } from 'node:http'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { failed, type Result, success } from '../../base/result.ts'
import { errorCodeOf, type FetchFailure } from './failure.ts'
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
  readonly #whole: Uint8Array | undefined
  readonly #chunks: Uint8Array[] = []
  #length = 0

  /** @param expected - Octets, where known and within the limit: memory that no chunk reaches is never touched. */
  constructor(expected: number | undefined) {
    this.#whole = expected === undefined ? undefined : new Uint8Array(expected)
  }

  push(chunk: Uint8Array): void {
    if (this.#whole === undefined) this.#chunks.push(chunk)
    // Node's parser ends a body at its Content-Length.
    else this.#whole.set(chunk, this.#length)
    this.#length += chunk.length
  }

  async finish(): Promise<Uint8Array> {
    if (this.#whole !== undefined) return this.#whole
    const whole = new Uint8Array(this.#length)
    const turn = new Turn()
    let offset = 0
    for (const chunk of this.#chunks) {
      whole.set(chunk, offset)
      offset += chunk.length
      await turn.pause()
    }
    return whole
  }
}
