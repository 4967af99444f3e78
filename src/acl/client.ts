/** Deciding by the client's own certificate: the same grammar over the leaf. @module */

import type { Steps } from '../effect/effect.ts'
import { compile, compiled, positions, type ReadEntry, wantedAt } from './compiled.ts'
import { decider } from './decider.ts'
import type { ClientAclEntry } from './entry.ts'
import { collectFacts, type Subject } from './facts.ts'
import type { ClientAclFailure } from './failure.ts'
import type { ClientAcl } from './read.ts'
import { type AclPath, type Found, type Situation, search } from './search.ts'

/** `expires`: Unix seconds, the last one for which this answer stands; absent: it stands. */
export type ClientAclDecision =
  | { readonly allowed: true; readonly entry: ClientAclEntry; readonly expires?: number }
  | ({ readonly allowed: false; readonly expires?: number } & ClientAclFailure)

/** An ACL of these entries, with its answers. */
export function makeClientAcl(read: readonly ReadEntry<ClientAclEntry>[]): ClientAcl {
  const acl: ClientAcl = Object.freeze({
    ...compile(read),
    [decider]: { decide: (path: AclPath, time: number) => decideClientAcl(acl, path, time) },
  })
  return acl
}

/**
 * Decides over the target of a path that has been validated.
 *
 * @param time - Unix time in whole seconds.
 * @example
 * const acl = parseClientAcl('allow attributes O=Example')
 * const decision = runSync(decideClientAcl(acl, path, time), handlers)
 * console.log(decision.allowed) // true
 */
export function* decideClientAcl(
  acl: ClientAcl,
  path: AclPath,
  time: number,
): Steps<ClientAclDecision> {
  if (acl.entries.length === 0) return { allowed: false, code: 'acl-empty' }
  const client = clientOf(path)
  if (client === undefined) return { allowed: false, code: 'client-not-allowed' }
  const situation: Situation = { anchor: path.anchor, time, digests: new Map() }
  const found: Found<ClientAclEntry> = { allow: undefined, deny: undefined }
  const index = acl[compiled]
  const facts = yield* collectFacts(client, wantedAt(index, mask), situation.digests)
  yield* search(index, facts, mask, 'proven', situation, found)
  const { allow, deny } = found
  const entry = deny ?? allow
  const expires = entry?.expires === undefined ? {} : { expires: entry.expires }
  if (deny !== undefined) return { allowed: false, code: 'client-denied', entry: deny, ...expires }
  if (allow !== undefined) return { allowed: true, entry: allow, ...expires }
  return { allowed: false, code: 'client-not-allowed' }
}

/** The target as a subject; `undefined` for a path without certificates. */
export function clientOf({ certificates, anchor }: AclPath): Subject | undefined {
  const [target, issuer] = certificates
  return (
    target && {
      name: target.tbsCertificate.subject,
      spki: target.tbsCertificate.subjectPublicKeyInfo.der,
      certificate: target,
      issuerSpki: issuer?.tbsCertificate.subjectPublicKeyInfo.der ?? anchor.spki,
    }
  )
}

/** The one position of a client ACL. */
const mask = positions.issuer
