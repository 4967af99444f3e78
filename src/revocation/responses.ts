/** OCSP responses at hand, read once and found by the certificate that they speak of. @module */

import { asciiText, bytesEqual } from '../base/bytes.ts'
import { failed, type Result } from '../base/result.ts'
import type { DigestName, Steps } from '../effect/effect.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { ParseFailure } from '../x509/failure.ts'
import type { CertID, OcspResponse } from '../x509/ocsp.ts'
import { isParsedOcspResponse, parseOcspResponse } from '../x509/parse-ocsp.ts'
import { certIdHashes } from '../x509/write-ocsp.ts'
import type { Finding, StatusContext } from './context.ts'
import { type Answer, type HeldResponse, holderOf } from './held-response.ts'
import { type RevocationInputFailure, readRevocationInput } from './input.ts'
import { issuerIndexKey, type KnownIssuer, KnownIssuers } from './known-issuers.ts'
import { type IsRevoked, OcspAnswers } from './ocsp-answers.ts'
import { ocspStatus } from './ocsp-status.ts'
import type { StatusIssuer, StatusProblem } from './status.ts'

/** DER bytes, base64 of DER, PEM text or bytes with label `OCSP RESPONSE` (one response or more), or a parsed response. */
export type OcspResponseSource = string | Uint8Array | OcspResponse

/** Why one source could not be read, or could not be read to its end; `index` counts the sources. */
export interface UnreadableResponse {
  readonly index: number
  readonly failure: RevocationInputFailure | ParseFailure
}

/** What a set knows about one certificate. */
export interface Answers {
  readonly issuer: KnownIssuer
  /** Of which CertID names just this issuer and this certificate. */
  readonly answers: readonly Answer[]
}

/** Immutable but for what it remembers; made by `parseOcspResponses`, once for many validations. */
export class OcspResponses extends OcspAnswers {
  readonly responses: readonly OcspResponse[]
  /** What could not be read and is left out: then it says nothing of anybody. */
  readonly unreadable: readonly UnreadableResponse[]
  readonly #answers: Readonly<Record<DigestName, Map<string, Answer[]>>> = {
    'SHA-1': new Map(),
    'SHA-256': new Map(),
  }
  readonly #serialNumbers = new Set<string>()
  /** What responses without answers have instead, each kind once. */
  readonly #withoutAnswers = new Map<string, StatusProblem>()
  readonly #issuers = new KnownIssuers()

  constructor(responses: readonly OcspResponse[], unreadable: readonly UnreadableResponse[] = []) {
    super()
    this.responses = responses
    this.unreadable = unreadable
    for (const held of new Set(responses.map(holderOf))) this.#add(held)
  }

  statusOf(
    certificate: Certificate,
    issuer: StatusIssuer,
    context: StatusContext,
    isRevoked: IsRevoked,
  ): Steps<Finding> {
    return ocspStatus(certificate, issuer, this, context, isRevoked)
  }

  /** Looks up what speaks of `certificate`; digests are asked for once for each issuer. */
  *find(certificate: Certificate, issuer: StatusIssuer): Steps<Answers> {
    const { issuer: name, serialNumber } = certificate.tbsCertificate
    const known = yield* this.#issuers.find(issuer.name, issuer.subjectPublicKeyInfo)
    const serial = asciiText(serialNumber)
    const answers = this.#answersOf(known, serial)
    if (bytesEqual(name.der, known.name)) return { issuer: known, answers }
    // RFC 6960 §4.1.1 hashes the name as the certificate writes it, which may be another encoding of the same name.
    const other = yield* this.#issuers.find(name, issuer.subjectPublicKeyInfo)
    return { issuer: known, answers: [...answers, ...this.#answersOf(other, serial)] }
  }

  /** Why there is no answer about a certificate. */
  missing(certificate: Certificate): readonly StatusProblem[] {
    if (this.#serialNumbers.has(asciiText(certificate.tbsCertificate.serialNumber))) {
      return [{ code: 'ocsp-other-certificate' }]
    }
    const problems = [...this.#withoutAnswers.values()]
    return problems.length > 0 ? problems : [{ code: 'ocsp-missing' }]
  }

  #answersOf({ indexKeys }: KnownIssuer, serial: string): readonly Answer[] {
    const sha1 = this.#answers['SHA-1'].get(indexKeys['SHA-1'] + serial) ?? none
    const sha256 = this.#answers['SHA-256'].get(indexKeys['SHA-256'] + serial) ?? none
    if (sha256.length === 0) return sha1
    return sha1.length === 0 ? sha256 : [...sha1, ...sha256]
  }

  #add(held: HeldResponse): void {
    const { responseStatus, basic } = held.response
    if (responseStatus !== 'successful') {
      this.#withoutAnswers.set(responseStatus, { code: 'ocsp-error', responseStatus })
      return
    }
    if (basic === undefined) {
      this.#withoutAnswers.set(responseStatus, { code: 'ocsp-type-unknown' })
      return
    }
    for (const single of basic.responses) {
      const serial = asciiText(single.certID.serialNumber)
      this.#serialNumbers.add(serial)
      const hash = hashOf(single.certID)
      if (hash === undefined) continue
      const key = issuerIndexKey(single.certID) + serial
      const answers = this.#answers[hash].get(key)
      if (answers === undefined) this.#answers[hash].set(key, [{ held, basic, single }])
      else answers.push({ held, basic, single })
    }
  }
}

