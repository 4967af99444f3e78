/** JSON that says one thing twice, goes too deep or has too many parts is found before it is parsed: RFC 8259 §4 and §9. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jsonFault, maxDepth, maxValues } from '../../../src/management/rest/json.ts'

describe('a name that comes twice', () => {
  test.each([
    ['{"a":1,"a":2}', 'a'],
    ['{"a":1,"\\u0061":2}', 'a'],
    ['{"a\\/b":1,"a/b":2}', 'a/b'],
    ['{ "a" : 1 , "b" : { } , "a" : 1 }', 'a'],
    ['{"":1,"":1}', ''],
    ['{"__proto__":1,"__proto__":1}', '__proto__'],
    ['{"\\"":1,"\\"":1}', '"'],
    ['{"\\\\":1,"\\\\":1}', '\\'],
    ['{"a":{"b":[0,{"c":1},{"c":1,"d":2,"c":3}]}}', 'a.b[2].c'],
    ['[{"a":{}},{"a":"}","a":1}]', '[1].a'],
    ['{"a":"\\\\","a":1}', 'a'],
    ['{"a":"\\\\\\"","a":1}', 'a'],
    [
      '{"policy":{"validateCertificate":true,"validateCertificate":false}}',
      'policy.validateCertificate',
    ],
  ])('in %s is found, with its path', (text, path) => {
    JSON.parse(text)
    expect(jsonFault(text)).toEqual({ code: 'duplicate-key', path })
  })

  test.each([
    '{"a":1,"A":2}',
    '{"a":{"a":{"a":[]}}}',
    '[{"a":1},{"a":1}]',
    '{"a":"a","b":"a"}',
    '{"a":["a","a"],"b":1}',
    '{"a":"\\",\\"a\\":","b":1}',
    '{"\\u00e9":1,"e\\u0301":2}',
    '[]',
    '"{\\"a\\":1,\\"a\\":1}"',
    'null',
  ])('is none in %s', (text) => {
    JSON.parse(text)
    expect(jsonFault(text)).toBeUndefined()
  })

  /** JSON as a tree that may say the same twice, with its text in any spelling. */
  const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      fc.oneof(fc.integer(), fc.constantFrom(null, true, false), text()).map(leaf),
      fc.array(tie('tree'), { maxLength: 4 }).map(listOf),
      fc.array(fc.tuple(text(), tie('tree')), { maxLength: 4 }).map(objectOf),
    ),
  }))

  test('is found where there is one, and nowhere else', () => {
    let found = 0
    fc.assert(
      fc.property(tree, fc.infiniteStream(fc.nat(7)), ({ write, repeats }, choices) => {
        const json = write(choices)
        JSON.parse(json)
        const fault = jsonFault(json)
        expect(fault?.code).toBe(repeats ? 'duplicate-key' : undefined)
        if (repeats) found++
      }),
      { numRuns: 2000 },
    )
    expect(found).toBeGreaterThan(50)
  })

  test('whatever JSON.stringify writes has none', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        expect(jsonFault(JSON.stringify(value))).toBeUndefined()
        expect(jsonFault(JSON.stringify(value, null, '\t'))).toBeUndefined()
      }),
    )
  })

  test('no text at all makes it throw', () => {
    const part = fc.constantFrom('{', '}', '[', ']', '"', ',', ':', '\\', 'a', '\\u00', ' ')
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
        jsonFault(parts.join(''))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('how deep and how many', () => {
  test.each([
    ['[', ']', maxDepth, undefined],
    ['[', ']', maxDepth + 1, 'too-deep'],
    ['{"a":', '}', maxDepth + 1, 'too-deep'],
  ] as const)('%s%s within itself', (opening, closing, depth, code) => {
    const text = `${opening.repeat(depth)}${opening === '[' ? '' : '1'}${closing.repeat(depth)}`
    JSON.parse(text)
    expect(jsonFault(text)?.code).toBe(code)
  })

  test('closed ones do not count', () => {
    expect(jsonFault(`[${'[],'.repeat(1000)}[]]`)).toBeUndefined()
  })

  test('values are counted', () => {
    expect(jsonFault(`[${'0,'.repeat(maxValues - 1)}0]`)).toBeUndefined()
    expect(jsonFault(`[${'0,'.repeat(maxValues)}0]`)?.code).toBe('too-many-values')
  })

  test.each([
    ['opening brackets', '['],
    ['empty lists', '[],'],
    ['quotation marks', '"'],
    ['backslashes', '\\'],
    ['escaped quotation marks', '\\"'],
    ['names', '"a":'],
    ['blanks', ' '],
  ])('32 MiB of %s are read once', (_what, part) => {
    const text = `["${part.repeat(33_554_432 / part.length)}`
    const start = performance.now()
    jsonFault(text)
    jsonFault(text.replace('"', ''))
    // Some tenths of a second; what is quadratic would take hours.
    expect(performance.now() - start).toBeLessThan(10_000)
  })
})

interface Tree {
  readonly write: (choices: Iterator<number>) => string
  readonly repeats: boolean
}

function text(): fc.Arbitrary<string> {
  return fc.oneof(fc.constantFrom('a', 'b', '"', '\\', '', '\\u0061', '}', ','), fc.string())
}

function leaf(value: unknown): Tree {
  return {
    write: (choices) =>
      typeof value === 'string' ? spelled(value, choices) : JSON.stringify(value),
    repeats: false,
  }
}

function listOf(items: readonly Tree[]): Tree {
  return {
    write: (choices) => `[${items.map((one) => blank(choices) + one.write(choices)).join(',')}]`,
    repeats: items.some(({ repeats }) => repeats),
  }
}

function objectOf(entries: readonly (readonly [string, Tree])[]): Tree {
  const names = new Set(entries.map(([name]) => name))
  return {
    write: (choices) => {
      const members = entries.map(
        ([name, value]) =>
          `${blank(choices)}${spelled(name, choices)}${blank(choices)}:${value.write(choices)}`,
      )
      return `{${members.join(',')}${blank(choices)}}`
    },
    repeats: names.size < entries.length || entries.some(([, { repeats }]) => repeats),
  }
}

/** Any unit may be escaped, whether it must or not. */
function spelled(value: string, choices: Iterator<number>): string {
  const units = [...Array(value.length).keys()].map((index) => {
    const unit = value.charCodeAt(index)
    const escaped = `\\u${unit.toString(16).padStart(4, '0')}`
    return choose(choices) === 0 ? escaped : JSON.stringify(value[index]).slice(1, -1)
  })
  return `"${units.join('')}"`
}

function blank(choices: Iterator<number>): string {
  return ['', '', '', '', ' ', '\n', '\t', '\r'][choose(choices)] ?? ''
}

function choose(choices: Iterator<number>): number {
  return choices.next().value as number
}
