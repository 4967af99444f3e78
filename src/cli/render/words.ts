/** Words for dates, warnings and keys. @module */

import { formatEntry } from '../../acl/index.ts'
import type { CertificateDescription } from '../../client/describe.ts'
import type { Warning } from '../../client/verdict.ts'
import { nameOf } from './path.ts'
import { plain } from './style.ts'

/** `2026-11-23T22:00:00Z` */
export function dateText(date: Date): string {
  return Number.isFinite(date.getTime()) ? date.toISOString().replace('.000Z', 'Z') : 'no end'
}

/** How long from `now` to `then`: `in 89 days`, `3 hours ago`. */
export function distanceText(then: Date, now: Date): string {
  const seconds = Math.round((then.getTime() - now.getTime()) / 1000)
  const [size, unit] = units.find(([size]) => Math.abs(seconds) >= 2 * size) ?? [1, 'second']
  const count = Math.floor(Math.abs(seconds) / size)
  const span = `${count} ${unit}${count === 1 ? '' : 's'}`
  return seconds < 0 ? `${span} ago` : `in ${span}`
}

export function warningText(warning: Warning): string {
  switch (warning.code) {
    case 'revocation-not-checked':
      return 'revocation was not checked'
    case 'certificate-not-verified':
      return 'nothing was verified: no signature, no date, no path'
    case 'issuer-not-verified':
      return 'the ACL decided by an issuer name that nobody has proven'
    case 'presented-unreadable':
      return `certificate ${warning.index + 1} of the input cannot be read, and was left out`
    case 'presented-not-a-ca':
      return `${nameOf(warning.certificate)} was sent along and is no CA: only the first certificate is judged`
    case 'extended-key-usage-any':
      return `certificate ${warning.index} of the path is for any purpose (anyExtendedKeyUsage)`
    case 'issuer-acl-by-name':
      return plain(
        `several trust anchors: each of them can issue a CA of the name that this entry allows: ${formatEntry(warning.entry)} (add under, or a key)`,
      )
  }
}

export function keyText({ kind, size, curve, exponent }: CertificateDescription['key']): string {
  if (curve !== undefined) return `${kind} ${curve}`
  if (exponent !== undefined) return `${kind} ${size} bits, exponent ${exponent}`
  return size === undefined || kind.startsWith('Ed') ? kind : `${kind} ${size} bits`
}

const units: readonly (readonly [seconds: number, unit: string])[] = [
  [31_557_600, 'year'],
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
]
