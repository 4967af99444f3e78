/** Why what a proxy forwarded cannot be believed; facts, no prose. Values of headers are a stranger's and stay out. @module */

export type ForwardingFailure =
  /** The request does not come from a proxy that may speak for clients: by its address, its own certificate, or the shared secret. */
  | {
      readonly code: 'proxy-not-trusted'
      readonly because: 'address' | 'certificate' | 'secret' | 'no-rule'
    }
  /** The proxy always sends this header, so that its absence means another way in, or a client's `Connection` header that stripped it. */
  | { readonly code: 'header-missing'; readonly header: string }
  /** More than one line, or one line that joins several. */
  | { readonly code: 'header-repeated'; readonly header: string }
  /** A name that differs only in `_` and `-`, which servers behind this one may take for the header. */
  | { readonly code: 'header-twin'; readonly header: string; readonly twin: string }
  | { readonly code: 'header-too-large'; readonly header: string; readonly maximum: number }
  /** So many header lines that the runtime may have dropped some. */
  | { readonly code: 'headers-too-many'; readonly maximum: number }
  /** `expected`: what should have stood there. */
  | { readonly code: 'header-malformed'; readonly header: string; readonly expected: string }
  | {
      readonly code: 'header-too-many-certificates'
      readonly header: string
      readonly maximum: number
    }
  /** The proxy says that the certificate is not good; `verdict` is its own word, cut to 100 characters of printable ASCII. */
  | { readonly code: 'proxy-refused'; readonly header: string; readonly verdict: string }
  /** Two headers that cannot both be true: a good verdict without a certificate, a hash of another certificate, two different leaves. */
  | { readonly code: 'headers-contradict'; readonly header: string; readonly other: string }
  /** The proxy could not pass the certificate on because it is too large for it. */
  | { readonly code: 'proxy-omitted-certificate'; readonly header: string }
  /** A name without a certificate, and the source was not told to take a proxy's word for it. */
  | { readonly code: 'identity-only'; readonly header: string }
  /** Fewer or more proxies have written into the header than were named. */
  | { readonly code: 'proxy-hops'; readonly header: string; readonly expected: number }
  /** The connection is not TLS, or was closed before it could be asked. */
  | { readonly code: 'connection-not-tls' }
