/** Why an ACL decided as it did: the entry that did, or the nearest one that would allow and what differs from it. @module */

import type { Steps } from '../effect/effect.ts'
import type { Name } from '../x509/name.ts'
import { attributeTypeText, formatName } from '../x509/name-text.ts'
import { attributeText } from '../x509/name-value.ts'
import { type ClientAclDecision, clientOf, decideClientAcl } from './client.ts'
import { type Acl, compiled, positions, type ReadEntry, wantedAt } from './compiled.ts'
import type { AclEntry, ClientAclEntry, IssuerAclEntry } from './entry.ts'
import { attributeFact, collectFacts, type Facts } from './facts.ts'
import { decideIssuerAcl, type IssuerAclDecision, placeIssuers } from './issuer.ts'
import type { ClientAcl, IssuerAcl } from './read.ts'
import { type AclPath, isInForce, isMatch, type Situation, standsUnder } from './search.ts'

/** One thing that keeps an entry from allowing. */
export interface AclDifference {
  /** An attribute type (`CN`), a field of the entry's match, or `under`, `expires`. */
  readonly field: string
  /** `undefined`: the entry has nothing of this type, the certificate has. */
  readonly expected: string | undefined
  /** `undefined`: the certificate has nothing of the kind. */
  readonly actual: string | undefined
}

export interface AclExplanation<D, E> {
  readonly decision: D
  /** Only when no entry matched, and there is one that allows. */
  readonly nearest?: { readonly entry: E; readonly differences: readonly AclDifference[] }
}

/**
 * Decides again and says more; asks for more digests than deciding, so it is for people, not for every request.
 *
 * @example
 * const acl = parseIssuerAcl('allow dn "CN=Another CA,O=Example"')
 * const { decision, nearest } = runSync(explainIssuerAcl(acl, path, time), handlers)
 * if (!decision.allowed) console.log(decision.code, nearest?.differences.length) // issuer-not-allowed 1
 */
export function* explainIssuerAcl(
  acl: IssuerAcl,
  path: AclPath,
  time: number,
): Steps<AclExplanation<IssuerAclDecision, IssuerAclEntry>> {
  const decision = yield* decideIssuerAcl(acl, path, time)
  if (decision.allowed || decision.code !== 'issuer-not-allowed') return { decision }
  const situation: Situation = { anchor: path.anchor, time, digests: new Map() }
  const places: Place[] = []
  for (const { subject, mask } of placeIssuers(path)) {
    if (subject.spki === undefined) continue
    const facts = yield* collectFacts(subject, wantedAt(acl[compiled], mask), situation.digests)
    places.push({ facts, mask })
  }
  return { decision, ...(yield* findNearest(acl, places, situation)) }
}

/**
 * As {@link explainIssuerAcl}, for the client.
 *
 * @example
 * const acl = parseClientAcl('allow san-dns client-b.example')
 * const { decision } = runSync(explainClientAcl(acl, path, time), handlers)
 * if (!decision.allowed) console.log(decision.code) // client-not-allowed
 */
export function* explainClientAcl(
  acl: ClientAcl,
  path: AclPath,
  time: number,
): Steps<AclExplanation<ClientAclDecision, ClientAclEntry>> {
  const decision = yield* decideClientAcl(acl, path, time)
  const client = clientOf(path)
  if (decision.allowed || decision.code !== 'client-not-allowed' || client === undefined) {
    return { decision }
  }
  const situation: Situation = { anchor: path.anchor, time, digests: new Map() }
  const mask = positions.issuer
  const facts = yield* collectFacts(client, wantedAt(acl[compiled], mask), situation.digests)
  return { decision, ...(yield* findNearest(acl, [{ facts, mask }], situation)) }
}

interface Place {
  readonly facts: Facts
  readonly mask: number
}

type Nearest<E> = { readonly nearest?: { entry: E; differences: readonly AclDifference[] } }

