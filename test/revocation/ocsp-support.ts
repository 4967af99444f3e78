import { type Effect, type Handlers, runSync, type Steps } from '../../src/effect/effect.ts'
import { algorithmPolicy } from '../../src/path/algorithms.ts'
import type { Finding, StatusContext } from '../../src/revocation/context.ts'
import type { IsRevoked } from '../../src/revocation/ocsp-answers.ts'
import { ocspStatus } from '../../src/revocation/ocsp-status.ts'
import {
  type OcspResponseSource,
  type OcspResponses,
  parseOcspResponses,
} from '../../src/revocation/responses.ts'
import type { StatusIssuer } from '../../src/revocation/status.ts'
import { nodeHandlers } from '../../src/runtime/node.ts'
import { testTime } from '../../src/testing/index.ts'
import type { Certificate } from '../../src/x509/certificate.ts'

export const hour = 3_600
export const day = 24 * hour
export const week = 7 * day

/** What the test PKI writes when a test does not say otherwise. */
export const thisUpdate = testTime - hour
export const nextUpdate = thisUpdate + week

export function contextOf(changes: Partial<StatusContext> = {}): StatusContext {
  return {
    time: testTime,
    clockTolerance: 0,
    maxAge: undefined,
    staleFor: 0,
    algorithms: algorithmPolicy(),
    profile: 'interoperable',
    budget: { signatures: 100 },
    ...changes,
  }
}

/** A CA as a path proves it. */
export function statusIssuer({ tbsCertificate }: Certificate): StatusIssuer {
  const { subject: name, subjectPublicKeyInfo } = tbsCertificate
  return { name, subjectPublicKeyInfo, certificate: undefined }
}

/** Counts what the core asks for, over `node:crypto`. */
export class Counter {
  verifications = 0
  digests = 0
  readonly #handlers: Handlers

  constructor(changes: Partial<Handlers> = {}) {
    const node = { ...nodeHandlers(), ...changes }
    this.#handlers = {
      ...node,
      verifySignature: (effect) => {
        this.verifications++
        return node.verifySignature(effect)
      },
      digest: (effect) => {
        this.digests++
        return node.digest(effect)
      },
    }
  }

  run<T>(steps: Steps<T>): T {
    return runSync(steps, this.#handlers)
  }
}

export interface Given extends Partial<StatusContext> {
  readonly isRevoked?: IsRevoked
  readonly counter?: Counter
}

export interface Issued {
  readonly der: Uint8Array
}

/** The status of `certificate` by what `ca` or somebody else said about it. */
export function statusBy(
  certificate: Certificate,
  ca: Certificate,
  responses: OcspResponses | readonly Issued[],
  { isRevoked = saying(false), counter = new Counter(), ...changes }: Given = {},
): Finding {
  const set =
    'missing' in responses
      ? responses
      : parseOcspResponses(responses.map(({ der }): OcspResponseSource => der))
  const context = contextOf(changes)
  return counter.run(ocspStatus(certificate, statusIssuer(ca), set, context, isRevoked))
}

/** An `isRevoked` that asks nothing. */
export function saying(answer: boolean, asked: Certificate[] = []): IsRevoked {
  return function* (delegate) {
    yield* noQuestions
    asked.push(delegate)
    return answer
  }
}

/** Its codes, when a status is unknown; otherwise the status. */
export function codesOf(finding: Finding): string {
  return finding.status === 'unknown'
    ? finding.problems.map(({ code }) => code).join(' ')
    : finding.status
}

const noQuestions: readonly Effect[] = []
