/** Certs-only bundles, made by pkijs from bytes: RFC 5652 §5. @module */

import { Constructed, fromBER, Integer, ObjectIdentifier, Sequence, Set as SetOf } from 'asn1js'
import { ContentInfo, SignedData } from 'pkijs'

/** @param crls - DER of each. */
export function pkcs7Of(
  certificates: readonly Uint8Array[],
  crls: readonly Uint8Array[] = [],
  contentType: string = ContentInfo.SIGNED_DATA,
): Uint8Array {
  const parse = (der: Uint8Array) => fromBER(der.slice()).result
  const tagged = (tagNumber: number, value: readonly Uint8Array[]) =>
    value.length === 0
      ? []
      : [new Constructed({ idBlock: { tagClass: 3, tagNumber }, value: value.map(parse) })]
  const signedData = new Sequence({
    value: [
      new Integer({ value: 1 }),
      new SetOf({ value: [] }),
      new Sequence({ value: [new ObjectIdentifier({ value: ContentInfo.DATA })] }),
      ...tagged(0, certificates),
      ...tagged(1, crls),
      new SetOf({ value: [] }),
    ],
  })
  // That pkijs reads it back is what makes it a bundle.
  if (certificates.length > 0 && crls.length === 0) new SignedData({ schema: signedData })
  const info = new ContentInfo({ contentType, content: signedData })
  return new Uint8Array(info.toSchema().toBER())
}
