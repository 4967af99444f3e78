import { parseCrls } from '../../src/revocation/crls.ts'
import { parseTrustAnchors, type Verdict, validateClientCertificateSync } from '../../src/sync.ts'
import { testTime } from '../../src/testing/index.ts'

export const hour = 3_600
export const day = 24 * hour
export const week = 7 * day

/** What the test PKI writes when a test does not say otherwise. */
export const thisUpdate: number = testTime - hour
export const nextUpdate: number = thisUpdate + week

export interface Bytes {
  readonly der: Uint8Array
}

export interface Given {
  /** What the client sends after its certificate. */
  readonly sent?: readonly Bytes[]
  /** What is known besides. */
  readonly known?: readonly Bytes[]
  /** Fields of the option `revocation`. */
  readonly rule?: object
  /** Other options. */
  readonly options?: object
  /** Seconds after the clock of the test PKI. */
  readonly later?: number
}

/** Decides about `client` under `anchor`, by `lists` alone. */
export function judge(
  client: Bytes,
  anchor: { readonly pem: string },
  lists: readonly Bytes[],
  { sent = [], known = [], rule = {}, options = {}, later = 0 }: Given = {},
): Verdict {
  return validateClientCertificateSync([client.der, ...sent.map(({ der }) => der)], {
    trustAnchors: parseTrustAnchors(anchor.pem),
    ...(known.length === 0 ? {} : { intermediates: known.map(({ der }) => der) }),
    time: new Date((testTime + later) * 1000),
    revocation: { mode: 'crl', crls: parseCrls(lists.map(({ der }) => der)), ...rule },
    ...options,
  })
}

/** `good`; `unknown`, which the rule let pass; or the failure: `revoked`, or why nothing counted. With positions, but that of the target. */
export function outcomeOf(verdict: Verdict): string {
  if (verdict.ok) {
    if (!verdict.verified) return 'not verified'
    const unknown = verdict.revocation.some(({ status }) => status === 'unknown')
    return unknown ? 'unknown' : 'good'
  }
  const { failure } = verdict
  const at = 'index' in failure && failure.index !== 0 ? ` at ${failure.index}` : ''
  if (failure.code === 'certificate-revoked') return `revoked${at}`
  if (failure.code !== 'revocation-unknown') return failure.code
  const problems = failure.problems.map((problem) => {
    if (problem.code === 'crl-out-of-scope') return `${problem.code}:${problem.of}`
    if (problem.code === 'crl-signature') return `${problem.code}:${problem.failure.code}`
    return problem.code
  })
  return problems.join(' ') + at
}

export function outcome(...args: Parameters<typeof judge>): string {
  return outcomeOf(judge(...args))
}
