import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex } from '../../src/base/hex.ts'
import { writeElement, writeSequence } from '../../src/der/writer.ts'
import {
  applyNameConstraints,
  checkNameConstraints,
  initialNameConstraints,
  type NameConstraintFailure,
  type NameConstraintsState,
} from '../../src/path/name-constraints.ts'
import type { Profile } from '../../src/path/profile.ts'
import type { Certificate } from '../../src/x509/certificate.ts'
import type { GeneralName } from '../../src/x509/general-name.ts'
import type { Name } from '../../src/x509/name.ts'
import { makeName, parseNameText } from '../../src/x509/name-text.ts'
import { certificateOf } from './certificate-of.ts'

const dns = (value: string): GeneralName => ({ kind: 'dNSName', value })
const mail = (value: string): GeneralName => ({ kind: 'rfc822Name', value })
const uri = (value: string): GeneralName => ({ kind: 'uniformResourceIdentifier', value })
const ip = (hex: string): GeneralName => ({ kind: 'iPAddress', octets: fromHex(hex) as Uint8Array })
const directory = (text: string): GeneralName => ({ kind: 'directoryName', name: name(text) })
const upn: GeneralName = {
  kind: 'otherName',
  typeId: '1.3.6.1.4.1.311.20.2.3',
  value: writeElement(12),
}
const smtpUtf8 = (text: string, tag = 12): GeneralName => ({
  kind: 'otherName',
  typeId: '1.3.6.1.5.5.7.8.9',
  value: writeElement(tag, new TextEncoder().encode(text)),
})

function name(text: string): Name {
  const result = parseNameText(text)
  if (!result.ok) throw new Error(text)
  return result.value
}

interface Subtrees {
  readonly permitted?: readonly GeneralName[]
  readonly excluded?: readonly GeneralName[]
}

function apply(
  state: NameConstraintsState,
  { permitted, excluded }: Subtrees,
  profile: Profile = 'interoperable',
): NameConstraintFailure | undefined {
  const constraints = {
    permittedSubtrees: permitted?.map((base) => ({ base })),
    excludedSubtrees: excluded?.map((base) => ({ base })),
  }
  return applyNameConstraints(state, constraints, profile)
}

function under(...all: readonly Subtrees[]): NameConstraintsState {
  const state = initialNameConstraints()
  for (const subtrees of all) expect(apply(state, subtrees)).toBeUndefined()
  return state
}

function certificate(names: readonly GeneralName[], subject = ''): Certificate {
  const extensions = names.length === 0 ? {} : { subjectAltName: { names, critical: false } }
  return certificateOf({ subject: name(subject), extensions })
}

const plenty = () => ({ nameComparisons: 1_000 })
const check = (state: NameConstraintsState, names: readonly GeneralName[], subject?: string) =>
  checkNameConstraints(state, certificate(names, subject), plenty())

/** The codes under `base` permitted, and under `base` excluded. */
function codes(base: GeneralName, presented: GeneralName) {
  const permitted = check(under({ permitted: [base] }), [presented])?.code
  const excluded = check(under({ excluded: [base] }), [presented])?.code
  return [permitted, excluded]
}
const inside = [undefined, 'name-excluded']
const outside = ['name-not-permitted', undefined]
const nameMalformed = ['name-malformed', 'name-malformed']
const constraintMalformed = ['name-constraint-malformed', 'name-constraint-malformed']

