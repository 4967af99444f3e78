import { type Effect, type Handlers, runSync } from '../../src/effect/effect.ts'
import { algorithmPolicy } from '../../src/path/algorithms.ts'
import { type Accept, buildPath, type PathResult, type Refusal } from '../../src/path/build.ts'
import type { ValidatedPath } from '../../src/path/complete.ts'
import { Issuer } from '../../src/path/issuer.ts'
import { IssuerIndex } from '../../src/path/issuer-index.ts'
import type { PathOptions } from '../../src/path/options.ts'
import type { RuleContext } from '../../src/path/rules.ts'
import type { AnchorConstraints, TrustAnchor } from '../../src/path/trust-anchor.ts'
import { nodeHandlers } from '../../src/runtime/node.ts'
import { testTime } from '../../src/testing/index.ts'
import type { Certificate } from '../../src/x509/certificate.ts'

const node = nodeHandlers()

/** What every rule is told when a test does not say otherwise. */
export const context: RuleContext = {
  time: testTime,
  clockTolerance: 0,
  profile: 'interoperable',
  algorithms: algorithmPolicy(),
  anchorChecks: { validity: true, constraints: true },
}

/** A certificate as a trust anchor. */
export function anchorOf(certificate: Certificate, constraints?: AnchorConstraints): TrustAnchor {
  const { subject: name, subjectPublicKeyInfo } = certificate.tbsCertificate
  return { name, subjectPublicKeyInfo, certificate, constraints }
}

/** The name and the key of a certificate as a trust anchor. */
export function bareAnchorOf(
  certificate: Certificate,
  constraints?: AnchorConstraints,
): TrustAnchor {
  return { ...anchorOf(certificate, constraints), certificate: undefined }
}

export function anchorIssuer(anchor: TrustAnchor): Issuer {
  return new Issuer(anchor.certificate, anchor)
}

export function issuerOf(certificate: Certificate): Issuer {
  return new Issuer(certificate, undefined)
}

export interface Given extends Partial<Omit<PathOptions, 'anchors' | 'intermediates'>> {
  readonly anchors: readonly (Certificate | TrustAnchor)[]
  readonly intermediates?: readonly Certificate[]
}

export function optionsOf({ anchors, intermediates = [], ...rest }: Given): PathOptions {
  return {
    ...context,
    anchors: new IssuerIndex(
      anchors.map((one) => anchorIssuer('tbsCertificate' in one ? anchorOf(one) : one)),
    ),
    intermediates: [new IssuerIndex(intermediates.map(issuerOf))],
    purpose: 'clientAuth',
    maxIntermediates: 32,
    policies: {},
    pinnedTarget: 'refuse',
    ...rest,
  }
}

/** Searches over `node:crypto`; `verified` collects the octets whose signatures were asked about. */
export function search<F = never>(
  target: Certificate,
  given: Given,
  accept?: Accept<F>,
  verified: Uint8Array[] = [],
): PathResult<F> {
  const handlers: Handlers = {
    ...node,
    verifySignature: (effect) => {
      verified.push(effect.data)
      return node.verifySignature(effect)
    },
  }
  return runSync(buildPath(target, optionsOf(given), accept), handlers)
}

/** The failure, without the facts that a test does not name. */
export function failureOf(result: PathResult<unknown>): unknown {
  return result.ok ? undefined : result.failure
}

/** An `accept` that asks nothing. */
export function accepting<F>(decide: (path: ValidatedPath) => Refusal<F> | undefined): Accept<F> {
  return function* (path) {
    yield* noQuestions
    return decide(path)
  }
}

const noQuestions: readonly Effect[] = []
