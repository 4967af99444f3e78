/** Words for dates, warnings and keys. @module */

import { formatEntry } from '../../acl/index.ts'
import { formatTime } from '../../base/time.ts'
import type { CertificateDescription } from '../../client/describe.ts'
import type { Warning } from '../../client/verdict.ts'
import { nameOf } from './path.ts'
import { plain } from './style.ts'

/** `2026-11-23T22:00:00Z`: whole seconds, as the core counts. */
export function dateText(date: Date): string {
  return Number.isFinite(date.getTime()) ? formatTime(Math.floor(date.getTime() / 1000)) : 'no end'
}

/** How long from `now` to `then`: `in 89 days`, `now`, `3 hours ago`. */
export function distanceText(then: Date, now: Date): string {
  const seconds = Math.round((then.getTime() - now.getTime()) / 1000)
  if (seconds === 0) return 'now'
  return seconds < 0 ? `${spanText(-seconds)} ago` : `in ${spanText(seconds)}`
}

/** `3 hours`, of seconds. */
export function spanText(seconds: number): string {
  const [size, unit] = units.find(([, , from]) => seconds >= from) ?? [1, 'second']
  const count = Math.floor(Math.max(0, seconds) / size)
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

export function warningText(warning: Warning): string {
  switch (warning.code) {
    case 'revocation-not-checked':
      return 'revocation was not checked'
    case 'revocation-unknown':
      return `nothing says whether certificate ${warning.index} of the path is revoked, and the rule lets that pass`
    case 'revocation-stale':
      return `what says that certificate ${warning.index} of the path is good has run out, and the rule lets that pass for a while`
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

/** A remedy of the core in the options of the command line. */
export function remedyText(remedy: string): string {
  return flags.reduce((text, [option, flag]) => text.replace(option, flag), remedy)
}

const flags: readonly (readonly [option: string, flag: string])[] = [
  [
    "acceptedPurposes: ['clientAuth', 'serverAuth']",
    '--accepted-purpose clientAuth --accepted-purpose serverAuth',
  ],
  ["pinnedTarget: 'accept'", '--pinned accept'],
  ["profile 'interoperable'", '--profile interoperable'],
  ['clockTolerance seconds', '--clock-tolerance SECONDS'],
  ['raise maxIntermediates', 'raise --max-intermediates'],
  ['read it with mtls-policy/pkcs7, or convert', 'convert'],
  [
    'give a current CRL or OCSP response of its issuer, or have a rule for this issuer that says what happens without one',
    'mend what is said above; or let what is unknown pass unchecked, with unknown=allow in --revocation',
  ],
]

/** Seconds in one, its name, and from how many seconds on it is used: 400 days say more than one year. */
const units: readonly (readonly [seconds: number, unit: string, from: number])[] = [
  [31_557_600, 'year', 63_115_200],
  [86_400, 'day', 86_400],
  [3_600, 'hour', 3_600],
  [60, 'minute', 60],
]
