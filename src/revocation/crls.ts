/** Revocation lists from what a caller has: parsed once, indexed by issuer, for many validations. @module */

import { compareBytes } from '../base/bytes.ts'
import { failed, type Result, success } from '../base/result.ts'
import type { Steps } from '../effect/effect.ts'
import { parseSubjectPublicKeyInfo } from '../x509/algorithms.ts'
import type { Certificate, SubjectPublicKeyInfo } from '../x509/certificate.ts'
import type { CertificateList } from '../x509/crl.ts'
import type { ParseFailure } from '../x509/failure.ts'
import type { Name } from '../x509/name.ts'
import { nameKey } from '../x509/name-match.ts'
import { isParsedCrl, judgedKeysOf, parseCrl } from '../x509/parse-crl.ts'
import type { Finding } from './context.ts'
import { CrlAnswers } from './crl-answers.ts'
import type { CrlContext } from './crl-signature.ts'
import { crlStatus } from './crl-status.ts'
import { compareNumbers } from './crl-view.ts'
import { HeldCrl } from './held-crl.ts'
import { type RevocationInputFailure, readRevocationInput } from './input.ts'
import type { StatusIssuer } from './status.ts'

/** PEM text or bytes (one list or more, label `X509 CRL`), DER, base64 of DER, or a parsed list. */
export type CrlSource = string | Uint8Array | CertificateList

/** Why something in an input could not be read; `index` counts the sources. */
export interface UnreadableCrl {
  readonly index: number
  readonly failure: RevocationInputFailure | ParseFailure
}

/** Lists of one issuer and the key of its name. */
export interface IssuedCrls {
  readonly nameKey: string
  /** The newest first. */
  readonly lists: readonly HeldCrl[]
}

/** Immutable. Made by `parseCrls`, once for many validations. */
export class Crls extends CrlAnswers {
  readonly lists: readonly CertificateList[]
  /** What could not be read and is left out: what it would have said is unknown. */
  readonly unreadable: readonly UnreadableCrl[]
  readonly #byIssuer = new Map<string, HeldCrl[]>()
  /** By the very object of a name: most clients come from the same few CAs. */
  readonly #byName = new WeakMap<Name, IssuedCrls>()

  constructor(lists: readonly CertificateList[], unreadable: readonly UnreadableCrl[] = []) {
    super()
    this.lists = lists
    this.unreadable = unreadable
    for (const list of lists) {
      const held = new HeldCrl(list)
      const others = this.#byIssuer.get(held.issuerKey)
      if (others === undefined) this.#byIssuer.set(held.issuerKey, [held])
      else others.push(held)
    }
    // Here once: whichever order they are given in, the same list decides.
    for (const same of this.#byIssuer.values()) same.sort(compareCrls)
  }

  statusOf(certificate: Certificate, issuer: StatusIssuer, context: CrlContext): Steps<Finding> {
    return crlStatus(certificate, issuer, this, context)
  }

  /** The lists whose issuer matches `name`. */
  issuedBy(name: Name): IssuedCrls {
    let found = this.#byName.get(name)
    if (found === undefined) {
      const key = nameKey(name)
      found = { nameKey: key, lists: this.#byIssuer.get(key) ?? none }
      this.#byName.set(name, found)
    }
    return found
  }
}

/**
 * Reads revocation lists; those that cannot be read are left out and reported, and the rule `onUnknown` decides about their clients.
 * Octets are copied up to 1 MiB a list; those of a larger list must stay as they are, because entries are looked up in them.
 *
 * @param source - PEM text or bytes (any number of lists), DER, base64 of DER, parsed lists, or an array of these.
 * @example
 * const crls = parseCrls(await readFile('issuing-ca.crl'))
 * console.log(crls.lists.length, crls.unreadable.length) // 1 0
 */
export function parseCrls(source: CrlSource | readonly CrlSource[]): Crls {
  const sources: readonly CrlSource[] = Array.isArray(source) ? source : [source as CrlSource]
  const lists: CertificateList[] = []
  const unreadable: UnreadableCrl[] = []
  sources.forEach((one, index) => {
    const read = readCrls(one)
    if (!read.ok) {
      unreadable.push({ index, failure: read.failure })
      return
    }
    for (const der of read.value.parts) {
      const parsed = isParsedCrl(der) ? success(der) : parseCrl(ownOctets(der))
      if (parsed.ok) lists.push(parsed.value)
      else unreadable.push({ index, failure: parsed.failure })
    }
    if (read.value.damaged !== undefined) {
      unreadable.push({ index, failure: read.value.damaged })
    }
  })
  return new Crls(lists, unreadable)
}

/**
 * Remembers what came out when the signature of `list` was held against a key, so that no validation need do it: whoever
 * takes a large list over may hash it piece by piece.
 *
 * @param spki - DER of the SubjectPublicKeyInfo.
 */
export function rememberSignature(
  list: CertificateList,
  spki: Uint8Array,
  verifies: boolean,
): void {
  judgedKeysOf(list).remember(spki, verifies)
}

/** The key that `list` was last found to be signed with: by whoever took it over, or by a validation. */
export function provenKeyOf(list: CertificateList): SubjectPublicKeyInfo | undefined {
  const spki = judgedKeysOf(list).proven
  const parsed = spki && parseSubjectPublicKeyInfo(spki)
  return parsed?.ok ? parsed.value : undefined
}

interface CrlParts {
  readonly parts: readonly (Uint8Array | CertificateList)[]
  readonly damaged: RevocationInputFailure | undefined
}

function readCrls(source: CrlSource): Result<CrlParts, RevocationInputFailure> {
  if (isParsedCrl(source)) return success({ parts: [source], damaged: undefined })
  if (typeof source !== 'string' && !(source instanceof Uint8Array)) {
    return failed({ code: 'revocation-input-unrecognized' })
  }
  return readRevocationInput(source, 'X509 CRL')
}

/** What is found out about a list must stay true of its octets, and small buffers are what callers use again. */
function ownOctets(der: Uint8Array): Uint8Array {
  return der.length > maxCopied ? der : new Uint8Array(der)
}

/** The newest first; then by number; then in any order that is always the same. */
function compareCrls({ list: a }: HeldCrl, { list: b }: HeldCrl): number {
  const one = a.tbsCertList
  const other = b.tbsCertList
  return (
    other.thisUpdate - one.thisUpdate ||
    compareNumbers(
      other.crlExtensions.cRLNumber?.number ?? noNumber,
      one.crlExtensions.cRLNumber?.number ?? noNumber,
    ) ||
    compareBytes(a.signatureValue, b.signatureValue)
  )
}

/** Local limit: some 30,000 entries. What is larger is not held twice. */
const maxCopied = 1_048_576
const noNumber = new Uint8Array()
const none: readonly HeldCrl[] = []
