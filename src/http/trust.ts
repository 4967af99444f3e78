/** Who may speak for a client in a header. A header is off unless named, and nobody may write it unless a rule here says so. @module */

/**
 * What a request must show to come from a trusted proxy: all fields that are given must hold. No field, or no address, trusts nobody.
 */
export interface ProxyTrust {
  /**
   * IP addresses and CIDR ranges of the socket's peer: `10.0.0.0/8`, `fd00::/8`, `127.0.0.1`. IPv4-mapped IPv6 counts as IPv4. No bit
   * may be set after the prefix. A Unix domain socket has no address: there the secret must do.
   */
  readonly addresses?: readonly string[] | undefined
  /**
   * The proxy's own client certificate on the TLS connection to this process: SHA-256 of its SubjectPublicKeyInfo, 64 hexadecimal
   * digits, as pins of keys are written elsewhere. Its path and dates are not validated: the TLS handshake proves that the proxy holds
   * this very key.
   */
  readonly proxyKeys?: readonly string[] | undefined
  /**
   * A header that only the proxy can write, in exactly one line; compared in constant time. At least 16 characters of printable ASCII.
   * It is taken away before the request goes on.
   */
  readonly secret?: { readonly header: string; readonly value: string } | undefined
}
