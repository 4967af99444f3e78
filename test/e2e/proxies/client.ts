/** Clients of the proxies: curl, and TLS by hand where a session is resumed or a request is written octet by octet. @module */

import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import type { Seen } from './backend.ts'

export interface Credentials {
  readonly chainPem: string
  readonly privateKeyPem: string
}

export interface Answer {
  /** 0: no answer, the TLS connection failed. */
  readonly status: number
  readonly version: '1.1' | '2' | undefined
  readonly body: string
  /** What the backend saw, when it was the backend that answered. */
  readonly seen: Seen | undefined
}

/** The values of all lines of this name, whatever its case. */
export function valuesOf(seen: Seen | undefined, name: string): readonly string[] {
  const values: string[] = []
  const raw = seen?.rawHeaders ?? []
  for (let at = 0; at + 1 < raw.length; at += 2) {
    if (raw[at]?.toLowerCase() === name.toLowerCase()) values.push(raw[at + 1] ?? '')
  }
  return values
}

export interface CurlOptions {
  readonly client?: Credentials | undefined
  readonly http2?: boolean
  /** Lines as they are sent: `Name: value`. */
  readonly headers?: readonly string[]
  readonly path?: string
  readonly data?: string
}

/** One request by curl. Header lines go through a file: a certificate is longer than a shell likes. */
export async function curl(port: number, options: CurlOptions = {}): Promise<Answer> {
  const { client, http2 = false, headers = [], path = '/', data } = options
  const folder = await mkdtemp(join(tmpdir(), 'mtls-policy-curl-'))
  try {
    const at = (file: string) => join(folder, file)
    await writeFile(at('headers'), headers.map((line) => `${line}\n`).join(''))
    const credentials: string[] = []
    if (client !== undefined) {
      await writeFile(at('client.pem'), client.chainPem)
      await writeFile(at('client.key'), client.privateKeyPem, { mode: 0o600 })
      credentials.push('--cert', at('client.pem'), '--key', at('client.key'))
    }
    const { stdout } = await output('curl', [
      ...['--silent', '--insecure', '--max-time', '15', http2 ? '--http2' : '--http1.1'],
      ...['--resolve', `api.example:${port}:127.0.0.1`, '--header', `@${at('headers')}`],
      ...['--write-out', '\n%{http_code} %{http_version}', ...credentials],
      ...(data === undefined ? [] : ['--data-binary', data]),
      `https://api.example:${port}${path}`,
    ])
    const cut = stdout.lastIndexOf('\n')
    const [status = '0', version] = stdout.slice(cut + 1).split(' ')
    return answerOf(Number(status), version, stdout.slice(0, cut))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** HTTP/1.1 over one TLS connection, so that the caller has its session. */
export class TlsClient {
  readonly #socket: TLSSocket
  /** Sessions come after the handshake in TLS 1.3; the last is kept. */
  session: Buffer | undefined
  #received = Buffer.alloc(0)
  #failure: Error | undefined
  #isClosed = false
  #wake: () => void = () => undefined

  private constructor(socket: TLSSocket) {
    this.#socket = socket
    socket.on('session', (session: Buffer) => {
      this.session = session
      this.#wake()
    })
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#wake()
    })
    socket.on('error', (error) => {
      this.#failure = error
      this.#wake()
    })
    // A server that waits for more than it was sent.
    socket.setTimeout(10_000, () => socket.destroy())
    socket.on('close', () => {
      this.#isClosed = true
      this.#wake()
    })
  }

  static open(
    port: number,
    options: ConnectionOptions & { readonly client?: Credentials | undefined } = {},
  ): Promise<TlsClient> {
    const { client, ...rest } = options
    return new Promise((opened, failed) => {
      const socket = connect({
        host: '127.0.0.1',
        port,
        servername: 'api.example',
        rejectUnauthorized: false,
        ALPNProtocols: ['http/1.1'],
        ...(client === undefined ? {} : { cert: client.chainPem, key: client.privateKeyPem }),
        ...rest,
      })
      const made = new TlsClient(socket)
      socket.once('secureConnect', () => opened(made))
      socket.once('error', failed)
    })
  }

  get isResumed(): boolean {
    return this.#socket.isSessionReused()
  }

  /** Sends lines of a GET besides `Host`, and waits for one answer with a length or in chunks. Status 0: the connection ended. */
  async get(headers: readonly string[] = [], host = 'api.example'): Promise<Answer> {
    this.#received = Buffer.alloc(0)
    const lines = ['GET / HTTP/1.1', `Host: ${host}`, ...headers, '', '']
    this.#socket.write(lines.join('\r\n'), 'latin1')
    for (;;) {
      const answer = parse(this.#received)
      if (answer !== undefined) return answer
      if (this.#failure !== undefined || this.#isClosed) return answerOf(0, undefined, '')
      await new Promise<void>((woken) => {
        this.#wake = woken
      })
    }
  }

  close(): void {
    this.#socket.destroy()
  }
}

function parse(received: Buffer): Answer | undefined {
  const text = received.toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = text.slice(0, end)
  const status = Number(head.slice(9, 12))
  const body = text.slice(end + 4)
  const length = /^content-length: *(\d+)/im.exec(head)?.[1]
  if (length !== undefined) {
    return body.length < Number(length) ? undefined : answerOf(status, '1.1', body)
  }
  if (!body.endsWith('0\r\n\r\n')) return undefined
  let rest = body
  let whole = ''
  for (;;) {
    const size = Number.parseInt(rest, 16)
    if (!(size > 0)) return answerOf(status, '1.1', whole)
    const from = rest.indexOf('\r\n') + 2
    whole += rest.slice(from, from + size)
    rest = rest.slice(from + size + 2)
  }
}

function answerOf(status: number, version: string | undefined, body: string): Answer {
  const known = version === '2' || version === '1.1' ? version : undefined
  return { status, version: known, body, seen: seenIn(body) }
}

function seenIn(body: string): Seen | undefined {
  if (!body.startsWith('{"method"')) return undefined
  return JSON.parse(body)
}

function output(program: string, argv: readonly string[]): Promise<{ readonly stdout: string }> {
  return new Promise((done) => {
    // curl's own exit code says less than the status that it writes, 000 when there was no answer.
    execFile(program, argv, { maxBuffer: 16 * 1024 * 1024 }, (_error, stdout) => done({ stdout }))
  })
}
