/** The manager on a port of Node. @module */

import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getRequestListener, RequestError } from '@hono/node-server'
import { type DestinationStream, type Logger, pino } from 'pino'
import { withoutTokens } from '../../base/log-text.ts'
import { Refusal } from '../service/refusal.ts'
import type { Management } from './app.ts'
import { failureResponse } from './failure.ts'
import { lingering } from './linger.ts'

/** PEM. */
export interface ServerTls {
  /** The server's own certificate and those above it. */
  readonly cert: string | Buffer
  readonly key: string | Buffer
}

export interface ServeOptions {
  readonly management: Management
  /** Default `127.0.0.1`. */
  readonly host?: string | undefined
  /** 0: any that is free. */
  readonly port: number
  /** Absent: plain HTTP, for a proxy in front or one machine alone. */
  readonly tls?: ServerTls | undefined
  /** How long `close` waits for requests that run; default 10 seconds. */
  readonly drainMs?: number | undefined
  /** How long what a client still sends is read and thrown away after it was refused; default 10 seconds. */
  readonly lingerMs?: number | undefined
}

export interface ServedManagement {
  /** Without a slash at its end. */
  readonly url: string
  readonly port: number
  /**
   * Another certificate for the connections to come; those that are open stay.
   *
   * @throws What OpenSSL says of one that cannot be used: the old one stays. Without `tls` it does nothing.
   */
  readonly renewTls: (tls: ServerTls) => void
  /** Takes no new requests, ends streams, waits for the rest. The management itself is closed with it. */
  readonly close: () => Promise<void>
}

/**
 * Serves the management API.
 *
 * @throws What Node says when it cannot listen, such as `EADDRINUSE`.
 * @example
 * const { url, close } = await serveManagement({ management, port: 0 })
 * console.log((await fetch(`${url}/health/`)).status) // 200
 * await close()
 */
export async function serveManagement(options: ServeOptions): Promise<ServedManagement> {
  const { management, host = '127.0.0.1', port, tls } = options
  const { drainMs = 10_000, lingerMs = 10_000 } = options
  const listener = getRequestListener(
    async (request, { incoming }) => {
      const { remoteAddress: address } = incoming.socket
      const response = await management.fetch(request, { address, target: incoming.url })
      const isRead = request.method === 'GET' || request.method === 'HEAD' || incoming.complete
      const body = isRead ? null : request.body
      return body === null || body.locked ? response : await lingering(response, body, lingerMs)
    },
    { overrideGlobalObjects: false, errorHandler: malformed },
  )
  const settings = {
    // The management has its own, shorter, time for bodies; this ends what never sends one at all.
    headersTimeout: 15_000,
    requestTimeout: 300_000,
    keepAliveTimeout: 30_000,
    maxHeaderSize: 16_384,
  }
  const secure =
    tls === undefined
      ? undefined
      : createTlsServer({ ...settings, ...tls, minVersion: 'TLSv1.2' }, listener)
  const server: Server = secure ?? createServer(settings, listener)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const { port: actual } = server.address() as AddressInfo
  const name = host.includes(':') ? `[${host}]` : host
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${name}:${actual}`,
    port: actual,
    renewTls: (renewed) => {
      if ('setSecureContext' in server) {
        ;(server as TlsServer).setSecureContext({ ...renewed, minVersion: 'TLSv1.2' })
      }
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      await management.close()
      server.closeIdleConnections()
      const timer = setTimeout(() => server.closeAllConnections(), drainMs)
      await closed
      clearTimeout(timer)
    },
  }
}

/** What cannot become a `Request`: a backslash in the path, a Host that is none. */
function malformed(error: unknown): Response {
  if (!(error instanceof RequestError)) throw error
  return failureResponse(new Refusal('path-malformed', 'the target or Host of the request is none'))
}

/**
 * A logger that writes no secret, whatever it is given.
 *
 * @param to - Default: standard output.
 * @example
 * const logger = managementLogger('info', { write: (line) => console.log(JSON.parse(line).token) })
 * logger.info({ token: 'mtlsp_secret' }, 'made') // prints [secret]
 */
export function managementLogger(level = 'info', to?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
        censor: '[secret]',
      },
      // In a path, a message, a stack: whatever the field.
      hooks: { streamWrite: withoutTokens },
    },
    to ?? pino.destination(1),
  )
}

const secrets = [
  'authorization',
  'Authorization',
  'token',
  'password',
  'cookie',
  'privateKey',
  'signingKey',
  'databaseUrl',
  'key',
]