describe('dNSName, RFC 5280 §4.2.1.10', () => {
  test.each([
    ['example.com', 'example.com', inside],
    ['example.com', 'EXAMPLE.com.', inside],
    ['Example.COM.', 'a.b.example.com', inside],
    ['example.com', 'notexample.com', outside],
    ['example.com', 'com', outside],
    ['a.example.com', 'b.example.com', outside],
    ['', 'example.com', inside],
    ['example.com', '', outside],
    ['.example.com', 'a.example.com', inside],
    ['.example.com', 'example.com', outside],
    ['.example.com', '*.example.com', inside],
    ['example.com', '*.example.com', inside],
    ['example.com', '*.a.example.com', inside],
    // A wildcard is permitted when all of it is, and excluded when any of it is: CVE-2025-61727.
    ['a.example.com', '*.example.com', ['name-not-permitted', 'name-excluded']],
    ['com', '*', ['name-not-permitted', 'name-excluded']],
    ['example.com', '*', outside],
    ['a.b.example.com', '*.example.com', outside],
    ['.a.example.com', '*.example.com', outside],
    ['a.example.com', '*b.example.com', outside],
    ['a.example.com', '*.example.org', outside],
    ['*.example.com', 'a.example.com', constraintMalformed],
    ['.', 'example.com', constraintMalformed],
    ['..', 'example.com', constraintMalformed],
    ['exam ple.com', 'example.com', constraintMalformed],
    ['example.com', '.example.com', nameMalformed],
    ['example.com', 'a..example.com', nameMalformed],
    ['example.com', 'a\u0000.example.com', nameMalformed],
  ] as const)('%j holds %j: %s', (base, presented, expected) => {
    expect(codes(dns(base), dns(presented))).toEqual(expected)
  })

  test('under profile rfc5280 a leading period is malformed, under interoperable it means subdomains', () => {
    const leading = { permitted: [dns('.example.com')] }
    expect(apply(initialNameConstraints(), leading, 'rfc5280')).toEqual({
      code: 'name-constraint-malformed',
      form: 'dNSName',
      subtree: '.example.com',
    })
    expect(check(under(leading), [dns('a.example.com')])).toBeUndefined()
  })
})

describe('rfc822Name, RFC 5280 §4.2.1.10', () => {
  test.each([
    ['example.com', 'a@example.com', inside],
    ['example.com', 'a@EXAMPLE.com', inside],
    ['example.com', 'a@b.example.com', outside],
    ['.example.com', 'a@b.c.example.com', inside],
    ['.example.com', 'a@example.com', outside],
    ['a@example.com', 'a@Example.com', inside],
    ['a@example.com', 'A@example.com', outside],
    ['a@example.com', 'a@example.org', outside],
    ['*@example.com', 'a@example.com', outside],
    ['*@example.com', '*@example.com', inside],
    ['', 'a@example.com', ['name-not-permitted', 'name-excluded']],
    ['@example.com', 'a@example.com', constraintMalformed],
    ['a@b@example.com', 'a@example.com', constraintMalformed],
    ['[192.0.2.1]', 'a@example.com', constraintMalformed],
    ['example.com', 'a@b@example.com', nameMalformed],
    ['example.com', 'example.com', nameMalformed],
    ['example.com', '"a"@example.com', nameMalformed],
  ] as const)('%j holds %j: %s', (base, presented, expected) => {
    expect(codes(mail(base), mail(presented))).toEqual(expected)
  })

  test.each([
    ['example.com', 'ü@example.com', 12, inside],
    ['.example.com', 'ü@a.example.com', 12, inside],
    ['example.com', 'ü@example.org', 12, outside],
    ['u@example.com', 'ü@example.com', 12, outside],
    ['example.com', 'u@example.com', 12, nameMalformed],
    ['example.com', 'ü@bücher.example', 12, nameMalformed],
    ['example.com', 'ü@example.com', 22, nameMalformed],
    ['example.com', `${'ü'.repeat(100)}@example.com`, 12, inside],
  ] as const)('SmtpUTF8Mailbox: %j holds %j: %s, RFC 9598 §6', (base, text, tag, expected) => {
    expect(codes(mail(base), smtpUtf8(text, tag))).toEqual(expected)
  })

  test('an SmtpUTF8Mailbox that is no UTF-8 is malformed', () => {
    const value = writeElement(12, Uint8Array.of(0xc3, 0x40))
    const broken: GeneralName = { kind: 'otherName', typeId: '1.3.6.1.5.5.7.8.9', value }
    expect(codes(mail('example.com'), broken)).toEqual(nameMalformed)
  })

  const exampleOnly = { permitted: [mail('example.com')] }
  test.each([
    ['inside', [], 'emailAddress=a@example.com', undefined],
    ['outside', [], 'CN=a,emailAddress=a@example.org', 'name-not-permitted'],
    [
      'the second of two',
      [],
      'emailAddress=a@example.com+emailAddress=a@example.org',
      'name-not-permitted',
    ],
    ['beside another form', [dns('a.example')], 'emailAddress=a@example.org', 'name-not-permitted'],
    [
      'beside an rfc822Name',
      [mail('a@example.com')],
      'emailAddress=a@example.org',
      'name-not-permitted',
    ],
    [
      'beside an SmtpUTF8Mailbox',
      [smtpUtf8('ü@example.com')],
      'emailAddress=a@example.org',
      'name-not-permitted',
    ],
    ['and in the subjectAltName', [mail('a@example.com')], 'emailAddress=a@example.com', undefined],
    [
      'in another string type',
      [],
      'emailAddress=#0c0d61406578616d706c652e636f6d',
      'name-malformed',
    ],
    ['only other attributes', [], 'CN=a@example.org', undefined],
  ])('emailAddress in the subject: %s', (_, names, subject, code) => {
    expect(check(under(exampleOnly), names, subject)?.code).toBe(code)
  })

  test('an excluded mailbox in the subject cannot hide behind case', () => {
    const state = under({ excluded: [mail('foo@example.com')] })
    expect(check(state, [], 'emailAddress=FoO@example.com')?.code).toBe('name-excluded')
    expect(check(state, [], 'emailAddress=FoO@example.org')).toBeUndefined()
    expect(check(state, [], 'emailAddress=bar@example.com')).toBeUndefined()
    expect(check(state, [mail('FoO@example.com')])).toBeUndefined()
    expect(
      check(under({ excluded: [mail('example.org')] }), [], 'emailAddress=a@b.c'),
    ).toBeUndefined()
  })
})

