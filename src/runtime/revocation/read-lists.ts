/** From octets to lists that may be put in force: parsed and, where it can be known who signed them, verified, all in turns. @module */

import { bytesEqual } from '../../base/bytes.ts'
import { failed, type Result, success } from '../../base/result.ts'
import type { IssuerIndex } from '../../path/issuer-index.ts'
import type { StatusIssuer } from '../../revocation/status.ts'
import { parseSubjectPublicKeyInfo } from '../../x509/algorithms.ts'
import type { SubjectPublicKeyInfo } from '../../x509/certificate.ts'
import type { CertificateList } from '../../x509/crl.ts'
import type { Name } from '../../x509/name.ts'
import { nameKey, namesMatch } from '../../x509/name-match.ts'
import { parseCrlInSteps } from '../../x509/parse-crl.ts'
import type { TakeFailure } from './failure.ts'
import { listOctets } from './list-octets.ts'
import { inTurns, Turn } from './turns.ts'
import { isSignedBy } from './verify-list.ts'

export interface ReadList {
  readonly list: CertificateList
  readonly verified: boolean
  /** The key that verified it. */
  readonly signedBy: SubjectPublicKeyInfo | undefined
}

/** Who may have signed: what the operator names, and the issuers of certificates whose path was valid. */
export class Signers {
  readonly #configured: readonly IssuerIndex[]
  readonly #met = new Map<string, SubjectPublicKeyInfo[]>()

  constructor(configured: readonly IssuerIndex[]) {
    this.#configured = configured
  }

  /** Remembers the issuer of a certificate whose path is valid. */
  meet({ name, subjectPublicKeyInfo }: StatusIssuer): void {
    const key = nameKey(name)
    const met = this.#met.get(key) ?? []
    if (met.some(({ der }) => bytesEqual(der, subjectPublicKeyInfo.der))) return
    // A copy: its buffer is the caller's.
    const parsed = parseSubjectPublicKeyInfo(subjectPublicKeyInfo.der.slice())
    if (!parsed.ok) return
    if (met.length === maxKeys) met.shift()
    if (!this.#met.has(key) && this.#met.size === maxMet) {
      this.#met.delete(this.#met.keys().next().value as string)
    }
    met.push(parsed.value)
    this.#met.set(key, met)
  }

  /** The keys that the operator names for an issuer, those with the right key identifier first. */
  configured(issuer: Name, keyIdentifier: Uint8Array | undefined): readonly SubjectPublicKeyInfo[] {
    const isMeant = (id: Uint8Array | undefined): boolean =>
      id !== undefined && keyIdentifier !== undefined && bytesEqual(id, keyIdentifier)
    return this.#configured
      .flatMap((index) => index.named(issuer))
      .toSorted((a, b) => Number(isMeant(b.keyIdentifier)) - Number(isMeant(a.keyIdentifier)))
      .slice(0, maxKeys)
      .map(({ subjectPublicKeyInfo }) => subjectPublicKeyInfo)
  }

  met(issuer: Name): readonly SubjectPublicKeyInfo[] {
    return this.#met.get(nameKey(issuer)) ?? []
  }
}

/**
 * @param now - Unix milliseconds.
 * @param before - What is held from the same place: whoever signed that may have signed this.
 */
export async function readLists(
  bytes: Uint8Array,
  signers: Signers,
  now: number,
  before: readonly ReadList[] = [],
): Promise<Result<readonly ReadList[], TakeFailure>> {
  const octets = await listOctets(bytes)
  if (!octets.ok) return octets
  const lists: ReadList[] = []
  // Of all of them: each by itself may be too short for a pause.
  const turn = new Turn()
  for (const der of octets.value) {
    await turn.pause()
    const read = await inTurns(parseCrlInSteps(der))
    if (!read.ok) return failed({ code: 'unreadable', failure: read.failure })
    const { thisUpdate } = read.value.tbsCertList
    if (thisUpdate * 1000 > now + clockTolerance)
      return failed({ code: 'not-yet-valid', thisUpdate })
    const signedBy = await findSigner(read.value, signers, before)
    if (signedBy === 'forged') return failed({ code: 'signature-invalid' })
    lists.push({ list: read.value, verified: signedBy !== undefined, signedBy })
  }
  return success(lists)
}

/** Who signed it; `forged`: certainly not whom the operator names; `undefined`: nobody who is known. */
async function findSigner(
  list: CertificateList,
  signers: Signers,
  before: readonly ReadList[],
): Promise<SubjectPublicKeyInfo | 'forged' | undefined> {
  const { issuer, crlExtensions } = list.tbsCertList
  const { keyIdentifier } = crlExtensions.authorityKeyIdentifier ?? {}
  const configured: (boolean | undefined)[] = []
  for (const spki of signers.configured(issuer, keyIdentifier)) {
    const verifies = await isSignedBy(list, spki)
    if (verifies) return spki
    configured.push(verifies)
  }
  if (configured.length > 0 && configured.every((one) => one === false)) return 'forged'
  // A CA may sign lists with another key than certificates: that this one did not sign says nothing.
  for (const spki of signers.met(issuer)) {
    if (await isSignedBy(list, spki)) return spki
  }
  for (const { list: other, signedBy } of before) {
    if (signedBy === undefined || !namesMatch(other.tbsCertList.issuer, issuer)) continue
    if (await isSignedBy(list, signedBy)) return signedBy
  }
  return undefined
}

/** Local limit: each costs hashing the list once; a CA has a key and its next one. */
const maxKeys = 4
/** Local limit: names of CAs whose clients one server sees; those met first are forgotten first. */
const maxMet = 1024
/** Milliseconds: clocks differ. What is of use only later than that would set aside what is of use now. */
const clockTolerance = 300_000
