/**
 * Connections of clients, and what they presented on them.
 *
 * `getPeerCertificate(true)`, which the middleware asks, takes 0.3 ms on a new connection: it copies every certificate and looks for an
 * issuer of the last one. `getPeerX509Certificate` takes half of that, but takes the chain out of OpenSSL's own list, so that nobody is told
 * of it a second time. In a server of others that would not do; here nobody else asks. The client's own certificate alone is nearly for
 * nothing, and who came in before is known by that.
 *
 * @module
 */

import type { X509Certificate } from 'node:crypto'
import type { Http2ServerRequest } from 'node:http2'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { bytesEqual } from '../base/bytes.ts'
import { success } from '../base/result.ts'
import { NodeHttpRequest, type NodeRequest } from '../http/node/request.ts'
import { serverNameOf } from '../http/node/server-name.ts'
import { findInSession, readSession } from '../http/node/tls-session.ts'
import type { Connection, TlsConnection } from '../http/request.ts'
import { absent, type ClientCertificateSource, type Found } from '../http/source.ts'
import { Generations } from '../runtime/generations.ts'

/** A request on a connection as it is known here. */
export class GatewayRequest extends NodeHttpRequest {
  readonly #request: NodeRequest

  /** @param target - For policies; as received, or below a base path. */
  constructor(request: NodeRequest, target: string | undefined) {
    super(request, target)
    this.#request = request
  }

  override get connection(): ClientConnection | undefined {
    const socket = this.isHttp1
      ? this.#request.socket
      : (this.#request as Http2ServerRequest).stream?.session?.socket
    return socket && connectionOf(socket)
  }
}

function connectionOf(socket: Socket): ClientConnection {
  const known = connections.get(socket)
  if (known !== undefined) return known
  const connection = new ClientConnection(socket as TLSSocket)
  connections.set(socket, connection)
  return connection
}

const connections = new WeakMap<Socket, ClientConnection>()

/**
 * Reads what a client presented, if OpenSSL may have stumbled over it. What its own look at the chain finds wrong stays in its queue of
 * errors, and Node takes that for an error of the connection, of which nobody would be told why it ends. Reading certificates
 * empties the queue.
 *
 * @param socket - Whose handshake is being told of: once that call has returned it is too late.
 */
export function readStumblers(socket: TLSSocket): void {
  // A code, whatever its type says; `null`: nothing is wrong.
  const found = socket.authorizationError as unknown as string | null | undefined
  if (found == null || withoutError.has(found)) return
  connectionOf(socket).certificates()
}

/**
 * What is found for a client like any other, of whose chain OpenSSL knows no end. Everything else is found later, and so it is by this
 * that the check came to its end without.
 */
const withoutError: ReadonlySet<string> = new Set([
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
])

export class ClientConnection implements Connection, TlsConnection {
  readonly #socket: TLSSocket
  readonly tls: TlsConnection
  readonly serverName: string | undefined
  readonly isResumed: boolean
  #remoteAddress: string | undefined
  #leaf: Uint8Array | undefined
  #certificates: readonly Uint8Array[] | undefined

  constructor(socket: TLSSocket) {
    this.#socket = socket
    this.tls = this
    this.serverName = serverNameOf(socket)
    this.isResumed = socket.isSessionReused()
  }

  /** Kept once it is known: a socket that was closed forgets it. */
  get remoteAddress(): string | undefined {
    this.#remoteAddress ??= this.#socket.remoteAddress
    return this.#remoteAddress
  }

  /** DER of the client's own certificate; `undefined`: it sent none, or has gone. */
  get leaf(): Uint8Array | undefined {
    this.#leaf ??=
      this.#certificates?.[0] ?? readSession(this.#socket, leafInSession) ?? leafOf(this.#socket)
    return this.#leaf
  }

  /** What it sent, its own first; a resumed session has that alone. */
  certificates(): readonly Uint8Array[] {
    if (this.#certificates === undefined) {
      const certificates: Uint8Array[] = []
      let next: X509Certificate | undefined = this.#socket.getPeerX509Certificate()
      while (next !== undefined && certificates.length < maxCertificates) {
        certificates.push(new Uint8Array(next.raw))
        next = next.issuerCertificate
      }
      this.#certificates = certificates
    }
    return this.#certificates
  }
}

/**
 * As `tls()` of `mtls-policy/sources`: the handshake proves that the client holds its key, and nothing else is taken from it. What an
 * accepted client sent besides is remembered by its own certificate, for its resumed sessions and for its next connections.
 *
 * @param remembered - Chains that are kept at most.
 */
export function clientCertificates(remembered: number): ClientCertificateSource {
  const found = new WeakMap<Connection, Found>()
  const chains = new Generations<readonly Uint8Array[]>(Math.ceil(remembered / 2))
  return {
    name: 'tls',
    headers: [],
    read: ({ connection }) => {
      if (!(connection instanceof ClientConnection)) return absent
      const known = found.get(connection)
      if (known !== undefined) return known
      const first = readConnection(connection, chains)
      found.set(connection, first)
      return first
    },
    accepted: (certificates) => {
      const [leaf] = certificates
      if (leaf !== undefined && certificates.length > 1) chains.set(endOf(leaf), certificates)
    },
  }
}

function readConnection(
  connection: ClientConnection,
  chains: Generations<readonly Uint8Array[]>,
): Found {
  const { leaf } = connection
  if (leaf === undefined) return absent
  const known = chains.get(endOf(leaf))
  const isSame = known?.[0] !== undefined && bytesEqual(known[0], leaf)
  const certificates = isSame ? known : connection.certificates()
  return { kind: 'presented', key: connection, read: () => success(certificates) }
}

/** What is not there is an object without fields, or `null` once the socket is closed. */
function leafOf(socket: TLSSocket): Uint8Array | undefined {
  const raw = socket.getPeerCertificate()?.raw
  return raw && new Uint8Array(raw)
}

/** Under [3] of a session; it is what `getPeerCertificate` shows, which also makes texts of all its names. */
export function leafInSession(session: Uint8Array): Uint8Array | undefined {
  return findInSession(session, (tag, content) =>
    tag === 0xa3 ? new Uint8Array(content) : undefined,
  )
}

/** The end of a certificate is its signature; the whole is compared besides. */
function endOf(leaf: Uint8Array): string {
  const { buffer, byteOffset, byteLength } = leaf
  const length = Math.min(byteLength, 16)
  return Buffer.from(buffer, byteOffset + byteLength - length, length).toString('latin1')
}

/** Local limit: as many as a path may have at most, far above any real one. */
const maxCertificates = 100
