/** GeneralName and GeneralSubtree as data: RFC 5280 §4.2.1.6 and RFC 5280 §4.2.1.10. @module */

import type { Name } from './name.ts'

export type GeneralName =
  | {
      readonly kind: 'otherName'
      readonly typeId: string /** The element inside [0], tag and length included. */
      readonly value: Uint8Array
    }
  /** IA5 text, as it stands. */
  | {
      readonly kind: 'rfc822Name' | 'dNSName' | 'uniformResourceIdentifier'
      readonly value: string
    }
  | { readonly kind: 'directoryName'; readonly name: Name }
  /** 4 or 16 octets; in a subtree 8 or 32: address, then mask. */
  | { readonly kind: 'iPAddress'; readonly octets: Uint8Array }
  | { readonly kind: 'registeredID'; readonly oid: string }
  /** The element, tag and length included; not decoded. */
  | { readonly kind: 'x400Address' | 'ediPartyName'; readonly der: Uint8Array }

/** minimum is 0 and maximum absent: the reader refuses anything else. RFC 5280 §4.2.1.10 */
export interface GeneralSubtree {
  readonly base: GeneralName
}
