import { describe, expect, test } from 'vitest'
import { describeFailure } from '../../src/explain.ts'
import type { StatusProblem } from '../../src/index.ts'
import { statusProblems } from './status-problems.ts'

const message = (...problems: readonly StatusProblem[]) =>
  describeFailure({ code: 'revocation-unknown', statuses: [], index: 0, problems }).message

describe('why a status is not known, in words', () => {
  test.each(Object.entries(statusProblems))('%s', (_, [problem, ...words]) => {
    const text = message(problem)
    for (const word of words) expect(text).toContain(word)
    expect(text).not.toMatch(/undefined|NaN|\[object|\n|\.$/)
  })

  test.each([
    'distribution-point',
    'crl-issuer',
    'indirect',
    'user-certificates',
    'ca-certificates',
    'attribute-certificates',
    'reasons',
  ] as const)('a list out of scope: %s', (of) => {
    expect(message({ code: 'crl-out-of-scope', of })).toMatch(/the CRL is for \w+/)
  })

  test('all of them, in their order', () => {
    expect(message({ code: 'ocsp-missing' }, { code: 'crl-signer-unknown' })).toMatch(
      /there is no OCSP response about it; nobody with a path/,
    )
  })
})
