/** Runs the cases of one corpus under its profiles and drivers and sums up what came out. @module */
import { type Corpus, casesOf } from './corpus.ts'
import type { Driver, DriverName } from './drivers.ts'
import { checkExceptions, type Exception, type Judged, type Problem } from './exceptions.ts'
import type { Case, Outcome, Profile, Suite } from './suite.ts'

/** One pass over all cases: one row of the table. */
export interface Pass {
  readonly profile: Profile
  readonly driver: DriverName
  /** One a case, in the order of the file. */
  readonly outcomes: readonly Outcome[]
  readonly seconds: number
}

export interface Report {
  readonly suite: Suite
  readonly cases: readonly Case[]
  readonly passes: readonly Pass[]
  /** Under the profile that counts; `agree`, `disagree` and `skipped` add up to all cases. */
  readonly agree: number
  readonly disagree: readonly string[]
  readonly skipped: readonly string[]
  /** Cases that either answer passes, with ours. */
  readonly localChoices: readonly string[]
  /** What a suite has to say about cases that it could not compare in full. */
  readonly notes: readonly string[]
  /** Under the other profile, where the suite has one. */
  readonly second?: SecondProfile
  /** What is not as the exceptions and the relaxation table say; empty means success. */
  readonly problems: readonly Problem[]
  readonly seconds: number
}

/** How the answers under the second profile differ from those under the first. */
export interface SecondProfile {
  readonly profile: Profile
  /** Differences that the relaxation table explains. */
  readonly relaxed: readonly string[]
  /** Differences that it does not. */
  readonly unexplained: readonly string[]
}

/** Whether the relaxation table has a row for a case that is refused with `code` under `rfc5280`. */
export type IsRelaxed = (id: string, code: string | undefined) => boolean

export interface RunSettings {
  readonly drivers: Readonly<Record<DriverName, Driver>>
  readonly exceptions: readonly Exception[]
  readonly isRelaxed: IsRelaxed
  /** Called after every case with the number of cases done in this pass. */
  readonly onProgress?: (profile: Profile, driver: DriverName, done: number, of: number) => void
}

export async function runSuite(
  suite: Suite,
  corpus: Corpus,
  settings: RunSettings,
): Promise<Report> {
  const cases = suite.read(corpus)
  if (cases.length !== casesOf(corpus).length) throw new Error(`${suite.name}: a case was lost`)
  const passes: Pass[] = []
  for (const profile of suite.profiles) {
    for (const driver of suite.drivers) passes.push(await pass(cases, profile, driver, settings))
  }
  return { suite, cases, passes, ...sumUp(suite, cases, passes, settings) }
}

async function pass(
  cases: readonly Case[],
  profile: Profile,
  name: DriverName,
  { drivers, onProgress }: RunSettings,
): Promise<Pass> {
  const begin = performance.now()
  const outcomes: Outcome[] = []
  for (const one of cases) {
    outcomes.push(await outcomeOf(one, drivers[name], profile))
    onProgress?.(profile, name, outcomes.length, cases.length)
  }
  return { profile, driver: name, outcomes, seconds: (performance.now() - begin) / 1000 }
}

/** Whatever a case throws is a wrong answer to that case, and no reason to leave out the others. */
async function outcomeOf(one: Case, driver: Driver, profile: Profile): Promise<Outcome> {
  try {
    return await one.run(driver, profile)
  } catch (error) {
    return { kind: 'answered', expected: 'an answer', actual: `threw ${error}` }
  }
}

function sumUp(
  suite: Suite,
  cases: readonly Case[],
  passes: readonly Pass[],
  { exceptions, isRelaxed }: RunSettings,
): Omit<Report, 'suite' | 'cases' | 'passes'> {
  const [counts, ...others] = suite.profiles
  const judged: Judged[] = []
  const disagree: string[] = []
  const skipped: string[] = []
  const localChoices: string[] = []
  const notes: string[] = []
  for (const [position, one] of cases.entries()) {
    const answers = answersOf(passes, counts, position)
    const [first] = answers
    if (first?.note !== undefined) notes.push(`${one.id}: ${first.note}`)
    if (first === undefined) skipped.push(one.id)
    else if (one.localChoice) {
      skipped.push(one.id)
      localChoices.push(`${one.id}: ${[...new Set(answers.map(({ actual }) => actual))]}`)
    } else {
      const actual = answers.map((answer) => answer.actual)
      judged.push({ id: one.id, expected: first.expected, actual })
      if (actual.some((text) => text !== first.expected)) disagree.push(one.id)
    }
  }
  const problems = [...checkExceptions(judged, exceptions)]
  let second: SecondProfile | undefined
  for (const profile of others) {
    second = compareProfiles(profile, cases, passes, counts, isRelaxed)
    for (const id of second.unexplained) {
      problems.push({ code: 'disagrees', id, text: `only under ${profile}, and no relaxation` })
    }
  }
  return {
    agree: judged.length - disagree.length,
    disagree,
    skipped,
    localChoices,
    notes,
    ...(second ? { second } : {}),
    problems,
    seconds: passes.reduce((sum, { seconds }) => sum + seconds, 0),
  }
}

type Answer = Extract<Outcome, { kind: 'answered' }>

function answersOf(passes: readonly Pass[], profile: Profile, position: number): Answer[] {
  return passes
    .filter((one) => one.profile === profile)
    .map(({ outcomes }) => outcomes[position])
    .filter((outcome) => outcome?.kind === 'answered')
}

/** A relaxation turns a refusal into an acceptance, for a reason that its row names; nothing else may differ. */
function compareProfiles(
  profile: Profile,
  cases: readonly Case[],
  passes: readonly Pass[],
  counts: Profile,
  isRelaxed: IsRelaxed,
): SecondProfile {
  const relaxed: string[] = []
  const unexplained: string[] = []
  for (const [position, { id }] of cases.entries()) {
    const strict = answersOf(passes, counts, position)
    const loose = answersOf(passes, profile, position)
    const same = strict.every(({ actual }, driver) => actual === loose[driver]?.actual)
    if (same && strict.length === loose.length) continue
    const accepts = loose.every(({ actual }) => actual === 'accept')
    const explained = strict.every(({ code }) => isRelaxed(id, code))
    ;(accepts && explained ? relaxed : unexplained).push(id)
  }
  return { profile, relaxed, unexplained }
}
