import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { checkExceptions, type Exception, readExceptions } from './exceptions.ts'
import { suites } from './suites/index.ts'

const exception: Exception = { id: 'a', expected: 'accept', actual: 'refuse', reason: 'because' }

describe('exceptions', () => {
  test('a disagreement that is listed is no problem', () => {
    const judged = [{ id: 'a', expected: 'accept', actual: ['refuse', 'refuse'] }]
    expect(checkExceptions(judged, [exception])).toEqual([])
  })

  test('one driver that disagrees alone is a disagreement', () => {
    const judged = [{ id: 'a', expected: 'accept', actual: ['accept', 'refuse'] }]
    expect(checkExceptions(judged, []).map(({ code }) => code)).toEqual(['disagrees'])
    expect(checkExceptions(judged, [exception])).toEqual([])
  })

  test('an exception that starts to pass is a problem', () => {
    const judged = [{ id: 'a', expected: 'accept', actual: ['accept'] }]
    expect(checkExceptions(judged, [exception]).map(({ code }) => code)).toEqual([
      'exception-passes',
    ])
  })

  test('an exception with another answer or another expectation is a problem', () => {
    for (const [expected, actual] of [
      ['accept', '["x"]'],
      ['["x"]', 'refuse'],
    ] as const) {
      const judged = [{ id: 'a', expected, actual: [actual] }]
      const problems = checkExceptions(judged, [exception])
      expect(problems.map(({ code }) => code)).toEqual(['exception-differs'])
    }
  })

  test('an exception whose case was not judged proves nothing', () => {
    expect(checkExceptions([], [exception])).toEqual([])
  })
})

describe('files of exceptions', () => {
  const folder = mkdtempSync(join(tmpdir(), 'exceptions-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const read = (content: unknown): readonly Exception[] => {
    const file = join(folder, 'exceptions.json')
    writeFileSync(file, JSON.stringify(content))
    return readExceptions(pathToFileURL(file))
  }

  test('a suite without a file has none', () => {
    expect(readExceptions(pathToFileURL(join(folder, 'missing.json')))).toEqual([])
  })

  test('an entry without a reason, or an id twice, is refused', () => {
    expect(read([exception])).toEqual([exception])
    expect(() => read([{ ...exception, reason: '' }])).toThrow('incomplete')
    expect(() => read([exception, exception])).toThrow('twice')
  })
})

/** What may be accepted although a suite refuses it; anything else would be a wrong yes. */
const acceptable = new Map<string, readonly string[]>([
  ['signed-data', ['rsa-pss-sha256-using-pss-key-with-params']],
  ['verify-chain', ['root-lacks-basic-constraints/ta-with-constraints']],
  // The row subject-alt-name-not-critical of the relaxation table.
  ['parse-certificate', ['certificate/subject_blank_subjectaltname_not_critical']],
])

describe('the exceptions of this repository', () => {
  const fixtures = new URL('../../fixtures/', import.meta.url)
  const names = readdirSync(fixtures).filter((name) => suites.some((suite) => suite.name === name))

  test.each(names)('%s: none accepts what the suite refuses, save what is named here', (name) => {
    const exceptions = readExceptions(new URL(`${name}/exceptions.json`, fixtures))
    const accepting = exceptions.filter(
      ({ expected, actual }) => expected === 'refuse' && actual !== 'refuse',
    )
    for (const { id } of accepting) {
      // webpki::* are rules of the CA/Browser Forum for public servers, each listed with what the RFC says instead.
      if (name === 'limbo' && id.startsWith('webpki::')) continue
      expect(acceptable.get(name) ?? []).toContain(id)
    }
  })
})
