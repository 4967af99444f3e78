/**
 * Somebody between manager and gateway who passes requests and events on, and changes what the manager answers.
 *
 * @module
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { Fleet, Manager } from './support.ts'

/** What is done to what passes; it passes as it is where nothing is said. */
export interface Attack<State> {
  /** Of a state, whether it was asked for or came as an event; `undefined`: it passes as it is. */
  readonly state?: (state: State) => unknown
  /** Of a snapshot; `undefined`: 404. */
  readonly snapshot?: (octets: Buffer) => Buffer | undefined
}

export interface Between {
  readonly port: number
  /** Ends every stream of events that is open. */
  readonly cut: () => void
}

/** @param attack - Asked at everything that passes. It ends with the fleet. */
export async function standBetween<State>(
  fleet: Fleet,
  manager: Manager,
  attack: () => Attack<State>,
): Promise<Between> {
  const streams = new Set<ServerResponse>()
  const port = await fleet.listen(createServer(pass))
  return {
    port,
    cut: () => {
      for (const stream of streams) stream.destroy()
    },
  }

  function pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { method, url = '', headers } = incoming
    const { accept = '*/*', authorization = '' } = headers
    const onward = request(`${manager.url}${url}`, {
      method,
      headers: { accept, authorization, 'content-type': 'application/json' },
    })
    incoming.pipe(onward)
    onward.on('error', () => outgoing.destroy())
    onward.on('response', (response) => {
      const { 'content-type': type = '' } = response.headers
      if (type.startsWith('text/event-stream')) passEvents(response, outgoing)
      else passWhole(url, response, outgoing)
    })
    outgoing.on('close', () => onward.destroy())
  }

  function passEvents(response: IncomingMessage, outgoing: ServerResponse): void {
    streams.add(outgoing)
    outgoing.on('close', () => streams.delete(outgoing))
    outgoing.writeHead(response.statusCode ?? 502, headersOf(response))
    outgoing.flushHeaders()
    let rest = ''
    response.setEncoding('utf8')
    response.on('error', () => outgoing.destroy())
    response.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const data = line.startsWith('data: ') ? line.slice(6) : undefined
        outgoing.write(`${data === undefined ? line : `data: ${passState(data)}`}\n`)
      }
    })
  }

  async function passWhole(
    url: string,
    response: IncomingMessage,
    outgoing: ServerResponse,
  ): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    let passed: Buffer | string | undefined = body
    if (url.includes('/snapshots/')) {
      const { snapshot } = attack()
      if (snapshot !== undefined) passed = snapshot(body)
    } else if (url.includes('/state/') && body.length > 0) {
      passed = passState(body.toString())
    }
    const status = passed === undefined ? 404 : (response.statusCode ?? 502)
    outgoing.writeHead(status, headersOf(response))
    outgoing.end(passed)
  }

  function passState(text: string): string {
    const passed = attack().state?.(JSON.parse(text) as State)
    return passed === undefined ? text : JSON.stringify(passed)
  }
}

function headersOf({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  const { 'content-type': type = '', etag = '' } = headers
  return { 'content-type': type, etag }
}
