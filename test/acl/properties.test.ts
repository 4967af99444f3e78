import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  decideIssuerAcl,
  formatAcl,
  type IssuerAclEntry,
  issuerAclFromJson,
  parseIssuerAcl,
} from '../../src/acl/index.ts'
import { issueCa } from '../../src/testing/index.ts'
import { pathOf, run, sha256, spkiSha256, thrown } from './support.ts'

const root = await issueCa('CN=Root,O=Trust')
const upper = await root.issueCa('CN=Upper,O=Trust')
const lower = await upper.issueCa('CN=Lower,O=Trust')
const client = await lower.issue('CN=client')
const path = pathOf([client, lower, upper], root)
const cas = [root, upper, lower]

const hash = fc.constantFrom(...cas.map(spkiSha256), '00'.repeat(32))
const dn = fc.constantFrom('CN=Root,O=Trust', 'CN=Upper,O=Trust', 'cn=lower,o=trust', 'CN=Other')
const value = fc.constantFrom('*', 'Trust', 'Lower', 'Upper', 'x "#=,+ y')
const match = fc.oneof(
  fc.record({ dn }),
  fc.record({ spkiSha256: hash }),
  fc.record({ certificateSha256: fc.constantFrom(...cas.map((ca) => sha256(ca.der))) }),
  fc.record({ keyId: fc.constantFrom('00', 'abcd') }),
  fc.record({
    attributes: fc.dictionary(
      fc.constantFrom('CN', 'O', '2.5.4.11'),
      fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 })),
      { minKeys: 1 },
    ),
  }),
)
const entry = fc.record(
  {
    effect: fc.constantFrom('allow', 'deny'),
    match,
    at: fc.constantFrom('issuer', 'path', 'anchor'),
    under: fc.oneof(fc.record({ dn }), fc.record({ spkiSha256: hash })),
    expires: fc.integer({ min: 0, max: 20 }),
    note: fc.string({ unit: 'binary-ascii' }).filter((text) => !/[\r\n]/.test(text)),
  },
  { requiredKeys: ['effect', 'match'] },
)
const entries = fc.array(entry, { maxLength: 6 })
const decide = (json: readonly unknown[]) => run(decideIssuerAcl(issuerAclFromJson(json), path, 10))

test('adding an entry that denies never turns a refusal into an allowance', () => {
  fc.assert(
    fc.property(entries, entry, (list, more) => {
      if (decide(list).allowed) return
      expect(decide([...list, { ...more, effect: 'deny' }]).allowed).toBe(false)
    }),
  )
})

test('adding an entry that allows never turns an allowance into a refusal', () => {
  fc.assert(
    fc.property(entries, entry, (list, more) => {
      const both = [...list, { ...more, effect: 'allow' }]
      expect(decide(both).allowed || !decide(list).allowed).toBe(true)
    }),
  )
})

test('adding an entry that does not match changes nothing', () => {
  const unrelated = { effect: 'allow', match: { dn: 'CN=Nobody' } }
  fc.assert(
    fc.property(entries, (list) => {
      fc.pre(list.length > 0)
      expect(decide([...list, unrelated])).toEqual(decide(list))
    }),
  )
})

test('order never matters', () => {
  fc.assert(
    fc.property(entries, (list) => {
      const { entry: _a, ...forward } = { entry: undefined, ...decide(list) }
      const { entry: _b, ...backward } = { entry: undefined, ...decide([...list].reverse()) }
      expect(backward).toEqual(forward)
    }),
  )
})

test('a decision is what the entries say one by one', () => {
  const single = (one: object) => decide([one])
  fc.assert(
    fc.property(entries, (list) => {
      const denied = list.some(
        (one) => one.effect === 'deny' && !single(one).allowed && 'entry' in single(one),
      )
      const allowed = list.some((one) => one.effect === 'allow' && single(one).allowed)
      expect(decide(list).allowed).toBe(allowed && !denied)
    }),
  )
})

test('JSON → text → JSON gives the same entries', () => {
  fc.assert(
    fc.property(entries, (list) => {
      const acl = issuerAclFromJson(list)
      expect(parseIssuerAcl(formatAcl(acl)).entries).toEqual(acl.entries)
      expect(issuerAclFromJson(JSON.parse(JSON.stringify(acl.entries))).entries).toEqual(
        acl.entries satisfies readonly IssuerAclEntry[],
      )
    }),
  )
})

test('no text throws anything but acl-invalid', () => {
  const word = fc.constantFrom(
    'allow',
    'deny',
    'dn',
    'attributes',
    'CN=a',
    '"',
    '#',
    '\n',
    'at',
    'path',
    'expires',
    '1',
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(word).map((words) => words.join(' ')),
  )
  fc.assert(
    fc.property(text, (some) => {
      const error = thrown(() => parseIssuerAcl(some))
      expect(error === undefined || error.code === 'acl-invalid').toBe(true)
    }),
  )
})
