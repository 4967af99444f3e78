/** OCSP responses, one for each certificate that was asked about. RFC 6960 §A.1 @module */

import { createHash, randomBytes } from 'node:crypto'
import { bytesEqual } from '../../base/bytes.ts'
import { toHex } from '../../base/hex.ts'
import { failed, type Result, success } from '../../base/result.ts'
import { type DigestName, type Handlers, runSync } from '../../effect/effect.ts'
import { defaultAlgorithmPolicy } from '../../path/algorithms.ts'
import type { StatusContext } from '../../revocation/context.ts'
import { holderOf } from '../../revocation/held-response.ts'
import { buildOcspRequest } from '../../revocation/ocsp-request.ts'
import { ocspStatus } from '../../revocation/ocsp-status.ts'
import type { WantedStatus } from '../../revocation/provider.ts'
import { OcspResponses } from '../../revocation/responses.ts'
import type { StatusIssuer } from '../../revocation/status.ts'
import type { Certificate } from '../../x509/certificate.ts'
import type { BasicOcspResponse, OcspResponse } from '../../x509/ocsp.ts'
import { parseOcspResponse } from '../../x509/parse-ocsp.ts'
import { nodeHandlers } from '../node.ts'
import type { CachedAnswer } from './cache-folder.ts'
import { askServer, keepAnswer, type SourceContext } from './context.ts'
import { dateOf, type SourceStatus, stateOf } from './event.ts'
import type { Question } from './exchange.ts'
import type { TakeFailure } from './failure.ts'
import { type Outcome, Upkeep } from './upkeep.ts'
import { readUri } from './uri.ts'

export interface ResponseKeeperOptions {
  /** A responder for all certificates; `aia`: the one that each names; `undefined`: nobody is asked. */
  readonly responder: 'aia' | URL | undefined
  readonly method: 'post' | 'get-when-short'
  readonly nonce: 'none' | 'send' | 'require'
  readonly hash: DigestName
  readonly maxResponses: number
}

/** The answer that is in force for one certificate. */
interface Current {
  readonly response: OcspResponse
  /** Unix seconds. */
  readonly thisUpdate: number
  readonly nextUpdate: number | undefined
  readonly verified: boolean
  /** What it says, if it is verified. */
  readonly says: Said
}

type Said = 'good' | 'revoked' | 'unknown'

interface Entry {
  readonly url: URL
  readonly subject: string
  readonly certificate: Certificate
  readonly issuer: StatusIssuer
  readonly upkeep: Upkeep
  held: Current | undefined
  /**
   * The last verified answer that revoked, until one says good: to a request that a responder does not understand it signs `unknown`, and
   * whoever sent that request could put the answer in its place.
   */
  revoking: OcspResponse | undefined
}

export class ResponseKeeper {
  readonly #context: SourceContext
  readonly #options: ResponseKeeperOptions
  readonly #handlers: Handlers = nodeHandlers()
  /** Those asked for last at the end. */
  readonly #entries = new Map<string, Entry>()
  /** Read from disk, for certificates that nobody has asked about yet. */
  readonly #restored = new Map<string, OcspResponse>()

  constructor(context: SourceContext, options: ResponseKeeperOptions) {
    this.#context = context
    this.#options = options
  }

