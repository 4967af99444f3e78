/** Policy documents in any runtime: the packed package evaluates them to the very outcome that Node came to. @module */
import type * as aclEntry from '../../src/acl/index.ts'
import type * as library from '../../src/index.web.ts'
import type * as policyNode from '../../src/policy.ts'
import type * as policyEntry from '../../src/policy.web.ts'
import { type Check, differs } from './check.ts'

export interface PolicyData {
  readonly trust: TrustData
  /** What clients present: PEM, or bytes in numbers; absent: nothing. */
  readonly clients: { readonly [name: string]: string | readonly number[] | undefined }
  readonly cases: readonly PolicyCase[]
  /** Policies of every kind, for servers. */
  readonly proxy: policyEntry.PipelineDocuments
}

export interface TrustData {
  readonly anchorsPem: string
  readonly intermediatesPem: string
  readonly issuerAcl: string
}

export interface PolicyCase {
  readonly client: string
  /** One document, or the pipelines of an API proxy. */
  readonly policy?: object
  readonly policies?: policyEntry.PipelineDocuments
  readonly request?: RequestData
  /** Unix seconds. */
  readonly time: number
  /** `allowed` or a code. */
  readonly expected: string
  /** `outcomeText` of what Node came to. */
  readonly byNode: string
}

export type RequestData = Pick<policyEntry.RequestFacts, 'method' | 'path' | 'pipeline'>

/** Entries of the package, as the runtime resolves them. */
export interface PolicyEntries {
  readonly library: typeof library
  readonly acl: typeof aclEntry
  /** Where the condition is Node's, it also evaluates without promises. */
  readonly policy: typeof policyEntry & Partial<Pick<typeof policyNode, SyncName>>
}

interface TrustEntries {
  readonly library: Pick<typeof library, 'parseTrustAnchors'>
  readonly acl: Pick<typeof aclEntry, 'parseIssuerAcl'>
}

type SyncName = 'evaluatePolicySync' | 'evaluatePipelineSync'

export async function checkPolicies(
  data: PolicyData,
  entries: PolicyEntries,
  check: Check,
): Promise<void> {
  const { clients, cases } = data
  const { policy: entry } = entries
  const trust = readTrust(data.trust, entries)
  for (const [index, one] of cases.entries()) {
    const name = `policy case ${index}, ${one.client}`
    const facts = {
      ...trust,
      ...one.request,
      certificate: presented(clients[one.client]),
      time: new Date(one.time * 1000),
    }
    const { policy, policies = [] } = one
    const outcome = policy
      ? await entry.evaluatePolicy(policy, facts)
      : await entry.evaluatePipeline(policies, facts)
    check(name, differs(one.expected, codeOf(outcome)))
    check(`${name}, whole`, differs(one.byNode, outcomeText(outcome)))
    const sync = policy
      ? entry.evaluatePolicySync?.(policy, facts)
      : entry.evaluatePipelineSync?.(policies, facts)
    if (sync) check(`${name}, sync`, differs(one.byNode, outcomeText(sync)))
  }
  check('policy with a misspelt field', differs(misspelt.problem, problemOf(entry.parsePolicy)))
}

export function readTrust(
  { anchorsPem, intermediatesPem, issuerAcl }: TrustData,
  { library, acl }: TrustEntries,
): Pick<policyEntry.Trust, 'trustAnchors' | 'intermediates' | 'issuerAcl'> {
  return {
    trustAnchors: library.parseTrustAnchors(anchorsPem),
    intermediates: intermediatesPem,
    issuerAcl: acl.parseIssuerAcl(issuerAcl),
  }
}

export function codeOf(outcome: policyEntry.Outcome): string {
  return outcome.allowed ? 'allowed' : outcome.code
}

/** What an outcome says, as a text to compare. */
export function outcomeText(outcome: policyEntry.Outcome): string {
  const { allowed, validFrom, validUntil, verdict, trace } = outcome
  const steps = trace.map(({ verdict: judged, failure, ...step }) => {
    const isVerified = judged?.ok === true && judged.verified
    return { ...step, code: failure?.code, isVerified }
  })
  const said = allowed
    ? { identity: outcome.identity }
    : { status: outcome.status, policy: outcome.policy, failure: outcome.failure }
  const warnings = verdict?.warnings.map(({ code }) => code)
  // JSON has no infinity.
  const period = `${validFrom} ${validUntil}`
  return JSON.stringify({ allowed, ...said, warnings, period, steps })
}

export function presented(
  client: string | readonly number[] | undefined,
): string | Uint8Array | undefined {
  return client === undefined || typeof client === 'string' ? client : Uint8Array.from(client)
}

const misspelt = {
  document: { type: 'policy-auth-mtls', validateCertificat: true },
  problem: 'policy-invalid validateCertificat unknown-field',
}

function problemOf(parse: typeof policyEntry.parsePolicy): string {
  try {
    return `read as ${JSON.stringify(parse(misspelt.document))}`
  } catch (error) {
    const { code, problems = [] } = error as Partial<policyEntry.PolicyInvalid>
    return [code, ...problems.map(({ path, problem }) => `${path} ${problem}`)].join(' ')
  }
}
