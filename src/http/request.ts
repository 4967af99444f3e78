/** One HTTP request as every framework's adapter hands it over: what was received, and nothing that a router or a parser made of it. @module */

export interface HttpRequest {
  /** As received; methods are case-sensitive: RFC 9110 §9.1. */
  readonly method: string
  /** The request target as received: origin form or absolute form (RFC 9112 §3.2), never what a router has cut. */
  readonly target: string
  /** `Host` or `:authority`; absent when there is none. */
  readonly authority: string | undefined
  /** Whether one connection carries one request after the other, as HTTP/1 does: only there `Connection` is a header. */
  readonly isHttp1: boolean
  /** Names and values in turns, in the order of their arrival, each line by itself where the runtime shows lines. */
  readonly rawHeaders: readonly string[]
  /** Of a request with so many header lines the runtime may have dropped what came after them. Absent: it drops none. */
  readonly maxHeaderLines?: number | undefined
  /** Absent where the runtime does not show it, as in most fetch handlers. */
  readonly connection: Connection | undefined
  /** What a platform knows besides: the event of an API Gateway, `request.cf` of a worker. Never made from headers. */
  readonly platform: unknown
}

/** What a request came in on; the same object for every request on it. */
export interface Connection {
  /** Text of the peer's IP address; absent once the socket is closed. */
  readonly remoteAddress: string | undefined
  /** Absent: not encrypted, or not by this process. */
  readonly tls: TlsConnection | undefined
}

export interface TlsConnection {
  /** Server name that the client asked for, RFC 6066 §3; absent when it named none. */
  readonly serverName: string | undefined
  readonly isResumed: boolean
  /** DER of what the client sent, its own certificate first. Empty: none. A resumed session remembers the first alone. */
  certificates(): readonly Uint8Array[]
}
