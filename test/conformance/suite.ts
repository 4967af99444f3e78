/** What a suite is to the runner: a schema that it recognises, and cases that run under a driver. @module */
import type { Corpus } from './corpus.ts'
import type { Driver, DriverName, Verified } from './drivers.ts'

export type Profile = 'rfc5280' | 'interoperable'

export interface Suite {
  /** The name of its folder in fixtures/ and of its row in the table. */
  readonly name: string
  /** The name that its corpus usually has, in the folder of the corpora. */
  readonly file: string
  /** The drivers under which it runs; one whose cases ask for no signature runs once. */
  readonly drivers: readonly DriverName[]
  /** The first profile counts; under another one only the differences matter. */
  readonly profiles: readonly [Profile, ...Profile[]]
  /** Tells by its keys whether `corpus` has this suite's schema. */
  recognises(corpus: Corpus): boolean
  /** The cases in the order of the file. */
  read(corpus: Corpus): readonly Case[]
}

export interface Case {
  readonly id: string
  /** True: the RFC leaves both answers open; the case is run and reported but counts as skipped. */
  readonly localChoice?: boolean
  run(driver: Driver, profile: Profile): Outcome | Promise<Outcome>
}

export type Outcome =
  | {
      readonly kind: 'answered'
      /** What the suite wants and what we said, as texts to compare and to list; equal texts agree. */
      readonly expected: string
      readonly actual: string
      /** Our failure code, when we refused. */
      readonly code?: string | undefined
      /** What was left out of the comparison. */
      readonly note?: string | undefined
    }
  | { readonly kind: 'skipped'; readonly reason: string }

export const bothDrivers: readonly DriverName[] = ['sync', 'async']

export function skipped(reason: string): Outcome {
  return { kind: 'skipped', reason }
}

/** Compares two accept-or-refuse answers. */
export function answered(expected: boolean, actual: boolean, code?: string): Outcome {
  return { kind: 'answered', expected: word(expected), actual: word(actual), code }
}

/** Compares two values by their JSON; keys in the order in which the caller wrote them. */
export function compared(expected: unknown, actual: unknown, code?: string): Outcome {
  return {
    kind: 'answered',
    expected: JSON.stringify(expected),
    actual: JSON.stringify(actual),
    code,
  }
}

export function word(accepted: boolean): string {
  return accepted ? 'accept' : 'refuse'
}

/** Compares the policies of a path that both sides accept, as sets. */
export function comparedPolicies(expected: readonly string[], verdict: Verified): Outcome {
  const { userConstrainedPolicySet } = verdict.policies
  return compared([...expected].sort(), [...userConstrainedPolicySet].sort())
}
