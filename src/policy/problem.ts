/** What is wrong with a document, each field named by its path. @module */

/** `path` is such as `policy.validateCertificate` or `requestPolicyList[2].order`; empty: the document itself. */
export interface PolicyProblem {
  readonly path: string
  readonly problem: 'missing' | 'unknown-field' | 'invalid' | 'conflict' | 'not-unique'
  /** What should stand there, for people. */
  readonly expected: string
}

/** A `TypeError` with `code: 'policy-invalid'` and every problem that was found. */
export interface PolicyInvalid extends TypeError {
  readonly code: 'policy-invalid'
  readonly problems: readonly PolicyProblem[]
}

export function policyInvalid(problems: readonly PolicyProblem[]): PolicyInvalid {
  const lines = problems.map(
    ({ path, expected }) => `${path === '' ? 'policy' : path}: ${expected}`,
  )
  return Object.assign(new TypeError(lines.join('; ')), {
    code: 'policy-invalid' as const,
    problems,
  })
}
