/** Distinguished names as data: RFC 5280 §4.1.2.4. @module */

/**
 * A distinguished name. `rdns` is in the order of the encoding (the country usually first); RFC 4514 text reverses it.
 * The empty name has no RDNs. Compare names with `namesMatch`, never as text or bytes.
 */
export interface Name {
  /** The SEQUENCE, tag and length included. */
  readonly der: Uint8Array
  readonly rdns: readonly RelativeDistinguishedName[]
}

/** A SET of one attribute or more, in DER order. */
export type RelativeDistinguishedName = readonly AttributeTypeAndValue[]

export interface AttributeTypeAndValue {
  /** Dotted decimal. */
  readonly type: string
  /** The universal tag of the value: 12 UTF8String, 19 PrintableString, 20 TeletexString, 22 IA5String, 28 UniversalString, 30 BMPString. */
  readonly tag: number
  /** Content octets of the value; the whole element when it is not a primitive string. Characters were checked against the type. */
  readonly value: Uint8Array
}
