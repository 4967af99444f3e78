/** Who a client is by a proxy's word alone: no certificate was seen here, and nothing can be checked. @module */

/** Every field as the proxy wrote it, decoded from the header's own encoding. Absent: it said nothing of it. */
export interface AssertedIdentity {
  /** Marks it wherever it is shown: nobody proved it to us. */
  readonly asserted: true
  /** Name of the source. */
  readonly by: string
  readonly subject?: string | undefined
  readonly issuer?: string | undefined
  /** Hexadecimal, lower case, without colons. */
  readonly serialNumber?: string | undefined
  /** SHA-256 of the certificate: hexadecimal, lower case. */
  readonly fingerprint?: string | undefined
  readonly uris?: readonly string[] | undefined
  readonly dnsNames?: readonly string[] | undefined
}
