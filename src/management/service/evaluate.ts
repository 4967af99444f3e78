/** Tries a certificate against a stored policy and what it would be held against, without a deployment. @module */

import { parseIssuerAcl } from '../../acl/index.ts'
import { parseIntermediates } from '../../client/intermediates.ts'
import { parseTrustAnchors } from '../../client/trust-anchors.ts'
import type { RevocationSettings } from '../../deployment/index.ts'
import { describePolicyFailure } from '../../explain.ts'
import { listNames } from '../../policy/pipelines.ts'
import type { Facts, Outcome, PolicyFailure, Trust } from '../../policy.ts'
import { evaluatePipeline, evaluatePolicy } from '../../policy.ts'
import { createKillList, parseCrls, parseOcspResponses } from '../../revocation.ts'
import type { DescribedFailure, EvaluateRequest, Evaluation } from '../resources.ts'
import { allCrls, allKills, killListEntry } from './live.ts'
import type { ApiProxyRow, Db } from './lookups.ts'
import { type Policy, policyLists } from './policies.ts'
import { invalidField } from './refusal.ts'
import { settingsFor } from './settings.ts'

/**
 * The outcome, with the trace and each failure in words. Revocation is held against the CRLs that were uploaded: nothing is fetched.
 *
 * @throws Refusal `invalid` when the policy wants something that is not configured.
 */
export async function evaluate(
  db: Db,
  proxy: ApiProxyRow,
  policy: Policy,
  { certificate, time, method, path }: EvaluateRequest,
  now: Date,
): Promise<Evaluation> {
  const facts: Facts = {
    ...(certificate === undefined ? {} : { certificate }),
    time: time === undefined ? now : new Date(time),
    ...(await trustFor(db, proxy)),
  }
  const { apiProxy } = policyLists(proxy.name, [policy])
  const documents = apiProxy[listNames[policy.pipeline] as 'requestPolicyList']
  const isPlaced = method !== undefined || path !== undefined
  try {
    if (!isPlaced) {
      const { name, document } = policy
      return evaluationOf(await evaluatePolicy({ name, ...document }, facts), true)
    }
    const outcome = await evaluatePipeline(documents, {
      ...facts,
      ...(method === undefined ? {} : { method }),
      ...(path === undefined ? {} : { path }),
    })
    return evaluationOf(outcome, !outcome.allowed || outcome.trace.length > 0, policy)
  } catch (error) {
    const missing = missingOf(error)
    if (missing === undefined) throw error
    throw invalidField('', missing)
  }
}

async function trustFor(db: Db, proxy: ApiProxyRow): Promise<Trust> {
  const { trustStore, issuerAcl, revocation } = await settingsFor(db, proxy.id, proxy.project_id)
  const owners = [proxy.id, proxy.project_id]
  const kills = await allKills(db, owners)
  return {
    ...(trustStore === undefined
      ? {}
      : {
          trustAnchors: parseTrustAnchors(trustStore.anchors),
          intermediates: parseIntermediates(trustStore.intermediates),
        }),
    ...(issuerAcl === undefined ? {} : { issuerAcl: parseIssuerAcl(issuerAcl.acl) }),
    ...(kills.length === 0 ? {} : { killList: createKillList(kills.map(killListEntry)) }),
    ...(revocation === undefined || trustStore === undefined
      ? {}
      : { revocation: revocationOf(revocation, await allCrls(db, owners)) }),
  }
}

function revocationOf(
  { mode, onUnknown, depth }: RevocationSettings,
  ders: readonly Uint8Array[],
): NonNullable<Trust['revocation']> {
  const crls = parseCrls(ders)
  const ocspResponses = parseOcspResponses([])
  if (mode === 'crl') return { mode, onUnknown, depth, crls }
  if (mode === 'ocsp') return { mode, onUnknown, depth, ocspResponses }
  return { mode, onUnknown, depth, crls, ocspResponses }
}

function evaluationOf(outcome: Outcome, applies: boolean, placed?: Policy): Evaluation {
  const { verdict, trace } = outcome
  const identity = outcome.allowed ? outcome.identity : undefined
  return {
    allowed: outcome.allowed,
    applies,
    ...(outcome.allowed
      ? {}
      : { status: outcome.status, failure: describedFailure(outcome.failure) }),
    ...(identity === undefined
      ? {}
      : {
          identity: {
            subject: identity.subject,
            issuer: identity.issuer.name,
            serialNumber: identity.serialNumber,
            fingerprint: identity.fingerprint,
            spkiSha256: identity.spkiSha256,
          },
        }),
    warnings: verdict?.ok ? verdict.warnings.map(({ code }) => code) : [],
    trace: trace.map(({ pipeline, policy, targetScope, result, failure }) => ({
      pipeline: placed?.pipeline ?? pipeline,
      policy,
      targetScope,
      result,
      ...(failure === undefined ? {} : { failure: describedFailure(failure) }),
    })),
  }
}

function describedFailure(failure: PolicyFailure): DescribedFailure {
  const { code, source, message, remedy } = describePolicyFailure(failure)
  return { code, source, message, remedy }
}

/** What the policy wants and nobody configured. */
function missingOf(error: unknown): string | undefined {
  if (!(error instanceof TypeError) || !('code' in error)) return undefined
  if (error.code === 'trust-anchors-missing')
    return 'a trust store for the project or the API proxy'
  if (error.code === 'option-missing') return 'an issuer ACL for the project or the API proxy'
  return undefined
}
