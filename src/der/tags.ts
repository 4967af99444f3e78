/** Identifier octets of DER: X.690 8.1.2 and X.680 8. @module */

export const tagBoolean = 0x01
export const tagInteger = 0x02
export const tagBitString = 0x03
export const tagOctetString = 0x04
export const tagNull = 0x05
export const tagObjectIdentifier = 0x06
export const tagEnumerated = 0x0a
export const tagUtf8String = 0x0c
export const tagPrintableString = 0x13
export const tagTeletexString = 0x14
export const tagIA5String = 0x16
export const tagUtcTime = 0x17
export const tagGeneralizedTime = 0x18
export const tagUniversalString = 0x1c
export const tagBmpString = 0x1e
export const tagSequence = 0x30
export const tagSet = 0x31

/** [n] IMPLICIT of a primitive type. */
export function contextPrimitive(number: number): number {
  return 0x80 | number
}

/** [n] EXPLICIT, or IMPLICIT of a constructed type. */
export function contextConstructed(number: number): number {
  return 0xa0 | number
}
