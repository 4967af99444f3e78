/** A socket of Node as the sources see it. @module */

import type { Socket } from 'node:net'
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import type { Connection, TlsConnection } from '../request.ts'
import { rememberServerName, serverNameOf } from './server-name.ts'

/** The same object for every request on a socket. */
export function connectionOf(socket: Socket): Connection {
  const known = connections.get(socket)
  if (known !== undefined) return known
  const connection = new NodeConnection(socket)
  connections.set(socket, connection)
  return connection
}

const connections = new WeakMap<Socket, Connection>()

class NodeConnection implements Connection {
  readonly #socket: Socket
  readonly tls: TlsConnection | undefined
  #remoteAddress: string | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    this.tls = isTls(socket) ? new NodeTls(socket) : undefined
  }

  /** Kept once it is known: a socket that was closed forgets it. */
  get remoteAddress(): string | undefined {
    this.#remoteAddress ??= this.#socket.remoteAddress
    return this.#remoteAddress
  }
}

class NodeTls implements TlsConnection {
  readonly #socket: TLSSocket
  readonly serverName: string | undefined
  readonly isResumed: boolean

  constructor(socket: TLSSocket) {
    this.#socket = socket
    rememberServerName(socket)
    this.serverName = serverNameOf(socket)
    this.isResumed = socket.isSessionReused()
  }

  certificates(): readonly Uint8Array[] {
    const certificates: Uint8Array[] = []
    // `null` once the socket is closed, an object without fields when the client sent none.
    let next: DetailedPeerCertificate | null | undefined = this.#socket.getPeerCertificate(true)
    while (next?.raw !== undefined && certificates.length < maxCertificates) {
      certificates.push(new Uint8Array(next.raw))
      // A self-signed certificate is its own issuer.
      next = next.issuerCertificate === next ? undefined : next.issuerCertificate
    }
    if (certificates.length === 0) warnIfNeverAsked(this.#socket)
    return certificates
  }
}

/** Says once of a server that it never asks for certificates: its clients are not to blame. Whether it asks is no documented field. */
function warnIfNeverAsked(socket: TLSSocket): void {
  const { server } = socket as { server?: { readonly requestCert?: unknown } }
  if (server?.requestCert !== false || warned.has(server)) return
  warned.add(server)
  const message = 'this server asks no client for a certificate, so that none can present one'
  process.emitWarning(message, {
    code: 'MTLS_POLICY_NOT_REQUESTED',
    detail: 'Create it with requestCert: true, rejectUnauthorized: false.',
  })
}

const warned = new WeakSet<object>()

/** A socket of HTTP/2 is a proxy of the TLS socket, which has no class to be told by. */
function isTls(socket: Socket): socket is TLSSocket {
  return (socket as { encrypted?: unknown }).encrypted === true
}

/** Local limit: as many as a path may have at most, far above any real one; OpenSSL's own list of certificates is not limited. */
const maxCertificates = 100
