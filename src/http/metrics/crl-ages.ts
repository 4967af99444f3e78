/** How old the revocation lists are that decide: the first sign of a CA, or a way to it, that has fallen silent. @module */

import { toHex } from '../../base/hex.ts'
import type { Crls } from '../../revocation/crls.ts'
import type { SourceStatus } from '../../runtime/revocation/event.ts'
import { formatName } from '../../x509/name-text.ts'
import { maxIssuers, otherIssuers } from './expiries.ts'

/** Lists by `parseCrls`, or a source by `createRevocationSource`. */
export type ObservedRevocation = Crls | { readonly status: () => readonly SourceStatus[] }

/** What to look at whenever metrics are read; a function where lists are replaced while the process runs. */
export type ObservedRevocations =
  | ObservedRevocation
  | readonly ObservedRevocation[]
  | (() => ObservedRevocation | readonly ObservedRevocation[])

export interface CrlAge {
  /** RFC 4514 text, for lists; empty for files and URIs. */
  readonly issuer: string
  /** The file or URI of the configuration; `learned` for all that certificates named; empty for lists. */
  readonly origin: string
  /** Since thisUpdate. */
  readonly seconds: number
}

/**
 * The age of what is known of each issuer: of its newest list, or, where its certificates are spread over several lists (distribution
 * points), of the one that is oldest.
 *
 * @param time - Milliseconds since 1970.
 */
export function crlAges(observed: ObservedRevocations, time: number): readonly CrlAge[] {
  const given = typeof observed === 'function' ? observed() : observed
  const oldest = new Map<string, { issuer: string; origin: string; thisUpdate: number }>()
  const note = (issuer: string, origin: string, thisUpdate: number): void => {
    const isFull = oldest.size >= maxIssuers && !oldest.has(`${issuer}\n${origin}`)
    const place = isFull
      ? { issuer: issuer && otherIssuers, origin: origin && otherIssuers }
      : { issuer, origin }
    const key = `${place.issuer}\n${place.origin}`
    const known = oldest.get(key)
    if (known === undefined || thisUpdate < known.thisUpdate) {
      oldest.set(key, { ...place, thisUpdate })
    }
  }
  for (const one of [given].flat()) {
    if ('lists' in one) {
      for (const [issuer, thisUpdate] of issuersOf(one)) note(issuer, '', thisUpdate)
      continue
    }
    for (const { kind, learned, origin, thisUpdate } of one.status()) {
      if (kind !== 'crl' || thisUpdate === undefined) continue
      note('', learned ? 'learned' : origin, thisUpdate.getTime() / 1000)
    }
  }
  return [...oldest.values()].map(({ issuer, origin, thisUpdate }) => ({
    issuer,
    origin,
    seconds: Math.max(0, time / 1000 - thisUpdate),
  }))
}

/** Unix seconds by issuer. Lists never change, so that this is found out once. */
function issuersOf(crls: Crls): ReadonlyMap<string, number> {
  const before = known.get(crls)
  if (before !== undefined) return before
  const newest = new Map<string, { readonly issuer: string; readonly thisUpdate: number }>()
  for (const { tbsCertList } of crls.lists) {
    const { thisUpdate, crlExtensions } = tbsCertList
    const issuer = formatName(tbsCertList.issuer)
    // A delta brings what its base has up to date, and has the same distribution point.
    const point = crlExtensions.issuingDistributionPoint?.der
    const key = `${point === undefined ? '' : toHex(point)} ${issuer}`
    const other = newest.get(key)
    if (other === undefined || other.thisUpdate < thisUpdate)
      newest.set(key, { issuer, thisUpdate })
  }
  const oldest = new Map<string, number>()
  for (const { issuer, thisUpdate } of newest.values()) {
    oldest.set(issuer, Math.min(thisUpdate, oldest.get(issuer) ?? thisUpdate))
  }
  known.set(crls, oldest)
  return oldest
}

const known = new WeakMap<Crls, ReadonlyMap<string, number>>()
