import { describe, expect, test } from 'vitest'
import {
  describeFailure,
  describePolicyFailure,
  type Failure,
  failureCodes,
  policyFailureCodes,
  relaxations,
} from '../../src/explain.ts'
import type { PolicyFailure } from '../../src/policy.ts'
import { readPage, rowsOf, sectionOf } from './markdown.ts'

const readme = readPage('README.md')
const checked = rowsOf(sectionOf(readme, '## What is checked'))
const relaxed = rowsOf(sectionOf(readme, '### What the default profile lets pass'))

describe('tables of the README', () => {
  test('what is checked: every failure code once, but those of the relaxation table', () => {
    const codes = checked.map(([code]) => code)
    expect(codes).toEqual([...new Set(codes)])
    expect(codes.toSorted()).toEqual(
      failureCodes()
        .filter((code) => !Object.hasOwn(relaxations, code))
        .toSorted(),
    )
  })

  test.each(checked)('%s has the source that the registry has', (code, source) => {
    expect(source).toBe(sourceOf(code as string))
  })

  test('the default profile: every relaxation with rule, section and reason', () => {
    expect(relaxed).toEqual(
      Object.entries(relaxations).map(([code, { rule, source, because }]) => [
        code,
        source,
        rule,
        because,
      ]),
    )
  })

  test('a relaxation is a failure code under profile rfc5280, save those that have another', () => {
    const codes: readonly string[] = failureCodes()
    for (const [code, { refusedWith }] of Object.entries(relaxations)) {
      expect(codes.includes(code), code).toBe(refusedWith === undefined)
      expect(codes).toContain(refusedWith ?? code)
    }
  })
})

describe('codes of requests', () => {
  const rows = rowsOf(sectionOf(readme, '### Codes of requests'))
  const certificates: readonly string[] = failureCodes()

  test('every one, once', () => {
    const codes = policyFailureCodes().filter((code) => !certificates.includes(code))
    expect(rows.map(([code]) => code)).toEqual(codes)
  })
  test.each(rows)('%s has the source that the registry has', (code, source) => {
    const failure = {
      code,
      because: 'address',
      header: 'x',
      other: 'y',
    } as unknown as PolicyFailure
    expect(describePolicyFailure(failure).source).toBe(source)
  })
})

/** Facts are made up: only the words need them. */
function sourceOf(code: string): string {
  const some = { rdns: [], name: 'ECDSA' }
  const facts: Readonly<Record<string, unknown>> = { code, scheme: some, issuer: some }
  const lists = { wanted: [], purposes: [], expected: [], present: [], subtrees: [] }
  const rest = { index: 0, time: 0, notBefore: 0, notAfter: 0, exponent: Uint8Array.of(1) }
  const others = { subject: some, entry: {}, kind: 'private-key' }
  const status = { problems: [], revocationDate: 0, evidence: { by: 'crl', thisUpdate: 0 } }
  return describeFailure({
    ...lists,
    ...rest,
    ...others,
    ...status,
    ...facts,
  } as unknown as Failure).source
}
