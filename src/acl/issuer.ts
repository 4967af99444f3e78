/** Deciding whether an issuer may vouch for clients. Deny wins; nothing is allowed that no entry allows. @module */

import { bytesEqual } from '../base/bytes.ts'
import type { Steps } from '../effect/effect.ts'
import type { Certificate } from '../x509/certificate.ts'
import { namesMatch } from '../x509/name-match.ts'
import { compile, compiled, positions, type ReadEntry, wantedAt } from './compiled.ts'
import { decider } from './decider.ts'
import type { IssuerAclEntry } from './entry.ts'
import { collectFacts, type Facts, kinds, type Subject } from './facts.ts'
import type { IssuerAclFailure } from './failure.ts'
import { matchCertificate } from './matcher.ts'
import type { IssuerAcl } from './read.ts'
import {
  type AclPath,
  type Found,
  holdsKeys,
  isInForce,
  longer,
  type Situation,
  search,
} from './search.ts'
import { issuerAclWarnings } from './warnings.ts'

/** `expires`: Unix seconds, the last one for which this answer stands; absent: it stands. */
export type IssuerAclDecision =
  | { readonly allowed: true; readonly entry: IssuerAclEntry; readonly expires?: number }
  | ({ readonly allowed: false; readonly expires?: number } & IssuerAclFailure)

/**
 * An ACL of these entries, with its answers.
 *
 * @param widened - Matchers that entries have besides their own.
 */
export function makeIssuerAcl(
  read: readonly ReadEntry<IssuerAclEntry>[],
  widened: readonly ReadEntry<IssuerAclEntry>[] = [],
): IssuerAcl {
  const acl: IssuerAcl = Object.freeze({
    ...compile(read, widened),
    [decider]: {
      decide: (path: AclPath, time: number) => decideIssuerAcl(acl, path, time),
      decideUnverified: (certificate: Certificate, time: number) =>
        decideUnverifiedIssuer(acl, certificate, time),
      widen: (known: Iterable<Certificate>) => resolveDenied(acl, known),
      warnings: (anchorCount: number) => issuerAclWarnings(acl, anchorCount),
    },
  })
  return acl
}

/**
 * Decides over a path whose signatures, names and dates have been validated. When several entries allow (or deny), the
 * one that is in force longest is reported.
 *
 * @param time - Unix time in whole seconds.
 * @example
 * const acl = parseIssuerAcl('deny dn "CN=Example Issuing CA,O=Example"')
 * const decision = runSync(decideIssuerAcl(acl, path, time), handlers)
 * if (!decision.allowed) console.log(decision.code) // issuer-denied
 */
export function* decideIssuerAcl(
  acl: IssuerAcl,
  path: AclPath,
  time: number,
): Steps<IssuerAclDecision> {
  if (acl.entries.length === 0) return { allowed: false, code: 'acl-empty' }
  const index = acl[compiled]
  const situation: Situation = { anchor: path.anchor, time, digests: new Map() }
  const found: Found<IssuerAclEntry> = { allow: undefined, deny: undefined }
  for (const { subject, mask } of placeIssuers(path)) {
    const wanted = wantedAt(index, mask)
    if (wanted === 0) continue
    const facts = yield* collectFacts(subject, wanted, situation.digests)
    const evidence = subject.spki === undefined ? 'claimed' : 'proven'
    yield* search(index, facts, mask, evidence, situation, found)
  }
  return conclude(found)
}

/**
 * Decides when nothing was validated: of the issuer only the name and the key identifier that `certificate` states are
 * known. Entries by name, attributes or key identifier can allow; one that wants a key, a hash, a certificate, the anchor
 * or a place `under` one never does. An entry that denies refuses unless what is known rules it out.
 *
 * @param time - Unix time in whole seconds.
 * @example
 * const acl = parseIssuerAcl('allow dn "CN=Example Issuing CA,O=Example"')
 * const decision = runSync(decideUnverifiedIssuer(acl, certificate, time), handlers)
 * console.log(decision.allowed) // true
 */
export function* decideUnverifiedIssuer(
  acl: IssuerAcl,
  certificate: Certificate,
  time: number,
): Steps<IssuerAclDecision> {
  if (acl.entries.length === 0) return { allowed: false, code: 'acl-empty' }
  const { all } = acl[compiled]
  const known = kinds.name | kinds.attributes | kinds.keyId
  const collected = yield* collectFacts(statedIssuer(certificate), known, new Map())
  const facts = { ...collected, keys: [...collected.keys, ...collected.denyKeys] }
  const found: Found<IssuerAclEntry> = { allow: undefined, deny: undefined }
  let unchecked: IssuerAclEntry | undefined
  for (const one of all) {
    const { entry } = one
    if (!isInForce(entry, time)) continue
    const holds = isStated(one, facts)
    if (holds === 'yes') found[entry.effect] = longer(found[entry.effect], entry)
    else if (holds === 'unknown' && entry.effect === 'deny') unchecked = longer(unchecked, entry)
  }
  if (found.deny === undefined && unchecked !== undefined) {
    return {
      allowed: false,
      code: 'issuer-deny-unchecked',
      entry: unchecked,
      ...expiry(unchecked),
    }
  }
  return conclude(found)
}