  get responses(): readonly OcspResponse[] {
    const asked = [...this.#entries.values()].flatMap(inForceOf)
    return [...asked, ...this.#restored.values()]
  }

  /** Begins to ask about a certificate, as far as there is no point in waiting. */
  want({ certificate, issuer }: WantedStatus): Promise<void> | undefined {
    return this.#wantFirst(this.#responders(certificate), certificate, issuer)
  }

  async refresh(uri: string | undefined): Promise<void> {
    const entries = [...this.#entries.values()].filter(
      ({ url }) => uri === undefined || url.href === uri,
    )
    await Promise.all(entries.map(({ upkeep }) => upkeep.run()))
  }

  /** Puts in force what was kept on disk, as far as it may still be of use. */
  restore({ uri, subject, body }: CachedAnswer): void {
    const { responder, maxResponses } = this.#options
    if (responder === undefined || this.#restored.size >= maxResponses) return
    const parsed = parseOcspResponse(body)
    const basic = parsed.ok ? parsed.value.basic : undefined
    if (!parsed.ok || basic === undefined) return
    const now = this.#context.upkeep.now() / 1000
    const [first] = basic.responses
    if (first === undefined || (first.nextUpdate ?? now) < now) return
    const key = `${uri} ${subject}`
    this.#restored.set(key, parsed.value)
    const entry = this.#entries.get(key)
    if (entry !== undefined) this.#adopt(key, entry)
    const { thisUpdate, nextUpdate } = first
    this.#context.tell('ocsp', uri, {
      type: 'loaded',
      from: 'cache',
      thisUpdate: new Date(thisUpdate * 1000),
      nextUpdate: dateOf(nextUpdate),
      verified: false,
    })
  }

  status(now: number): readonly SourceStatus[] {
    return [...this.#entries.values()].map(({ url, certificate, upkeep, held }) => ({
      kind: 'ocsp',
      origin: url.href,
      serialNumber: toHex(certificate.tbsCertificate.serialNumber),
      state: stateOf(held, now),
      learned: this.#options.responder === 'aia',
      verified: held?.verified ?? false,
      thisUpdate: dateOf(held?.thisUpdate),
      nextUpdate: dateOf(held?.nextUpdate),
      lastFailure: upkeep.lastFailure,
      failures: upkeep.failures,
      nextFetch: dateOf(upkeep.nextFetch === undefined ? undefined : upkeep.nextFetch / 1000),
    }))
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ upkeep }) => upkeep.stop()))
  }

  #responders({ tbsCertificate }: Certificate): readonly URL[] {
    const { responder } = this.#options
    if (responder === undefined) return []
    if (responder !== 'aia') return [responder]
    const { descriptions } = tbsCertificate.extensions.authorityInfoAccess ?? { descriptions: [] }
    const urls: URL[] = []
    for (const { accessMethod, accessLocation } of descriptions) {
      if (accessMethod !== ocspMethod || accessLocation.kind !== 'uniformResourceIdentifier')
        continue
      const read = readUri(accessLocation.value)
      if (read.ok && urls.length < maxResponders) urls.push(read.value)
    }
    return urls
  }

  /** The next responder is asked only when those before it fail. */
  #wantFirst(
    urls: readonly URL[],
    certificate: Certificate,
    issuer: StatusIssuer,
  ): Promise<void> | undefined {
    for (const [index, url] of urls.entries()) {
      const { upkeep } = this.#find(url, certificate, issuer)
      const fetching = upkeep.want()
      if (fetching !== undefined) {
        return fetching.then(() =>
          upkeep.failures === 0
            ? undefined
            : this.#wantFirst(urls.slice(index + 1), certificate, issuer),
        )
      }
      if (upkeep.failures === 0) return undefined
    }
    return undefined
  }

  #find(url: URL, certificate: Certificate, issuer: StatusIssuer): Entry {
    const subject = subjectOf(certificate, issuer)
    const key = `${url.href} ${subject}`
    const entry = this.#entries.get(key) ?? this.#entry(key, url, subject, certificate, issuer)
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    if (this.#entries.size > this.#options.maxResponses) {
      const [oldest, { upkeep, held }] = this.#entries.entries().next().value as [string, Entry]
      void upkeep.stop()
      this.#entries.delete(oldest)
      if (held !== undefined) void this.#context.publish()
    }
    return entry
  }

  #entry(
    key: string,
    url: URL,
    subject: string,
    certificate: Certificate,
    issuer: StatusIssuer,
  ): Entry {
    const entry: Entry = {
      url,
      subject,
      certificate,
      issuer,
      upkeep: new Upkeep(
        this.#context.upkeep,
        () => this.#fetch(entry),
        () => isWanted(entry),
      ),
      held: undefined,
      revoking: undefined,
    }
    this.#adopt(key, entry)
    return entry
  }

  /** What was kept from before is what a new answer must not be older than. */
  #adopt(key: string, entry: Entry): void {
    const restored = this.#restored.get(key)
    if (restored === undefined) return
    const read = this.#read(entry, restored.der, undefined)
    if (!read.ok) return
    hold(entry, read.value)
    this.#restored.delete(key)
  }

  async #fetch(entry: Entry): Promise<Outcome> {
    await this.#context.restored()
    const { url, certificate, issuer } = entry
    const { method, nonce: rule, hash } = this.#options
    const nonce = rule === 'none' ? undefined : new Uint8Array(randomBytes(nonceOctets))
    const der = runSync(buildOcspRequest(certificate, issuer, { hash, nonce }), this.#handlers)
    const question = questionOf(url, der, method === 'get-when-short' && nonce === undefined)
    const answer = await askServer(this.#context, 'ocsp', question, url.href)
    if (answer.status === 'failed') return this.#failed(entry, answer.failure, answer.retryAfter)
    // Nothing was asked on condition.
    if (answer.status === 'not-modified') return this.#failed(entry, notModified, undefined)
    const failure = await this.#take(entry, answer.body, nonce)
    if (failure !== undefined) return this.#failed(entry, failure, undefined)
    return { ok: true, held: { nextUpdate: entry.held?.nextUpdate, freshFor: answer.freshFor } }
  }

  #failed(
    { url, upkeep }: Entry,
    failure: Extract<Outcome, { ok: false }>['failure'],
    retryAfter: number | undefined,
  ): Outcome {
    const failures = upkeep.failures + 1
    if (failure.code !== 'closed') {
      this.#context.tell('ocsp', url.href, { type: 'failed', failure, failures })
    }
    return { ok: false, failure, retryAfter }
  }

  async #take(
    entry: Entry,
    body: Uint8Array,
    nonce: Uint8Array | undefined,
  ): Promise<TakeFailure | undefined> {
    const before = entry.held
    const read = this.#read(entry, body, nonce)
    if (!read.ok) return read.failure
    const now = read.value
    if (before !== undefined) {
      if (before.verified && !now.verified) return { code: 'signer-unknown' }
      // What anybody may have sent does not stop what is proven.
      if (now.thisUpdate < before.thisUpdate && (before.verified || !now.verified)) {
        return { code: 'older', thisUpdate: now.thisUpdate, held: before.thisUpdate }
      }
    }
    const { url, subject } = entry
    hold(entry, now)
    const facts = { kind: 'ocsp', uri: url.href, subject } as const
    keepAnswer(this.#context, { ...facts, etag: undefined, lastModified: undefined, body })
    await this.#context.publish()
    const { thisUpdate, nextUpdate, verified } = now
    this.#context.tell('ocsp', url.href, {
      type: before === undefined ? 'loaded' : 'replaced',
      from: 'network',
      thisUpdate: new Date(thisUpdate * 1000),
      nextUpdate: dateOf(nextUpdate),
      verified,
    })
    return undefined
  }

  #read(
    { certificate, issuer }: Entry,
    body: Uint8Array,
    nonce: Uint8Array | undefined,
  ): Result<Current, TakeFailure> {
    const parsed = parseOcspResponse(body)
    if (!parsed.ok) return failed({ code: 'unreadable', failure: parsed.failure })
    const { responseStatus, basic } = parsed.value
    if (responseStatus !== 'successful') return failed({ code: 'ocsp-error', responseStatus })
    if (basic === undefined) return failed({ code: 'ocsp-type-unknown' })
    const wrongNonce = this.#checkNonce(basic, nonce)
    if (wrongNonce !== undefined) return failed(wrongNonce)
    const response = parsed.value
    const alone = new OcspResponses([response])
    const { answers } = runSync(alone.find(certificate, issuer), this.#handlers)
    const [answer] = answers
    if (answer === undefined) return failed({ code: 'ocsp-other-certificate' })
    const { thisUpdate, nextUpdate } = answer.single
    if (thisUpdate * 1000 > this.#context.upkeep.now() + clockTolerance) {
      return failed({ code: 'not-yet-valid', thisUpdate })
    }
    const says = this.#whatIsVerified(certificate, issuer, alone)
    // Of use it is when a validation says so.
    holderOf(response).used = false
    const verified = says !== undefined
    return success({ response, thisUpdate, nextUpdate, verified, says: says ?? 'unknown' })
  }

  /** RFC 9654 §2.1: a responder may leave it out; another one is an answer to somebody else. */
  #checkNonce(
    { nonce: present }: BasicOcspResponse,
    sent: Uint8Array | undefined,
  ): TakeFailure | undefined {
    if (sent === undefined) return undefined
    if (present === undefined) {
      return this.#options.nonce === 'require' ? { code: 'ocsp-nonce', present: false } : undefined
    }
    return bytesEqual(present, sent) ? undefined : { code: 'ocsp-nonce', present: true }
  }

  /** What it says under the default policy; `undefined`: nothing that is verified. Not whether that is current: validation has its own clock and rules. */
  #whatIsVerified(
    certificate: Certificate,
    issuer: StatusIssuer,
    alone: OcspResponses,
  ): Said | undefined {
    const context: StatusContext = {
      time: Math.floor(this.#context.upkeep.now() / 1000),
      clockTolerance: clockTolerance / 1000,
      maxAge: ageless,
      staleFor: ageless,
      algorithms: defaultAlgorithmPolicy,
      profile: 'interoperable',
      budget: { signatures: maxSignatures },
    }
    const finding = runSync(
      ocspStatus(certificate, issuer, alone, context, notAsked),
      this.#handlers,
    )
    if (finding.status !== 'unknown') return finding.status
    return finding.problems.some(({ code }) => code === 'ocsp-unknown') ? 'unknown' : undefined
  }
}