describe('uniformResourceIdentifier, RFC 5280 §4.2.1.10', () => {
  test.each([
    ['example.com', 'https://example.com:443/a', inside],
    ['example.com', 'https://a.example.com/', outside],
    ['.example.com', 'https://a.b.example.com/', inside],
    ['.example.com', 'https://example.com/', outside],
    ['prod.example', 'spiffe://Prod.example/ns/a', inside],
    ['prod.example', 'spiffe://evil.example/prod.example', outside],
    ['prod.example', 'https://prod.example@evil.example/', outside],
    ['example.com', 'mailto:a@example.com', nameMalformed],
    ['example.com', 'https://192.0.2.1/', nameMalformed],
    ['https://example.com', 'https://example.com', constraintMalformed],
    ['', 'https://example.com', ['name-not-permitted', 'name-excluded']],
  ] as const)('%j holds %j: %s', (base, presented, expected) => {
    expect(codes(uri(base), uri(presented))).toEqual(expected)
  })
})

describe('iPAddress, RFC 5280 §4.2.1.10', () => {
  const v6 = `20010db8${'00'.repeat(12)}`
  test.each([
    ['c0000200ffffff00', 'c00002ff', inside],
    ['c0000255ffffff00', 'c0000201', inside], // bits beyond the mask do not count
    ['c0000200ffffff00', 'c0000301', outside],
    ['c0000201ffffffff', 'c0000201', inside],
    ['0000000000000000', 'c0000201', inside],
    ['0000000000000000', v6, outside],
    [`${v6}ffffffff${'00'.repeat(12)}`, `20010db8${'ff'.repeat(12)}`, inside],
    [`${v6}ffffffff80${'00'.repeat(11)}`, `20010db8${'ff'.repeat(12)}`, outside],
    ['c0000200ffffff00', 'c00002', nameMalformed],
  ] as const)('%s holds %s: %s', (base, presented, expected) => {
    expect(codes(ip(base), ip(presented))).toEqual(expected)
  })

  test.each([
    'c0000200ff00ff00',
    'c0000200ffffff01',
    'c000020000000001',
    'c0000200fffffffd',
    'c0000200',
    '000000000000',
  ])('%s is no range, in either profile', (hex) => {
    for (const profile of ['interoperable', 'rfc5280'] as const) {
      for (const subtrees of [{ permitted: [ip(hex)] }, { excluded: [ip(hex)] }]) {
        const failure = apply(initialNameConstraints(), subtrees, profile)
        expect(failure).toMatchObject({ code: 'name-constraint-malformed', form: 'iPAddress' })
      }
    }
  })
})