function* findNearest<E extends AclEntry>(
  acl: Acl<E>,
  places: readonly Place[],
  situation: Situation,
): Steps<Nearest<E>> {
  let nearest: Nearest<E> = {}
  let least = Infinity
  for (const one of acl[compiled].all) {
    if (one.entry.effect === 'deny') continue
    for (const { facts, mask } of places) {
      if (!(mask & one.position)) continue
      const differences = [...compareMatch(one, facts), ...(yield* compareRest(one, situation))]
      // A hash that differs says nothing of how near the certificate is.
      const weight = differences.length + (one.matcher.name || one.matcher.parts ? 0 : 4)
      if (weight >= least) continue
      least = weight
      nearest = { nearest: { entry: one.entry, differences } }
    }
  }
  return nearest
}

function compareMatch(one: ReadEntry<AclEntry>, facts: Facts): AclDifference[] {
  const { matcher, entry } = one
  if (isMatch(one, facts)) return []
  if (matcher.parts !== undefined) {
    return matcher.parts
      .filter((part) => !facts.keys.includes(part.key))
      .map(({ type, text }) => ({
        field: attributeTypeText(type),
        expected: text,
        actual: valuesOf(facts.subject.name, type),
      }))
  }
  if (matcher.name !== undefined) {
    const differences = compareNames(matcher.name, facts.subject.name)
    if (differences.length > 0) return differences
    // The same attributes in another order, or a certificate of the same name.
    const expected = formatName(matcher.name)
    const [field = 'dn'] = Object.keys(entry.match)
    return [{ field, expected, actual: formatName(facts.subject.name) }]
  }
  const [[field, expected] = ['match', '']] = Object.entries(entry.match) as [string, string][]
  const kind = matcher.key.split(/[:-]/, 1)[0] as string
  const actual = facts.keys.filter((key) => key.startsWith(`${kind}:`))
  return [
    {
      field,
      expected,
      actual:
        actual.length === 0
          ? undefined
          : actual.map((key) => key.slice(kind.length + 1)).join(', '),
    },
  ]
}

function* compareRest(one: ReadEntry<AclEntry>, situation: Situation): Steps<AclDifference[]> {
  const differences: AclDifference[] = []
  const { expires, under } = one.entry
  if (!isInForce(one.entry, situation.time)) {
    differences.push({
      field: 'expires',
      expected: String(expires),
      actual: String(situation.time),
    })
  }
  if (under !== undefined && one.under !== undefined) {
    if (!(yield* standsUnder(one.under, situation))) {
      differences.push({
        field: 'under',
        expected: 'dn' in under ? under.dn : under.spkiSha256,
        actual:
          'dn' in under
            ? formatName(situation.anchor.name)
            : situation.digests.get(situation.anchor.spki),
      })
    }
  }
  return differences
}

function compareNames(wanted: Name, actual: Name): AclDifference[] {
  const missing = wanted.rdns.flat()
  const extra = actual.rdns.flat().filter((attribute) => {
    const key = attributeFact(attribute)
    const at = missing.findIndex((other) => attributeFact(other) === key)
    if (at >= 0) missing.splice(at, 1)
    return at < 0
  })
  const differences: AclDifference[] = missing.map((attribute) => {
    const at = extra.findIndex((other) => other.type === attribute.type)
    const [other] = at < 0 ? [] : extra.splice(at, 1)
    return {
      field: attributeTypeText(attribute.type),
      expected: attributeText(attribute),
      actual: other && attributeText(other),
    }
  })
  for (const attribute of extra) {
    const field = attributeTypeText(attribute.type)
    differences.push({ field, expected: undefined, actual: attributeText(attribute) })
  }
  return differences
}

function valuesOf(name: Name, type: string): string | undefined {
  const values = name.rdns.flat().filter((attribute) => attribute.type === type)
  return values.length === 0 ? undefined : values.map(attributeText).join(', ')
}
