/**
 * What was fetched, kept on disk, so that a restart starts warm. Everything read back is checked: a file that is damaged, cut short or
 * not ours is as good as none. @module
 */

import { createHash, randomBytes } from 'node:crypto'
import { mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { errorCodeOf } from './failure.ts'
import { validators } from './freshness.ts'
import { readWholeFile } from './read-file.ts'
import { eachSlice, type Gate } from './turns.ts'

/** One answer, as it came, with what is needed to ask again. */
export interface CachedAnswer {
  readonly kind: 'crl' | 'ocsp'
  readonly uri: string
  /** What was asked for at that URI; empty for lists. */
  readonly subject: string
  readonly etag: string | undefined
  readonly lastModified: string | undefined
  readonly body: Uint8Array
}

export type CacheFailure =
  /** `error`: the system's code, as ENOSPC or EACCES. */
  | { readonly code: 'cache'; readonly error: string }
  /** One answer alone is larger than the cache may be. */
  | { readonly code: 'too-large'; readonly maxBytes: number }

/** Files named by hashes: no URI can lead out of the folder. */
export class CacheFolder {
  readonly folder: string
  readonly #maxBytes: number
  readonly #computing: Gate
  /** Sizes of our files, those written first in front. */
  readonly #sizes = new Map<string, number>()
  #writing: Promise<unknown> = Promise.resolve()

  /**
   * @param maxBytes - Octets of all files together.
   * @param computing - Passed for every digest.
   */
  constructor(folder: string, maxBytes: number, computing: Gate) {
    this.folder = folder
    this.#maxBytes = maxBytes
    this.#computing = computing
  }

  /** Makes the folder, removes what an interrupted write has left, and lists what is there. */
  async open(): Promise<CacheFailure | undefined> {
    try {
      await makeFolder(this.folder)
      const found: { readonly name: string; readonly size: number; readonly written: number }[] = []
      for (const name of await readdir(this.folder)) {
        if (!ours.test(name)) continue
        const path = join(this.folder, name)
        const file = await stat(path).catch(missing)
        if (file === undefined) continue
        const { size, mtimeMs } = file
        if (name.endsWith(finished)) found.push({ name, size, written: mtimeMs })
        // Another process may be writing a young one.
        else if (mtimeMs < Date.now() - abandonedAfter) await unlink(path).catch(missing)
      }
      found.sort((a, b) => a.written - b.written)
      for (const { name, size } of found) this.#sizes.set(name, size)
      return undefined
    } catch (error) {
      return { code: 'cache', error: errorCodeOf(error) }
    }
  }

  /** Every answer that is whole, those written last first. */
  async *read(): AsyncGenerator<CachedAnswer, void> {
    for (const name of [...this.#sizes.keys()].reverse()) {
      const read = await readWholeFile(join(this.folder, name), this.#maxBytes)
      const answer = read.ok ? await this.#computing.pass(() => decode(read.value)) : undefined
      if (answer !== undefined && nameOf(answer) === name) yield answer
    }
  }

  /**
   * Writes a file beside the one that is there and puts it in its place in one move. One after the other: two that make room at once
   * would both find the same.
   */
  write(answer: CachedAnswer): Promise<CacheFailure | undefined> {
    const written = this.#writing.then(() => this.#write(answer))
    this.#writing = written.catch(() => {})
    return written
  }

  async #write(answer: CachedAnswer): Promise<CacheFailure | undefined> {
    const name = nameOf(answer)
    const head = await this.#computing.pass(() => encodeHead(answer))
    const size = head.length + answer.body.length
    if (size > this.#maxBytes) return { code: 'too-large', maxBytes: this.#maxBytes }
    const temporary = join(this.folder, `${name.slice(0, 64)}.${randomBytes(8).toString('hex')}`)
    try {
      await this.#makeRoom(name, size)
      const file = await open(temporary, 'wx', 0o600)
      try {
        await file.writeFile(head)
        await eachSlice(answer.body, async (slice) => {
          await file.writeFile(slice)
        })
      } finally {
        await file.close()
      }
      await rename(temporary, join(this.folder, name))
      this.#sizes.set(name, size)
      return undefined
    } catch (error) {
      // What cannot be removed either is removed at the next start.
      await unlink(temporary).catch(() => {})
      return { code: 'cache', error: errorCodeOf(error) }
    }
  }

  async #makeRoom(name: string, size: number): Promise<void> {
    this.#sizes.delete(name)
    let total = size
    for (const one of this.#sizes.values()) total += one
    for (const [oldest, one] of this.#sizes) {
      if (total <= this.#maxBytes) return
      await unlink(join(this.folder, oldest)).catch(missing)
      this.#sizes.delete(oldest)
      total -= one
    }
  }
}

/**
 * Level by level. Node's own `recursive` tries for ever, and keeps the event loop busy, below a folder as /proc, which says that there is
 * no such folder when one is made in it.
 */
async function makeFolder(folder: string): Promise<void> {
  const levels: string[] = []
  let level = resolve(folder)
  while ((await stat(level).catch(missing)) === undefined && dirname(level) !== level) {
    levels.push(level)
    level = dirname(level)
  }
  for (const one of levels.reverse()) {
    await mkdir(one, { mode: 0o700 }).catch((error) => {
      // Another process was faster.
      if (errorCodeOf(error) !== 'EEXIST') throw error
    })
  }
}

/** What is gone, another process has perhaps removed. */
function missing(error: unknown): undefined {
  if (errorCodeOf(error) !== 'ENOENT') throw error
}

function nameOf({ kind, uri, subject }: Omit<CachedAnswer, 'body'>): string {
  const text = JSON.stringify([kind, uri, subject])
  return createHash('sha256').update(text).digest('hex') + finished
}

/** Two lines: the format with a digest of everything after this line, then what is known of the answer. */
async function encodeHead({ body, ...facts }: CachedAnswer): Promise<Buffer> {
  const line = Buffer.from(`${JSON.stringify(facts)}\n`)
  return Buffer.concat([Buffer.from(`${format} ${await digest(line, body)}\n`), line])
}

async function decode(bytes: Uint8Array): Promise<CachedAnswer | undefined> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const first = text.subarray(0, maxHead).indexOf(lineEnd)
  const second = text.subarray(0, maxHead).indexOf(lineEnd, first + 1)
  if (first === -1 || second === -1) return undefined
  const line = bytes.subarray(first + 1, second + 1)
  const body = bytes.subarray(second + 1)
  if (text.toString('latin1', 0, first) !== `${format} ${await digest(line, body)}`)
    return undefined
  const facts = readFacts(text.toString('utf8', first + 1, second))
  return facts && { ...facts, body }
}

/** Anybody can make the digest: it proves that the file is whole, not that we wrote it. */
function readFacts(text: string): Omit<CachedAnswer, 'body'> | undefined {
  let facts: unknown
  try {
    facts = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof facts !== 'object' || facts === null) return undefined
  const { kind, uri, subject, etag, lastModified } = facts as Readonly<Record<string, unknown>>
  const isKnown = kind === 'crl' || kind === 'ocsp'
  if (!isKnown || typeof uri !== 'string' || typeof subject !== 'string') return undefined
  const fields = { etag: textOf(etag), 'last-modified': textOf(lastModified) }
  // Its date was judged when it came.
  return { kind, uri, subject, ...validators(fields, Number.POSITIVE_INFINITY) }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

async function digest(line: Uint8Array, body: Uint8Array): Promise<string> {
  const hash = createHash('sha256').update(line)
  await eachSlice(body, (slice) => {
    hash.update(slice)
  })
  return hash.digest('hex')
}

const format = 'mtls-policy revocation cache 1'
const finished = '.answer'
const ours = /^[0-9a-f]{64}\.(?:answer|[0-9a-f]{16})$/
const lineEnd = 0x0a
/** Two lines with a URI, two header fields and an OCSP subject, all of which have limits. */
const maxHead = 32_768
/** Milliseconds: no exchange takes an hour. */
const abandonedAfter = 3_600_000