describe('directoryName, RFC 5280 §4.2.1.10', () => {
  test.each([
    ['O=Example,C=DE', 'CN=a,O= EXAMPLE,C=de', inside],
    ['O=Example,C=DE', 'O=Example,C=DE', inside],
    ['O=Example,C=DE', 'C=DE', outside],
    ['O=Example,C=DE', 'CN=a,O=Example 2,C=DE', outside],
    ['O=Example,C=DE', 'O=Example', outside],
    ['', 'CN=a', inside],
  ] as const)('%j holds %j: %s', (base, presented, expected) => {
    expect(codes(directory(base), directory(presented))).toEqual(expected)
    const subjectCodes = [{ permitted: [directory(base)] }, { excluded: [directory(base)] }].map(
      (subtrees) => check(under(subtrees), [], presented)?.code,
    )
    expect(subjectCodes).toEqual(expected)
  })

  test('an empty subject is no name', () => {
    expect(check(under({ permitted: [directory('C=DE')] }), [dns('a.example')])).toBeUndefined()
    expect(check(under({ excluded: [directory('')] }), [dns('a.example')])).toBeUndefined()
  })

  test('subject and subjectAltName must both be inside', () => {
    const state = under({ permitted: [directory('C=DE')] })
    expect(check(state, [directory('C=FR')], 'C=DE')?.code).toBe('name-not-permitted')
    expect(check(state, [directory('C=DE')], 'C=FR')?.code).toBe('name-not-permitted')
  })
})

describe('forms that cannot be processed, RFC 5280 §4.2.1.10', () => {
  const registered: GeneralName = { kind: 'registeredID', oid: '1.2.3' }
  const x400: GeneralName = { kind: 'x400Address', der: writeSequence() }
  const edi: GeneralName = { kind: 'ediPartyName', der: writeSequence() }
  test.each([upn, registered, x400, edi])('$kind refuses when such a name is present', (base) => {
    const unsupported = ['name-form-unsupported', 'name-form-unsupported']
    expect(codes(base, base)).toEqual(unsupported)
    expect(codes(base, dns('a.example'))).toEqual([undefined, undefined])
    expect(apply(initialNameConstraints(), { permitted: [base] }, 'rfc5280')).toBeUndefined()
  })

  test('a constraint on otherName covers SmtpUTF8Mailbox, even beside one on rfc822Name', () => {
    const state = under({ permitted: [upn, mail('example.com')] })
    expect(check(state, [smtpUtf8('ü@example.com')])).toEqual({
      code: 'name-form-unsupported',
      form: 'otherName',
    })
  })

  test('another otherName is no mailbox', () => {
    expect(check(under({ permitted: [mail('example.com')] }), [upn])).toBeUndefined()
  })
})

