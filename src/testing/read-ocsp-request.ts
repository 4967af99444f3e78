/** Reads OCSP requests as leniently as responders do, with asn1js: what our own requests hold is seen by another reader. @module */

import * as asn1js from 'asn1js'
import { nonceOid } from './issue-ocsp.ts'

/** What a request asks for. RFC 6960 §4.1.1 */
export interface OcspQuestion {
  readonly certIDs: readonly AskedCertID[]
  /** The octets inside the OCTET STRING. RFC 9654 §2.1 */
  readonly nonce: Uint8Array | undefined
}

export interface AskedCertID {
  /** The element, tag and length included. */
  readonly der: Uint8Array
  /** Dotted decimal. */
  readonly hashAlgorithm: string
  readonly issuerNameHash: Uint8Array
  readonly issuerKeyHash: Uint8Array
  /** Content octets of the INTEGER. */
  readonly serialNumber: Uint8Array
}

/** @returns `undefined` for whatever is no request. */
export function readOcspRequest(octets: Uint8Array): OcspQuestion | undefined {
  const { offset, result } = asn1js.fromBER(octets)
  if (offset === -1) return undefined
  const fields = childrenOf(childrenOf(result)?.[0])
  const requests = childrenOf(fields?.find((field) => field instanceof asn1js.Sequence))
  if (fields === undefined || requests === undefined) return undefined
  const certIDs = requests.map((request) => certIDOf(childrenOf(request)?.[0]))
  if (!certIDs.every((certID) => certID !== undefined)) return undefined
  return { certIDs, nonce: nonceOf(fields) }
}

function certIDOf(element: asn1js.BaseBlock | undefined): AskedCertID | undefined {
  const [algorithm, name, key, serial, more] = childrenOf(element) ?? []
  const [hash] = childrenOf(algorithm) ?? []
  if (element === undefined || more !== undefined) return undefined
  if (!(hash instanceof asn1js.ObjectIdentifier) || !(serial instanceof asn1js.Integer)) {
    return undefined
  }
  if (!(name instanceof asn1js.OctetString) || !(key instanceof asn1js.OctetString)) {
    return undefined
  }
  return {
    der: copy(element.valueBeforeDecodeView),
    hashAlgorithm: hash.getValue(),
    issuerNameHash: copy(name.valueBlock.valueHexView),
    issuerKeyHash: copy(key.valueBlock.valueHexView),
    serialNumber: copy(serial.valueBlock.valueHexView),
  }
}

/** requestExtensions stand in `[2]`. */
function nonceOf(fields: readonly asn1js.BaseBlock[]): Uint8Array | undefined {
  const tagged = fields.find(({ idBlock }) => idBlock.tagClass === 3 && idBlock.tagNumber === 2)
  for (const extension of childrenOf(childrenOf(tagged)?.[0]) ?? []) {
    const parts = childrenOf(extension) ?? []
    const [id] = parts
    const value = parts.at(-1)
    if (!(id instanceof asn1js.ObjectIdentifier) || id.getValue() !== nonceOid) continue
    if (!(value instanceof asn1js.OctetString)) continue
    const inner = asn1js.fromBER(value.valueBlock.valueHexView)
    if (inner.result instanceof asn1js.OctetString)
      return copy(inner.result.valueBlock.valueHexView)
  }
  return undefined
}

function childrenOf(
  element: asn1js.BaseBlock | undefined,
): readonly asn1js.BaseBlock[] | undefined {
  return element instanceof asn1js.Constructed ? element.valueBlock.value : undefined
}

function copy(view: Uint8Array): Uint8Array {
  return Uint8Array.from(view)
}
