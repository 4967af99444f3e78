/** Which entries match a CA or a client: the one loop of both ACLs. @module */

import type { Steps } from '../effect/effect.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { Name } from '../x509/name.ts'
import type { Compiled, ReadEntry } from './compiled.ts'
import type { AclEntry } from './entry.ts'
import { type Digests, type Facts, nameFact, sha256 } from './facts.ts'

/** A path as a validator found it. */
export interface AclPath {
  /** The target first, the certificate that the trust anchor signed last. */
  readonly certificates: readonly Certificate[]
  readonly anchor: AclAnchor
}

export interface AclAnchor {
  readonly name: Name
  /** DER of its SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  /** Absent for an anchor that is a name and a key: entries by certificate or key identifier never allow such a one. */
  readonly certificate?: Certificate | undefined
}

/** The matching entries that hold longest. */
export interface Found<E> {
  allow: E | undefined
  deny: E | undefined
}

export interface Situation {
  readonly anchor: AclAnchor
  /** Unix time in whole seconds. */
  readonly time: number
  readonly digests: Digests
}

/**
 * Looks `facts` up and keeps in `found` what matches.
 *
 * @param mask - Bits of `positions`: where in the path the subject stands.
 * @param evidence - `claimed`: not proven, so only entries that deny count.
 */
export function* search<E extends AclEntry>(
  index: Compiled<E>,
  facts: Facts,
  mask: number,
  evidence: 'proven' | 'claimed',
  situation: Situation,
  found: Found<E>,
): Steps<void> {
  for (const key of facts.keys) {
    for (const one of index.byKey.get(key) ?? none) {
      const { effect } = one.entry
      if (evidence === 'claimed' && effect === 'allow') continue
      if (!(one.position & mask) || !isMatch(one, facts) || !isInForce(one.entry, situation.time)) {
        continue
      }
      if (one.under !== undefined && !(yield* standsUnder(one.under, situation))) continue
      found[effect] = longer(found[effect], one.entry as E)
    }
  }
  for (const key of facts.denyKeys) {
    for (const one of index.byKey.get(key) ?? none) {
      if (one.entry.effect === 'allow' || !(one.position & mask)) continue
      if (!isInForce(one.entry, situation.time)) continue
      if (one.under !== undefined && !(yield* standsUnder(one.under, situation))) continue
      found.deny = longer(found.deny, one.entry as E)
    }
  }
}

/** Both bounds of doubt go against the client: a time that is no number ends what allows and not what denies. */
export function isInForce(entry: AclEntry, time: number): boolean {
  if (entry.expires === undefined) return true
  return entry.effect === 'allow' ? time <= entry.expires : !(time > entry.expires)
}

export function isMatch(one: ReadEntry<AclEntry>, facts: Facts): boolean {
  return (
    holdsKeys(one, facts) && (one.matcher.test === undefined || one.matcher.test(facts.subject))
  )
}

/** Whether all that the entry looks up is among the facts. */
export function holdsKeys({ matcher }: ReadEntry<AclEntry>, { keys }: Facts): boolean {
  const { also, key } = matcher
  return keys.includes(key) && (also === undefined || also.every((other) => keys.includes(other)))
}

export function* standsUnder(fact: string, { anchor, digests }: Situation): Steps<boolean> {
  return fact.startsWith('spki:')
    ? fact === `spki:${yield* sha256(anchor.spki, digests)}`
    : fact === nameFact(anchor.name)
}

export function longer<E extends AclEntry>(a: E | undefined, b: E): E {
  if (a === undefined) return b
  return (a.expires ?? Infinity) >= (b.expires ?? Infinity) ? a : b
}

const none: readonly never[] = []