describe('several certificates with constraints, RFC 5280 §6.1.4 (g)', () => {
  test('nothing constrained lets everything pass and costs nothing', () => {
    const budget = { nameComparisons: 0 }
    const state = under({}, { permitted: [], excluded: [] })
    expect(checkNameConstraints(state, certificate([dns('..')], 'CN=a'), budget)).toBeUndefined()
    expect([...state.permitted, ...state.excluded]).toEqual([])
  })

  test('other forms stay free', () => {
    const state = under({ permitted: [dns('example.com')] })
    expect(check(state, [ip('c0000201'), mail('no mailbox'), upn], 'CN=a')).toBeUndefined()
  })

  test('what is permitted can only shrink', () => {
    const narrowed = under(
      { permitted: [dns('example.com')] },
      { permitted: [dns('a.example.com')] },
    )
    expect(check(narrowed, [dns('x.a.example.com')])).toBeUndefined()
    expect(check(narrowed, [dns('b.example.com')])?.code).toBe('name-not-permitted')
    const disjoint = under({ permitted: [dns('example.com')] }, { permitted: [dns('example.org')] })
    expect(check(disjoint, [dns('example.com')])?.code).toBe('name-not-permitted')
    expect(check(disjoint, [dns('example.org')])?.code).toBe('name-not-permitted')
  })

  test('one subtree of a set is enough, and what is excluded stays so', () => {
    const state = under(
      { permitted: [dns('example.com'), dns('example.org')], excluded: [dns('bad.example.com')] },
      { excluded: [dns('worse.example.org')] },
    )
    expect(check(state, [dns('a.example.org'), dns('good.example.com')])).toBeUndefined()
    expect(check(state, [dns('a.example.org'), dns('bad.example.com')])).toEqual({
      code: 'name-excluded',
      form: 'dNSName',
      name: 'bad.example.com',
      subtree: 'bad.example.com',
    })
    expect(check(state, [dns('worse.example.org')])?.code).toBe('name-excluded')
    expect(check(state, [dns('example.net')])).toEqual({
      code: 'name-not-permitted',
      form: 'dNSName',
      name: 'example.net',
      subtrees: ['example.com', 'example.org'],
    })
  })

  test('a malformed subtree refuses even beside one that matches, but only its own form', () => {
    const state = under({ permitted: [mail('example.com'), mail('@')] })
    expect(check(state, [mail('a@example.com')])).toEqual({
      code: 'name-constraint-malformed',
      form: 'rfc822Name',
      subtree: '@',
    })
    expect(check(state, [dns('example.com')])).toBeUndefined()
  })

  test.each([mail('@'), uri('https://a.example'), dns('..')])(
    'profile rfc5280 refuses the malformed subtree $value at once',
    (base) => {
      for (const subtrees of [{ permitted: [base] }, { excluded: [base] }]) {
        const failure = apply(initialNameConstraints(), subtrees, 'rfc5280')
        expect(failure?.code).toBe('name-constraint-malformed')
      }
    },
  )

  test('failures show names and ranges as text', () => {
    expect(check(under({ permitted: [ip('c0000200ffffff00')] }), [ip('0a000001')])).toEqual({
      code: 'name-not-permitted',
      form: 'iPAddress',
      name: '10.0.0.1',
      subtrees: ['192.0.2.0/255.255.255.0'],
    })
    expect(check(under({ excluded: [directory('C=DE')] }), [], 'CN=a,C=DE')).toEqual({
      code: 'name-excluded',
      form: 'directoryName',
      name: 'CN=a,C=DE',
      subtree: 'C=DE',
    })
    const many = under({ permitted: Array.from({ length: 40 }, (_, i) => dns(`n${i}.example`)) })
    expect(check(many, [dns('x')])).toHaveProperty('subtrees.length', 16)
  })

  test('the forms that are constrained', () => {
    const state = under(
      { permitted: [dns('a'), upn] },
      { excluded: [dns('b'), ip('0000000000000000')] },
    )
    expect([...state.permitted.keys()]).toEqual(['dNSName', 'otherName'])
    expect([...state.excluded.keys()]).toEqual(['dNSName', 'iPAddress'])
  })
})

