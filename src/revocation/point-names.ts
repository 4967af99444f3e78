/** Names of distribution points, as texts that are equal when the names are the same: RFC 5280 §4.2.1.13 and RFC 5280 §5.2.5. @module */

import { toHex } from '../base/hex.ts'
import type { GeneralName } from '../x509/general-name.ts'
import type { Name, RelativeDistinguishedName } from '../x509/name.ts'
import { nameKey, relativeNameKey } from '../x509/name-match.ts'

/** What both kinds of distribution point have. */
export interface PointName {
  readonly fullName: readonly GeneralName[] | undefined
  readonly nameRelativeToCRLIssuer: RelativeDistinguishedName | undefined
}

/** @param issuer - Below which a relative name stands. */
export function pointNameKeys(point: PointName, issuer: Name): readonly string[] {
  if (point.nameRelativeToCRLIssuer !== undefined) {
    return [directory + relativeNameKey(issuer, point.nameRelativeToCRLIssuer)]
  }
  return (point.fullName ?? []).map(generalNameKey)
}

/** Texts are compared as they stand: both extensions are to have the same encoding. RFC 5280 §5.2.5 */
export function generalNameKey(name: GeneralName): string {
  switch (name.kind) {
    case 'directoryName':
      return directory + nameKey(name.name)
    case 'iPAddress':
      return `${name.kind} ${toHex(name.octets)}`
    case 'registeredID':
      return `${name.kind} ${name.oid}`
    case 'otherName':
      return `${name.kind} ${name.typeId} ${toHex(name.value)}`
    case 'x400Address':
    case 'ediPartyName':
      return `${name.kind} ${toHex(name.der)}`
    default:
      return `${name.kind} ${name.value}`
  }
}

/** Whether one of the names is this directory name. */
export function namesDirectory(names: readonly GeneralName[], key: string): boolean {
  return names.some((one) => one.kind === 'directoryName' && nameKey(one.name) === key)
}

const directory = 'directoryName '
