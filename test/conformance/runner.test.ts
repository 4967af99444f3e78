import { describe, expect, test } from 'vitest'
import type { Corpus } from './corpus.ts'
import type { Driver, DriverName } from './drivers.ts'
import type { Exception } from './exceptions.ts'
import { type Report, runSuite } from './runner.ts'
import { answered, type Case, compared, type Profile, type Suite, skipped } from './suite.ts'
import { jsonLine, table } from './table.ts'

const drivers = { sync: { name: 'sync' }, async: { name: 'async' } } as unknown as Readonly<
  Record<DriverName, Driver>
>

function suiteOf(cases: readonly Case[], profiles: readonly [Profile, ...Profile[]]): Suite {
  return {
    name: 'example',
    file: 'example.json',
    drivers: ['sync', 'async'],
    profiles,
    recognises: () => true,
    read: () => cases,
  }
}

function run(
  cases: readonly Case[],
  exceptions: readonly Exception[] = [],
  profiles: readonly [Profile, ...Profile[]] = ['interoperable'],
): Promise<Report> {
  const corpus: Corpus = { cases: cases.map(({ id }) => ({ id })) }
  return runSuite(suiteOf(cases, profiles), corpus, {
    drivers,
    exceptions,
    isRelaxed: (_, code) => code === 'pedantry',
  })
}

const good: Case = { id: 'good', run: () => answered(true, true) }
const bad: Case = { id: 'bad', run: () => answered(false, true) }

describe('the runner', () => {
  test('a case agrees only if it does under both drivers', async () => {
    const half: Case = { id: 'half', run: ({ name }) => answered(true, name === 'sync') }
    const report = await run([good, bad, half])
    expect(report).toMatchObject({ agree: 1, disagree: ['bad', 'half'], skipped: [] })
    expect(report.problems.map(({ id }) => id)).toEqual(['bad', 'half'])
  })

  test('a case that one driver cannot judge is judged by the other', async () => {
    const dsa: Case = {
      id: 'dsa',
      run: ({ name }) => (name === 'sync' ? answered(true, true) : skipped('DSA')),
    }
    const wrong: Case = {
      ...bad,
      id: 'wrong',
      run: ({ name }) => (name === 'sync' ? answered(false, true) : skipped('DSA')),
    }
    const none: Case = { id: 'none', run: () => skipped('needs revocation') }
    const report = await run([dsa, wrong, none])
    expect(report).toMatchObject({ agree: 1, disagree: ['wrong'], skipped: ['none'] })
  })

  test('a local choice is run and reported but not counted', async () => {
    const report = await run([{ ...bad, localChoice: true }])
    expect(report).toMatchObject({ agree: 0, disagree: [], skipped: ['bad'], problems: [] })
    expect(report.localChoices).toEqual(['bad: accept'])
  })

  test('values are compared, not only whether there are some', async () => {
    const report = await run([{ id: 'set', run: () => compared(['1.2'], ['1.3']) }])
    expect(report.disagree).toEqual(['set'])
  })

  test('a listed exception disagrees without being a problem', async () => {
    const exception = { id: 'bad', expected: 'refuse', actual: 'accept', reason: 'because' }
    const report = await run([bad], [exception])
    expect(report).toMatchObject({ disagree: ['bad'], problems: [] })
  })

  test('a suite that loses a case fails', async () => {
    const suite = suiteOf([], ['interoperable'])
    const settings = { drivers, exceptions: [], isRelaxed: () => false }
    await expect(runSuite(suite, { cases: [{ id: 'a' }] }, settings)).rejects.toThrow('lost')
  })
})

describe('a suite of two profiles', () => {
  const by = (id: string, strict: boolean, loose: boolean, code?: string): Case => ({
    id,
    run: (_, profile) =>
      profile === 'rfc5280' ? answered(strict, strict, code) : answered(strict, loose),
  })
  const both: readonly [Profile, ...Profile[]] = ['rfc5280', 'interoperable']

  test('only what the relaxation table explains may differ, and only towards acceptance', async () => {
    const cases = [
      by('relaxed', false, true, 'pedantry'),
      by('loosened', false, true, 'certificate-expired'),
      by('tightened', true, false),
      by('same', false, false, 'certificate-expired'),
    ]
    const report = await run(cases, [], both)
    expect(report).toMatchObject({
      agree: 4,
      disagree: [],
      second: {
        profile: 'interoperable',
        relaxed: ['relaxed'],
        unexplained: ['loosened', 'tightened'],
      },
    })
    expect(report.problems.map(({ id }) => id)).toEqual(['loosened', 'tightened'])
  })

  test('what disagrees is counted under the first profile alone', async () => {
    const report = await run([by('relaxed', false, true, 'pedantry')], [], both)
    expect(JSON.parse(jsonLine('f', report))).toMatchObject({
      agree: 1,
      disagree: [],
      default: { relaxed: ['relaxed'], disagree: [] },
    })
  })
})

describe('results as text', () => {
  test('the line of JSON has its keys in their order', async () => {
    const report = await run([good, bad])
    const line = JSON.parse(jsonLine('some.json', report)) as object
    expect(Object.keys(line).slice(0, 6)).toEqual([
      'file',
      'cases',
      'agree',
      'disagree',
      'skipped',
      'seconds',
    ])
    expect(line).toMatchObject({ file: 'some.json', cases: 2, agree: 1, disagree: ['bad'] })
  })

  test('the table has a row for each driver and each profile', async () => {
    const report = await run([good], [], ['rfc5280', 'interoperable'])
    const rows = table([report]).split('\n')
    expect(rows[0]).toMatch(/^suite +driver +cases +agree +exceptions +skipped +seconds$/)
    expect(rows.slice(1).map((row) => row.slice(0, 32).trim().split(/ {2,}/))).toEqual([
      ['example (rfc5280)', 'sync'],
      ['example (rfc5280)', 'async'],
      ['example (interoperable)', 'sync'],
      ['example (interoperable)', 'async'],
    ])
  })
})