// biome-ignore lint/correctness/useYield: a step that asks nothing
function* notAsked(): ReturnType<Parameters<typeof ocspStatus>[4]> {
  return false
}

/** Asked again when it was of use since the last time, or fails: clients that stay away cost nothing. */
function isWanted(entry: Entry): boolean {
  const { failures } = entry.upkeep
  if (failures > 0) return failures < maxFailures
  return inForceOf(entry).some((response) => holderOf(response).used)
}

function hold(entry: Entry, now: Current): void {
  entry.held = now
  if (now.verified && now.says !== 'unknown') {
    entry.revoking = now.says === 'revoked' ? now.response : undefined
  }
  // Of use since this answer, not since that one.
  if (entry.revoking !== undefined) holderOf(entry.revoking).used = false
}

function inForceOf({ held, revoking }: Entry): readonly OcspResponse[] {
  if (held === undefined) return []
  return revoking === undefined || revoking === held.response
    ? [held.response]
    : [held.response, revoking]
}

function questionOf(url: URL, der: Uint8Array, mayGet: boolean): Question {
  const fixed = { accept: 'application/ocsp-response', maxBytes: maxResponseOctets }
  const base = url.href.endsWith('/') ? url.href : `${url.href}/`
  const get = base + encodeURIComponent(Buffer.from(der).toString('base64'))
  // RFC 6960 §A.1: GET where all of it has less than 255 octets, so that caches on the way can answer.
  if (mayGet && url.search === '' && get.length < 255) return { url: new URL(get), ...fixed }
  return { url, ...fixed, body: { type: 'application/ocsp-request', bytes: der } }
}

/** Which certificate of which issuer: a key for maps and files. */
function subjectOf(
  { tbsCertificate }: Certificate,
  { subjectPublicKeyInfo }: StatusIssuer,
): string {
  const { issuer, serialNumber } = tbsCertificate
  return createHash('sha256')
    .update(`${issuer.der.length} ${subjectPublicKeyInfo.der.length} `)
    .update(issuer.der)
    .update(subjectPublicKeyInfo.der)
    .update(serialNumber)
    .digest('hex')
}

const notModified = { code: 'status', status: 304 } as const
/** Local limit: a response is read in one turn. Those with a delegate's certificate have some 2,000 octets. */
const maxResponseOctets = 65_536
/** id-ad-ocsp */
const ocspMethod = '1.3.6.1.5.5.7.48.1'
/** RFC 9654 §2.1: at least 32. */
const nonceOctets = 32
/** Local limit on what one certificate makes us ask. */
const maxResponders = 2
/** Local limit: then it is left alone until it is asked for again. */
const maxFailures = 8
/** Local limit, in verifications with P-256: its own signature, and those of a few delegates. */
const maxSignatures = 16
/** Milliseconds. */
const clockTolerance = 300_000
/** Seconds: longer than any response has existed. */
const ageless = 1e10
