/** A client that sends octets as they are, and reads what answers come. @module */

import { connect as connectTcp, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'

export interface Exchange {
  /** In Latin-1. Each is one write; the next follows when another answer has come. */
  readonly parts: readonly string[]
  /** Credentials of a client of TLS; absent: no TLS. */
  readonly tls?: ConnectionOptions | undefined
  /** Sent over and over, as soon as there is an answer. */
  readonly drip?: string
  /** Stops after that many answers, where the server keeps the connection. */
  readonly answers?: number
}

/** @returns The status of every answer, in their order, when the server has ended the connection, or all `answers` are there. */
export function exchange(
  port: number,
  { parts, tls, answers, drip }: Exchange,
): Promise<readonly number[]> {
  return new Promise((resolve, reject) => {
    const socket = open(port, tls)
    let text = ''
    let sent = 0
    const send = (): void => {
      const part = parts[sent++]
      if (part !== undefined) socket.write(part, 'latin1')
      else if (drip !== undefined) dripping ??= setInterval(() => socket.write(drip), 20)
    }
    let dripping: NodeJS.Timeout | undefined
    const done = (): void => {
      clearTimeout(timer)
      clearInterval(dripping)
      socket.destroy()
      resolve(statusesIn(text))
    }
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`neither an end nor all answers, but: ${text.slice(0, 1000)}`))
    }, longest)
    socket.once(tls === undefined ? 'connect' : 'secureConnect', send)
    socket.on('data', (part) => {
      text += part.toString('latin1')
      const { length } = statusesIn(text)
      if (answers !== undefined && length >= answers) done()
      else if (length >= sent) send()
    })
    // A server that closes while it is still sent to resets the connection; what came before counts.
    socket.on('error', () => {})
    socket.on('close', done)
  })
}

/** A connection that is kept from one request to the next, as long as the server keeps it. */
export class KeptConnection {
  readonly #open: () => Socket
  #socket: Socket | undefined
  #text = ''
  #wake: () => void = () => {}

  constructor(port: number, tls: ConnectionOptions | undefined) {
    this.#open = () => open(port, tls)
  }

  /** @returns The status; 0: the connection ended. */
  async ask(wire: string): Promise<number> {
    this.#text = ''
    const socket = this.#socket?.writable ? this.#socket : this.#connect()
    socket.write(wire, 'latin1')
    for (;;) {
      const [status] = statusesIn(this.#text)
      if (status !== undefined) return status
      if (socket.destroyed) return 0
      await new Promise<void>((woken) => {
        this.#wake = woken
      })
    }
  }

  #connect(): Socket {
    const socket = this.#open()
    this.#socket = socket
    socket.on('data', (part) => {
      this.#text += part.toString('latin1')
      this.#wake()
    })
    socket.on('error', () => {})
    socket.on('close', () => this.#wake())
    return socket
  }
}

export function open(port: number, tls: ConnectionOptions | undefined): Socket {
  const to = { host: '127.0.0.1', port }
  if (tls === undefined) return connectTcp(to)
  return connectTls({ ...to, servername: 'localhost', rejectUnauthorized: false, ...tls })
}

/** A request without body, unless `rest` is one. @param lines - Beside `Host`. */
export function request(
  target: string,
  lines: readonly string[] = [],
  { method = 'GET', rest = '' }: { readonly method?: string; readonly rest?: string } = {},
): string {
  const all = [`${method} ${target} HTTP/1.1`, 'Host: localhost', ...lines, '', rest]
  return all.join('\r\n')
}

/** Of whole answers alone: RFC 9112 §6.3. One without a length is the last. */
function statusesIn(text: string): readonly number[] {
  const statuses: number[] = []
  for (let rest = text; ; ) {
    const [head, status] = /^HTTP\/1\.1 (\d{3}) .*?\r\n\r\n/s.exec(rest) ?? []
    if (head === undefined) return statuses
    const length = /^content-length: (\d+)\r$/im.exec(head)?.[1]
    const end = length === undefined ? rest.length : head.length + Number(length)
    if (rest.length < end) return statuses
    statuses.push(Number(status))
    rest = rest.slice(end)
  }
}

/** Local limit, in milliseconds: nothing here takes a tenth of it. */
const longest = 5000