describe('comparisons are counted before they are made', () => {
  const twoAndOne = {
    permitted: [dns('a.example'), dns('b.example')],
    excluded: [dns('c.example')],
  }
  test('each name costs one for each subtree of its form', () => {
    const budget = { nameComparisons: 7 }
    const state = under(twoAndOne, { permitted: [directory('C=DE')] })
    const names = [dns('a.example'), dns('b.example'), mail('x')]
    expect(checkNameConstraints(state, certificate(names, 'C=DE'), budget)).toBeUndefined()
    expect(budget.nameComparisons).toBe(0)
    expect(checkNameConstraints(state, certificate([dns('a.example')]), budget)).toEqual({
      code: 'budget-exhausted',
      of: 'name-comparisons',
    })
  })

  test.each(['CN=a', 'emailAddress=a@b.example'])('the subject %s counts too', (subject) => {
    const state = under({ permitted: [directory('CN=a'), mail('b.example')] })
    const failure = checkNameConstraints(state, certificate([], subject), { nameComparisons: 0 })
    expect(failure?.code).toBe('budget-exhausted')
  })

  test('2048 names under 2048 constraints end at once', () => {
    const bases = Array.from({ length: 2048 }, (_, i) => dns(`t${i}.test`))
    const state = under({ permitted: bases, excluded: bases.map((_, i) => dns(`x${i}.test`)) })
    const failure = checkNameConstraints(state, certificate(bases), { nameComparisons: 250_000 })
    expect(failure?.code).toBe('budget-exhausted')
  })
})

describe('rules that only go one way', () => {
  const label = fc.constantFrom('a', 'b', '*', 'A')
  const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'))
  const bases = fc.array(
    fc.tuple(fc.constantFrom('', '.'), fc.array(fc.constantFrom('a', 'b'), { maxLength: 3 })),
    { minLength: 1, maxLength: 3 },
  )
  const subtreesOf = (all: readonly (readonly [string, readonly string[]])[]) =>
    all.map(([dot, labels]) => dns(labels.length === 0 ? '' : dot + labels.join('.')))

  test('another constraint never lets a name in', () => {
    fc.assert(
      fc.property(host, bases, bases, bases, (presented, first, permitted, excluded) => {
        const before = check(under({ permitted: subtreesOf(first) }), [dns(presented)])
        const more = { permitted: subtreesOf(permitted), excluded: subtreesOf(excluded) }
        const after = check(under({ permitted: subtreesOf(first) }, more), [dns(presented)])
        return before === undefined || after !== undefined
      }),
    )
  })

  test('what is permitted by a set is excluded by the same set', () => {
    fc.assert(
      fc.property(host, bases, (presented, all) => {
        const subtrees = subtreesOf(all)
        const permitted = check(under({ permitted: subtrees }), [dns(presented)])
        const excluded = check(under({ excluded: subtrees }), [dns(presented)])
        return permitted !== undefined || excluded?.code === 'name-excluded'
      }),
    )
  })

  test('a wildcard is never let in where a name that it stands for is excluded', () => {
    fc.assert(
      fc.property(fc.constantFrom('a', 'b', 'c'), host, bases, (first, parent, all) => {
        const state = under({ excluded: subtreesOf(all) })
        const one = check(state, [dns(`${first}.${parent}`)])
        return one === undefined || check(state, [dns(`*.${parent}`)]) !== undefined
      }),
    )
  })

  test('directory subtrees are prefixes', () => {
    const rdn = fc
      .constantFrom('a', 'A ', 'b')
      .map((text) => [{ type: '2.5.4.11', tag: 12, value: new TextEncoder().encode(text) }])
    const rdns = fc.array(rdn, { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(rdns, rdns, (base, rest) => {
        const below: GeneralName = { kind: 'directoryName', name: makeName([...base, ...rest]) }
        const root: GeneralName = { kind: 'directoryName', name: makeName(base) }
        expect(codes(root, below)).toEqual(inside)
        expect(codes(below, root)).toEqual(outside)
      }),
    )
  })
})
