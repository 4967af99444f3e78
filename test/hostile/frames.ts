/** HTTP/2 frame by frame, RFC 9113 §4.1: what no client of Node would send. @module */

import { type ConnectionOptions, connect } from 'node:tls'

export const frameType = { headers: 1, rstStream: 3, settings: 4, goaway: 7, continuation: 9 }
export const flag = { endStream: 1, endHeaders: 4 }

/** One connection; the preface and empty settings are sent: RFC 9113 §3.4. */
export class FrameClient {
  readonly #socket
  #octets = Buffer.alloc(0)
  #isClosed = false
  #told: (word: string) => void = () => {}
  /** The first thing that the server says of a request, in one word; see `wordOf`. */
  readonly word: Promise<string> = new Promise((resolve) => {
    this.#told = resolve
  })

  private constructor(port: number, tls: ConnectionOptions, ready: () => void) {
    const to = { host: '127.0.0.1', port, servername: 'localhost', ALPNProtocols: ['h2'] }
    this.#socket = connect({ ...to, rejectUnauthorized: false, ...tls }, () => {
      this.#socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
      this.send(frameType.settings, 0, 0, Buffer.alloc(0))
      ready()
    })
    this.#socket.on('data', (part) => this.#take(part))
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => {
      this.#isClosed = true
      this.#told('closed')
    })
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  static open(port: number, tls: ConnectionOptions): Promise<FrameClient> {
    return new Promise((resolve) => {
      const client = new FrameClient(port, tls, () => resolve(client))
    })
  }

  send(type: number, flags: number, stream: number, payload: Uint8Array): void {
    const head = Buffer.alloc(9)
    head.writeUIntBE(payload.length, 0, 3)
    head.writeUInt8(type, 3)
    head.writeUInt8(flags, 4)
    head.writeUInt32BE(stream, 5)
    this.#socket.write(Buffer.concat([head, payload]))
  }

  /** A header block in as many frames as it needs: RFC 9113 §4.3. */
  sendHeaders(stream: number, block: Buffer): void {
    for (let start = 0; start === 0 || start < block.length; start += largestFrame) {
      const isLast = start + largestFrame >= block.length
      const type = start === 0 ? frameType.headers : frameType.continuation
      const flags = (start === 0 ? flag.endStream : 0) | (isLast ? flag.endHeaders : 0)
      this.send(type, flags, stream, block.subarray(start, start + largestFrame))
    }
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(part: Buffer): void {
    this.#octets = Buffer.concat([this.#octets, part])
    while (this.#octets.length >= 9) {
      const end = 9 + this.#octets.readUIntBE(0, 3)
      if (this.#octets.length < end) return
      const word = wordOf(this.#octets.readUInt8(3), this.#octets.subarray(9, end))
      if (word !== undefined) this.#told(word)
      this.#octets = this.#octets.subarray(end)
    }
  }
}

/** A status, or the error code of RFC 9113 §7 with which the stream or the connection ends. */
function wordOf(type: number, payload: Buffer): string | undefined {
  if (type === frameType.headers) {
    const begin = payload.toString('hex')
    return statuses.find(([octets]) => begin.startsWith(octets))?.[1] ?? `status ${begin}`
  }
  if (type === frameType.rstStream) return `stream: ${errorCodes[payload.readUInt32BE(0)]}`
  if (type === frameType.goaway) return `connection: ${errorCodes[payload.readUInt32BE(4)]}`
  return undefined
}

/** As Node begins its answers: `:status` from the static table, or its name from there and three digits. RFC 7541, appendices A and B. */
const statuses: readonly (readonly [string, string])[] = [
  ['88', '200'],
  ['48826801', '401'],
  ['4803343035', '405'],
  ['48826841', '421'],
]

const errorCodes: Readonly<Record<number, string>> = {
  1: 'PROTOCOL_ERROR',
  2: 'INTERNAL_ERROR',
  9: 'COMPRESSION_ERROR',
  11: 'ENHANCE_YOUR_CALM',
}

const largestFrame = 16_384

/** Literal fields with literal names, never indexed, in plain octets: RFC 7541 §6.2.2. */
export function fields(...pairs: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(
    pairs.flatMap(([name, value]) => [Buffer.of(0), literal(name), literal(value)]),
  )
}

function literal(text: string): Buffer {
  const octets = Buffer.from(text, 'latin1')
  return Buffer.concat([integer(octets.length), octets])
}

/** With a prefix of 7 bits: RFC 7541 §5.1. */
function integer(value: number): Buffer {
  if (value < 127) return Buffer.of(value)
  const octets = [127]
  let rest = value - 127
  for (; rest >= 128; rest = Math.floor(rest / 128)) octets.push((rest % 128) | 128)
  return Buffer.from([...octets, rest])
}