/**
 * Widens entries that deny by fingerprint: a CA certificate so denied is denied with its subject and key, whichever other
 * certificate (cross-signed, renewed, re-signed) states them. Only a certificate at hand tells which those are, so this
 * wants all that are known: anchors and intermediates. An entry by `tbsSha256` is not widened: it names that one certificate, for
 * whoever wants to keep another one of the same CA.
 *
 * @returns An ACL with the same entries; `acl` itself when there is nothing to widen.
 * @example
 * const acl = parseIssuerAcl('allow dn "CN=Example Issuing CA,O=Example"')
 * console.log(runSync(resolveDenied(acl, path.certificates), handlers) === acl) // true
 */
export function* resolveDenied(
  acl: IssuerAcl,
  knownCertificates: Iterable<Certificate>,
): Steps<IssuerAcl> {
  const { own } = acl[compiled]
  const hashed = own.filter(
    ({ entry, matcher }) => entry.effect === 'deny' && matcher.kind === kinds.fingerprint,
  )
  if (hashed.length === 0) return acl
  const { byKey } = compile(hashed)[compiled]
  const widened: ReadEntry<IssuerAclEntry>[] = []
  for (const certificate of knownCertificates) {
    const facts = yield* collectFacts(certificateSubject(certificate), kinds.fingerprint, new Map())
    const matcher = matchCertificate(certificate, 'deny')
    for (const key of facts.keys) {
      for (const one of byKey.get(key) ?? []) widened.push({ ...one, matcher })
    }
  }
  return widened.length === 0 ? acl : makeIssuerAcl(own, widened)
}

/** Every CA of a path with its positions; also what the target states, should its issuer not be in the path. */
export function placeIssuers(path: AclPath): readonly Placed[] {
  const { certificates, anchor } = path
  const placed: { subject: Subject; mask: number }[] = []
  for (let i = 1; i <= certificates.length; i++) {
    const certificate = i === certificates.length ? anchor.certificate : certificates[i]
    const above = certificates[i + 1]?.tbsCertificate.subjectPublicKeyInfo.der ?? anchor.spki
    const issued = certificates[i - 1]?.tbsCertificate.extensions.authorityKeyIdentifier
    const inner = i === certificates.length ? undefined : certificates[i]?.tbsCertificate
    placed.push({
      subject: {
        name: inner?.subject ?? anchor.name,
        spki: inner?.subjectPublicKeyInfo.der ?? anchor.spki,
        certificate,
        issuerSpki: above,
        statedKeyId: issued?.keyIdentifier,
      },
      mask: (i === 1 ? issuer : 0) | inPath | (i === certificates.length ? atAnchor : 0),
    })
  }
  const [target] = certificates
  const [first] = placed
  if (target !== undefined && first !== undefined && !isNamed(target, first.subject)) {
    // A pinned target is its own anchor: that is not the issuer, and the real one can only be denied, by its name.
    first.mask &= ~issuer
    placed.push({ subject: statedIssuer(target), mask: issuer | inPath })
  }
  return placed
}

export interface Placed {
  readonly subject: Subject
  /** Bits of `positions`. */
  readonly mask: number
}

function isNamed(target: Certificate, subject: Subject): boolean {
  const { issuer: name } = target.tbsCertificate
  return bytesEqual(name.der, subject.name.der) || namesMatch(name, subject.name)
}

function statedIssuer({ tbsCertificate }: Certificate): Subject {
  return {
    name: tbsCertificate.issuer,
    statedKeyId: tbsCertificate.extensions.authorityKeyIdentifier?.keyIdentifier,
  }
}

function certificateSubject(certificate: Certificate): Subject {
  const { subject, subjectPublicKeyInfo } = certificate.tbsCertificate
  // Right for a self-signed certificate; for others there is no rewritten form to look for, their own is at hand.
  return {
    name: subject,
    spki: subjectPublicKeyInfo.der,
    certificate,
    issuerSpki: subjectPublicKeyInfo.der,
  }
}

/** Whether an entry matches an issuer of which only the name and a key identifier are stated. */
function isStated(one: ReadEntry<IssuerAclEntry>, facts: Facts): 'yes' | 'no' | 'unknown' {
  const { kind, test } = one.matcher
  const decidable =
    kind === kinds.name ||
    kind === kinds.attributes ||
    (kind === kinds.keyId && facts.subject.statedKeyId !== undefined)
  if (!decidable || one.position === atAnchor) return 'unknown'
  if (!holdsKeys(one, facts)) return one.position === inPath ? 'unknown' : 'no'
  return one.under !== undefined || test !== undefined ? 'unknown' : 'yes'
}

function conclude(found: Found<IssuerAclEntry>): IssuerAclDecision {
  const { allow, deny } = found
  if (deny !== undefined) {
    return { allowed: false, code: 'issuer-denied', entry: deny, ...expiry(deny) }
  }
  if (allow !== undefined) return { allowed: true, entry: allow, ...expiry(allow) }
  return { allowed: false, code: 'issuer-not-allowed' }
}

function expiry(entry: IssuerAclEntry): { readonly expires?: number } {
  return entry.expires === undefined ? {} : { expires: entry.expires }
}

const { issuer, path: inPath, anchor: atAnchor } = positions
