/** Asking the manager: HTTP with a bearer token, no redirects, everything bounded. @module */

import { Agent, type IncomingMessage, type RequestOptions, request } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { misuse } from '../../client/misuse.ts'

/** No answer, or none to its end. */
export class ManagerUnreachable extends Error {
  readonly code = 'manager-unreachable'
}

/** An answer that is none of those that were asked for. */
export class ManagerRefused extends Error {
  readonly code = 'manager-refused'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export interface ManagerClientOptions {
  readonly managerUrl: string
  readonly token: string | (() => string)
  readonly environment: string
  readonly ca: string | undefined
  readonly answerMs: number
}

interface Asked {
  readonly method?: 'GET' | 'PUT' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal: AbortSignal
  /** Without an octet; default that of the options. */
  readonly idleMs?: number
}

export class ManagerClient {
  readonly #base: URL
  readonly #token: string | (() => string)
  readonly #answerMs: number
  readonly #tls: RequestOptions & { readonly ca?: string }
  readonly #agent: Agent

  /** @throws TypeError with code `option-invalid`. */
  constructor({ managerUrl, token, environment, ca, answerMs }: ManagerClientOptions) {
    if (!/^https?:\/\//.test(managerUrl) || !URL.canParse(managerUrl)) {
      throw misuse('option-invalid', 'managerUrl must be a URL of http or https', {
        option: 'managerUrl',
      })
    }
    const base = new URL(managerUrl)
    if (base.username !== '' || base.password !== '') {
      // They would be sent to nobody, and the URL is told to everybody.
      const message = 'managerUrl must have no user and no password: the token is what counts'
      throw misuse('option-invalid', message, { option: 'managerUrl' })
    }
    const prefix = base.pathname.endsWith('/') ? base.pathname : `${base.pathname}/`
    base.pathname = `${prefix}apiops/environments/${encodeURIComponent(environment)}/`
    base.search = ''
    base.hash = ''
    this.#base = base
    this.#token = token
    this.#answerMs = answerMs
    this.#tls = ca === undefined ? {} : { ca }
    const pool = { keepAlive: true, maxSockets: 16 }
    this.#agent = base.protocol === 'https:' ? new HttpsAgent(pool) : new Agent(pool)
  }

  /**
   * The head of an answer; its body is still to be read.
   *
   * @param path - Below the environment.
   * @throws ManagerUnreachable.
   */
  open(path: string, asked: Asked, ownConnection = false): Promise<IncomingMessage> {
    const { method = 'GET', headers = {}, body, signal, idleMs = this.#answerMs } = asked
    const token = typeof this.#token === 'function' ? this.#token() : this.#token
    const url = new URL(path, this.#base)
    const options: RequestOptions = {
      ...this.#tls,
      method,
      signal,
      // A stream holds its connection: it must not take the place of an exchange.
      agent: ownConnection ? false : this.#agent,
      headers: {
        ...headers,
        authorization: `Bearer ${token}`,
        ...(body === undefined
          ? {}
          : {
              'content-type': 'application/json',
              'content-length': String(Buffer.byteLength(body)),
            }),
      },
    }
    const send = (isAgain: boolean): Promise<IncomingMessage> =>
      new Promise((resolve, reject) => {
        const sent = (url.protocol === 'https:' ? httpsRequest : request)(url, options, resolve)
        sent.setTimeout(idleMs, () => sent.destroy(new Error('no answer in time')))
        sent.on('error', (error: NodeJS.ErrnoException) => {
          // The manager ended a kept connection as we wrote to it. Everything that is asked here may be asked twice.
          if (sent.reusedSocket && error.code === 'ECONNRESET' && !isAgain) resolve(send(true))
          else reject(new ManagerUnreachable(`${error.code ?? error.message} at ${url.origin}`))
        })
        sent.end(body)
      })
    return send(false)
  }

  /**
   * A whole answer.
   *
   * @param maximum - Octets of its body.
   * @throws ManagerUnreachable; ManagerRefused for any other status than those `wanted`, and for a larger body.
   */
  async ask(
    path: string,
    asked: Asked,
    wanted: readonly number[],
    maximum: number,
  ): Promise<{
    readonly status: number
    readonly etag: string | undefined
    readonly body: Uint8Array
  }> {
    const answer = await this.open(path, asked)
    const { statusCode: status = 0 } = answer
    if (!wanted.includes(status)) {
      answer.destroy()
      throw new ManagerRefused(status, `${this.#base.origin} answered ${status}`)
    }
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of chunksOf(answer)) {
      length += chunk.length
      if (length > maximum) throw new ManagerRefused(status, `more than ${maximum} octets`)
      chunks.push(chunk)
    }
    if (!answer.complete) throw new ManagerUnreachable('cut off')
    return { status, etag: answer.headers.etag, body: Buffer.concat(chunks) }
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** The body of an answer; whatever ends it early is the manager's absence. */
export async function* chunksOf(answer: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of answer) yield chunk as Uint8Array
  } catch (error) {
    // Thrown by the socket; what the reader throws does not come by here.
    throw new ManagerUnreachable((error as NodeJS.ErrnoException).code ?? String(error))
  }
}

/**
 * The lines of a body, without their ends.
 *
 * @param maximum - Octets of one line.
 * @throws ManagerRefused for a longer one.
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  maximum: number,
): AsyncGenerator<Uint8Array> {
  let pieces: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      pieces.push(chunk.subarray(start, end))
      yield Buffer.concat(pieces)
      pieces = []
      length = 0
      start = end + 1
    }
    if (start === chunk.length) continue
    pieces.push(chunk.subarray(start))
    length += chunk.length - start
    if (length > maximum) throw new ManagerRefused(200, `more than ${maximum} octets`)
  }
}
