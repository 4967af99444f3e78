/** Words for names and algorithms in lists and responses. @module */

import { generalNameText } from '../client/identity.ts'
import { decodeSignatureScheme } from '../x509/algorithms.ts'
import type { AlgorithmIdentifier } from '../x509/certificate.ts'
import type { GeneralName } from '../x509/general-name.ts'
import { formatName } from '../x509/name-text.ts'

/** `ECDSA with SHA-256`, or the dotted OID of what is not known. */
export function signatureText(algorithm: AlgorithmIdentifier): string {
  const scheme = decodeSignatureScheme(algorithm)
  if (!scheme.ok) return algorithm.algorithm
  return 'hash' in scheme.value
    ? `${scheme.value.name} with ${scheme.value.hash}`
    : scheme.value.name
}

/** Distinguished names and URIs as they are, other forms with their kind in front. */
export function generalNamesText(names: readonly GeneralName[]): string {
  return names
    .map((name) => {
      if (name.kind === 'directoryName') return formatName(name.name)
      return name.kind === 'uniformResourceIdentifier' ? name.value : generalNameText(name)
    })
    .join(', ')
}
