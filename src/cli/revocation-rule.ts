/** The small language of `--revocation`: a mode, and what differs from the strict rule. @module */

import type { RevocationMode } from '../revocation/rule.ts'
import { UsageError } from './io.ts'

/** What is asked, and what happens when there is no answer. Durations are seconds. */
export interface RevocationRule {
  readonly mode: RevocationMode
  readonly depth?: 'path' | 'target'
  readonly onUnknown?: 'deny' | 'allow'
  readonly onStale?: 'deny' | { readonly allowFor: number }
  readonly maxAge?: number
}

/**
 * Reads `crl,depth=target,unknown=allow,stale=12h,max-age=7d`.
 *
 * @throws UsageError
 */
export function parseRule(text: string): RevocationRule {
  const [first = '', ...rest] = text.split(',').map((part) => part.trim())
  const mode = modes.find((one) => one === first)
  if (mode === undefined) throw wrong(text, `${first || 'nothing'} is no mode`)
  if (mode === 'none' && rest.length > 0) throw wrong(text, 'none has nothing beside it')
  const fields: { -readonly [F in keyof RevocationRule]: RevocationRule[F] } = { mode }
  const seen = new Set<string>()
  for (const part of rest) {
    const at = part.indexOf('=')
    const [name, value] = at === -1 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)]
    if (seen.has(name)) throw wrong(text, `${name} stands twice`)
    seen.add(name)
    switch (name) {
      case 'depth':
        if (value !== 'path' && value !== 'target') throw wrong(text, `depth=${value} is none`)
        fields.depth = value
        break
      case 'unknown':
        if (value !== 'deny' && value !== 'allow') throw wrong(text, `unknown=${value} is neither`)
        fields.onUnknown = value
        break
      case 'stale':
        fields.onStale = value === 'deny' ? value : { allowFor: secondsOf(text, part, value) }
        break
      case 'max-age':
        fields.maxAge = secondsOf(text, part, value)
        break
      default:
        throw wrong(text, `${part || 'an empty part'} means nothing`)
    }
  }
  return fields
}

/** Seconds of `90`, `90s`, `30m`, `12h`, `7d` or `2w`; `undefined` for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, digits, unit = 's'] = /^(\d{1,9})([smhdw])?$/.exec(text) ?? []
  return digits === undefined ? undefined : Number(digits) * (secondsIn[unit] as number)
}

function secondsOf(rule: string, part: string, value: string): number {
  const seconds = parseDuration(value)
  if (seconds === undefined) throw wrong(rule, `${part} is no duration`)
  if (seconds > maxSeconds) throw wrong(rule, `${part} is longer than ten years`)
  return seconds
}

function wrong(rule: string, what: string): UsageError {
  return new UsageError(
    'usage-invalid-value',
    `--revocation ${rule}: ${what}`,
    `write crl, ocsp, crl-or-ocsp or none, and after it what differs: ${ruleParts}`,
  )
}

const modes: readonly RevocationMode[] = ['crl', 'ocsp', 'crl-or-ocsp', 'none']
const ruleParts =
  ',depth=target  ,unknown=allow  ,stale=DURATION  ,max-age=DURATION (3600, 90m, 12h, 7d)'
const secondsIn: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }
/** As the core has it. */
const maxSeconds = 315_360_000

/** For `--help`. */
export const ruleHelp = `
Revocation: with --crl, --ocsp or --fetch every certificate below the anchor must be known to be good.
--revocation RULE says otherwise. RULE is a mode, and after commas what differs from the strict rule:
  crl, ocsp           lists or responses alone count
  crl-or-ocsp         either may say good; one that says revoked is enough
  none                nothing is checked
  depth=target        only the client's own certificate (default: depth=path)
  unknown=allow       let pass what no usable list or response speaks of (default: unknown=deny)
  stale=12h           a good answer counts so long past its nextUpdate (default: stale=deny)
  max-age=7d          at most so long from its thisUpdate; needed where it has no nextUpdate
For example: --revocation crl,depth=target,stale=1d
Default: crl with --crl alone, ocsp with --ocsp alone, otherwise crl-or-ocsp.`