/** The hash of a CertID; `undefined` for one that is not asked for here, or where a hash has not its length. */
function hashOf({ hashAlgorithm, issuerNameHash, issuerKeyHash }: CertID): DigestName | undefined {
  const { algorithm, parameters } = hashAlgorithm
  // NULL or nothing: RFC 4055 §2.1 has both forms.
  if (parameters !== undefined && (parameters.length !== 2 || parameters[0] !== 5)) return undefined
  const hash = hashes.get(algorithm)
  if (hash === undefined) return undefined
  const length = hash === 'SHA-1' ? 20 : 32
  return issuerNameHash.length === length && issuerKeyHash.length === length ? hash : undefined
}

/**
 * Reads responses; those that cannot be read are left out and reported. Octets are copied.
 *
 * @param source - Never a reason to throw, whatever it holds.
 * @example
 * const responses = parseOcspResponses('neither PEM nor DER')
 * console.log(responses.unreadable[0]?.failure.code) // revocation-input-unrecognized
 */
export function parseOcspResponses(
  source: OcspResponseSource | readonly OcspResponseSource[],
): OcspResponses {
  const sources: readonly OcspResponseSource[] = Array.isArray(source)
    ? source
    : [source as OcspResponseSource]
  const responses: OcspResponse[] = []
  const unreadable: UnreadableResponse[] = []
  for (const [index, one] of sources.entries()) {
    if (isParsedOcspResponse(one)) {
      responses.push(one)
      continue
    }
    const octets = octetsOf(one)
    const input = octets === undefined ? unrecognized : readRevocationInput(octets, 'OCSP RESPONSE')
    if (!input.ok) {
      unreadable.push({ index, failure: input.failure })
      continue
    }
    const { parts, damaged } = input.value
    for (const der of parts) {
      // A copy: what is found out about a response must stay true of its octets.
      const parsed = parseOcspResponse(new Uint8Array(der))
      if (parsed.ok) responses.push(parsed.value)
      else unreadable.push({ index, failure: parsed.failure })
    }
    if (damaged !== undefined) unreadable.push({ index, failure: damaged })
  }
  return new OcspResponses(responses, unreadable)
}

/** Of an object that `parseOcspResponse` did not make only the octets count: its other fields may say what nobody signed. */
function octetsOf(source: unknown): string | Uint8Array | undefined {
  const octets =
    typeof source === 'object' && source !== null && 'der' in source ? source.der : source
  return typeof octets === 'string' || octets instanceof Uint8Array ? octets : undefined
}

const unrecognized: Result<never, RevocationInputFailure> = failed({
  code: 'revocation-input-unrecognized',
})
const none: readonly Answer[] = []

const hashes: ReadonlyMap<string, DigestName> = /* @__PURE__ */ new Map<string, DigestName>([
  [certIdHashes['SHA-1'], 'SHA-1'],
  [certIdHashes['SHA-256'], 'SHA-256'],
])
