/** A request of the Fetch API as guards see it. @module */

import type { Connection, HttpRequest } from './request.ts'

/** What a runtime says of a request besides. */
export interface Surroundings {
  readonly connection?: Connection | undefined
  /** `request.cf` of a Worker, or the event of a function. */
  readonly platform?: unknown
  /** The request as Node received it, line by line, where a server of Node is below. */
  readonly received?: HttpRequest | undefined
  /** Called before a refusal is answered. */
  readonly beforeRefusal?: (() => void) | undefined
}

/** What was received, where somebody still knows; else what the Fetch API has made of it. */
export function fetchRequest(request: Request, surroundings: Surroundings): HttpRequest {
  return surroundings.received ?? new FetchHttpRequest(request, surroundings)
}

/** The Fetch API has joined lines of one name with commas; who reads them must refuse what cannot have any. */
class FetchHttpRequest implements HttpRequest {
  readonly #request: Request
  readonly connection: Connection | undefined
  readonly platform: unknown
  readonly target: string
  readonly rawHeaders: readonly string[]
  /** Of this the Fetch API says nothing, and no header of the connection may be set in its answers. */
  readonly isHttp1 = false

  constructor(request: Request, { connection, platform }: Surroundings) {
    this.#request = request
    this.connection = connection
    this.platform = platform
    this.target = targetOf(request.url)
    const rawHeaders: string[] = []
    request.headers.forEach((value, name) => {
      rawHeaders.push(name, value)
    })
    this.rawHeaders = rawHeaders
  }

  get method(): string {
    return this.#request.method
  }

  get authority(): string | undefined {
    return this.#request.headers.get('host') ?? new URL(this.#request.url).host
  }
}

/** The path as it stands in the URL: `URL` would resolve what is to be refused. A fragment is never sent. */
function targetOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('//') + 2)
  if (start === -1) return '/'
  const end = url.indexOf('#', start)
  return end === -1 ? url.slice(start) : url.slice(start, end)
}
