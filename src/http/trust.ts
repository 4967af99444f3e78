/** Who may speak for a client in a header. A header is off unless named, and nobody may write it unless a rule here says so. @module */

/**
 * What a request must show to come from a trusted proxy: all fields that are given must hold. No field, or no address, trusts nobody.
 */
export interface ProxyTrust {
  /** IP addresses and CIDR ranges of the socket's peer: `10.0.0.0/8`, `fd00::/8`, `127.0.0.1`. IPv4-mapped IPv6 counts as IPv4. */
  readonly addresses?: readonly string[] | undefined
  /** The proxy's own client certificate on the TLS connection to this process: SHA-256 of its SubjectPublicKeyInfo, hexadecimal. */
  readonly proxyKeys?: readonly string[] | undefined
  /** A header that only the proxy can write; compared in constant time. At least 16 characters. */
  readonly secret?: { readonly header: string; readonly value: string } | undefined
}
