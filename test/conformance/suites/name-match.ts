/** Comparing distinguished names: RFC 5280 §7.1. @module */
import type { Result } from '../../../src/base/result.ts'
import { DerReader } from '../../../src/der/reader.ts'
import type { ParseFailure } from '../../../src/x509/failure.ts'
import type { Name } from '../../../src/x509/name.ts'
import { nameKey, namesMatch } from '../../../src/x509/name-match.ts'
import { reading } from '../../../src/x509/parse-certificate.ts'
import { readName } from '../../../src/x509/parse-name.ts'
import { bytesOf } from '../inputs.ts'
import { answered, type Case, type Suite } from '../suite.ts'

interface NameCase {
  readonly id: string
  readonly op: 'match' | 'in-subtree' | 'normalize' | 'normalizes-to'
  /** Keys of `names`. */
  readonly a: string
  readonly b: string
  readonly expected: boolean
}

export const nameMatch: Suite = {
  name: 'name-match',
  file: 'name-match.json',
  drivers: ['sync'],
  profiles: ['interoperable'],
  recognises: ({ names, constraints, cases }) =>
    names !== undefined && constraints === undefined && cases?.[0]?.b !== undefined,
  read: ({ names, cases }) =>
    (cases as unknown as readonly NameCase[]).map((one) =>
      readCase(one, names as Readonly<Record<string, string>>),
    ),
}

function readCase(one: NameCase, names: Readonly<Record<string, string>>): Case {
  return {
    id: one.id,
    run() {
      const a = parseName(bytesOf(names[one.a]))
      const b = parseName(bytesOf(names[one.b]))
      // A name that cannot be read has no form to compare.
      if (!a.ok) return answered(one.expected, false, a.failure.code)
      if (!b.ok) return answered(one.expected, false, b.failure.code)
      return answered(one.expected, questions[one.op](a.value, b.value))
    },
  }
}

const questions: Readonly<Record<NameCase['op'], (a: Name, b: Name) => boolean>> = {
  match: namesMatch,
  'in-subtree': (a, b) => nameKey(a).startsWith(nameKey(b)),
  normalize: () => true,
  // The suite's form (UTF8String, ASCII in lower case) is its own; what counts here is that ours is the same for both.
  'normalizes-to': (a, b) => nameKey(a) === nameKey(b),
}

/** Reads one whole Name. */
export function parseName(der: Uint8Array): Result<Name, ParseFailure> {
  return reading(() => {
    const reader = new DerReader(der)
    const name = readName(reader, 'a name')
    reader.finish()
    return name
  })
}
