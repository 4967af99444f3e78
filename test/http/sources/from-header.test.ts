/** The source that presets are made of: keys, caps and its own options. @module */
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Found } from '../../../src/http/source.ts'
import {
  apache,
  type FromHeaderOptions,
  fromHeader,
  googleCloud,
  haproxy,
  rfc9440,
} from '../../../src/http/sources/index.ts'
import {
  base64,
  type Chain,
  hex,
  issueChain,
  outcomeOf,
  requestWith,
  sfBinary,
  spacedPem,
  trust,
} from '../support.ts'

let chain: Chain
beforeAll(async () => {
  chain = await issueChain()
})

const keyOf = (found: Found): unknown => (found.kind === 'presented' ? found.key : undefined)

describe('the key', () => {
  test('of a certificate alone is the value itself', () => {
    const value = sfBinary(chain.leaf)
    expect(keyOf(rfc9440({ trust }).read(requestWith({ 'Client-Cert': value })))).toBe(value)
  })
  test('is the same for equal values only: equal keys read the same octets', () => {
    const names = ['X-Client-Cert-Leaf', 'X-Client-Cert-Chain', 'X-Client-Cert-Hash']
    const value = fc.constantFrom(
      '',
      ...[chain.leaf, chain.issuing].map(sfBinary),
      `${sfBinary(chain.leaf)}\n`,
      `${sfBinary(chain.leaf)}\n${sfBinary(chain.issuing)}`,
      'x',
    )
    const source = googleCloud({ trust, proxyVerdict: 'ignored' })
    const known = new Map<unknown, unknown>()
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 4 }),
        (pairs) => {
          const found = source.read(requestWith([...pairs, ['X-Client-Cert-Present', 'true']]))
          const key = keyOf(found)
          if (key === undefined) return
          const outcome = outcomeOf(found)
          if (known.has(key)) expect(outcome).toEqual(known.get(key))
          known.set(key, outcome)
        },
      ),
      { numRuns: 2_000 },
    )
    expect(known.size).toBeGreaterThan(5)
  })
  test('has the chain and its order in it', () => {
    const [leaf, issuing, root] = [chain.leaf, chain.issuing, chain.root].map(sfBinary) as [
      string,
      string,
      string,
    ]
    const source = rfc9440({ trust })
    const key = (...links: readonly string[]) =>
      keyOf(
        source.read(
          requestWith([
            ['Client-Cert', leaf],
            ...links.map((link) => ['Client-Cert-Chain', link] as const),
          ]),
        ),
      )
    const keys = [
      key(),
      key(issuing),
      key(root),
      key(issuing, root),
      key(root, issuing),
      key(`${issuing},${root}`),
    ]
    expect(new Set(keys).size).toBe(keys.length)
    expect(key(issuing)).toBe(key(issuing))
  })
})

describe('one description', () => {
  const certificate = { header: 'X-Cert', encoding: 'base64-der' } as const
  const source = (options: Partial<FromHeaderOptions>) =>
    fromHeader({ trust, certificate, ...options })

  test('of a header alone has a name and that header', () => {
    expect([source({}).name, source({}).headers]).toEqual(['header', ['x-cert']])
    expect(outcomeOf(source({}).read(requestWith({ 'x-cert': base64(chain.leaf) })))).toEqual([
      hex(chain.leaf),
    ])
    expect(outcomeOf(source({}).read(requestWith({ 'x-cert': '' })))).toBe('absent')
  })
  test('of what is absent is taken word for word', () => {
    const read = (value: string) =>
      outcomeOf(
        source({ certificate: { ...certificate, absent: ['-'] } }).read(
          requestWith({ 'x-cert': value }),
        ),
      )
    expect([read('-'), read(''), read('--')]).toEqual([
      'absent',
      'header-malformed',
      'header-malformed',
    ])
  })
  test('with presence and a verdict of its own: the two may not differ', () => {
    const both = source({
      verdict: { header: 'X-Ok', success: ['yes'], absent: ['none'] },
      presence: { header: 'X-Is', yes: '1', no: '0', always: true },
    })
    const read = (ok: string, is: string) =>
      outcomeOf(both.read(requestWith({ 'X-Ok': ok, 'X-Is': is })))
    expect(read('none', '0')).toBe('absent')
    expect(read('none', '1')).toBe('headers-contradict')
    expect(read('yes', '0')).toBe('headers-contradict')
    expect(read('yes', '1')).toBe('headers-contradict')
  })
  test('with a hash takes base64 with its padding, too', () => {
    const withHash = source({ hash: { header: 'X-Hash', encoding: 'base64' } })
    const digest = (text: string) =>
      outcomeOf(withHash.read(requestWith({ 'X-Cert': base64(chain.leaf), 'X-Hash': text })))
    expect(digest('A'.repeat(43))).toBe('headers-contradict')
    expect(digest(`${'A'.repeat(43)}=`)).toBe('headers-contradict')
    expect(digest(`${'A'.repeat(42)}B`)).toBe('header-malformed')
    expect(digest('A'.repeat(44))).toBe('header-malformed')
  })
  test('of a chain over several headers counts them together', () => {
    const headers = Array.from({ length: 4 }, (_, at) => `X-Chain-${at}`)
    const chained = source({ chain: { header: headers, encoding: 'base64-der-concatenated' } })
    const three = base64(Buffer.concat([chain.issuing, chain.root, chain.other]))
    const given = Object.fromEntries(headers.map((header) => [header, three]))
    const read = (lines: object) =>
      outcomeOf(chained.read(requestWith({ 'X-Cert': base64(chain.leaf), ...lines })))
    expect(read(given)).toBe('header-too-many-certificates')
    expect(read({ ...given, 'X-Chain-3': '' })).toHaveLength(10)
    expect(read({ ...given, 'X-Chain-1': '' })).toBe('headers-contradict')
  })
  test('refuses a header beyond 64 KiB before anything is decoded', () => {
    const long = 'A'.repeat(65_537)
    expect(outcomeOf(source({}).read(requestWith({ 'X-Cert': long })))).toBe('header-too-large')
    const lines = { 'X-Cert': base64(chain.leaf), 'X-Chain': long }
    const chained = source({ chain: { header: 'X-Chain', encoding: 'base64-der' } })
    expect(outcomeOf(chained.read(requestWith(lines)))).toBe('header-too-large')
  })
  test.each([
    ['option-missing', { certificate: undefined }],
    ['option-missing', { certificate: null }],
    ['option-missing', { trust: undefined }],
    ['option-unknown', { certificates: {} }],
    ['option-invalid', { certificate: { header: 'X', encoding: 'pem' } }],
    ['option-invalid', { certificate: { header: 'X', encoding: 'toString' } }],
    ['option-invalid', { certificate: { header: '', encoding: 'rfc9440' } }],
    ['option-invalid', { certificate: { header: 1, encoding: 'rfc9440' } }],
    ['option-invalid', { certificate: { header: 'X', encoding: 'rfc9440', absent: '' } }],
    ['option-invalid', { certificate: { header: 'X', encoding: 'rfc9440', always: 1 } }],
    ['option-invalid', { certificate: { header: 'X', encoding: 'rfc9440', withChain: 'no' } }],
    ['option-invalid', { chain: { header: 'Y', encoding: 'x' } }],
    ['option-invalid', { chain: { header: 'Y', encoding: 'rfc9440-list', absent: [1] } }],
    ['option-invalid', { verdict: { header: 'Y', success: 'SUCCESS' } }],
    ['option-invalid', { verdict: { header: 'Y', success: [] } }],
    ['option-invalid', { hash: { header: 'Y', encoding: 'base32' } }],
    ['option-invalid', { assertedIdentity: 'yes' }],
    ['options-conflict', { chain: { header: 'x-cert', encoding: 'rfc9440-list' } }],
    ['options-conflict', { hash: { header: 'X_Cert', encoding: 'hex' } }],
  ])('throws %s for %j', (code, options) => {
    expect(() => source(options as Partial<FromHeaderOptions>)).toThrow(
      expect.objectContaining({ code }),
    )
  })
})

test('no headers make a source throw', () => {
  const all = [rfc9440({ trust }), apache({ trust }), haproxy({ trust }), googleCloud({ trust })]
  const names = all.flatMap(({ headers }) => headers)
  const name = fc.oneof(fc.constantFrom(...names), fc.string())
  const value = fc.oneof(
    fc.constantFrom('0', '1', 'SUCCESS', 'NONE', 'true', 'false', '(null)', ''),
    fc.constantFrom(sfBinary(chain.leaf), base64(chain.leaf), spacedPem(chain.leaf)),
    fc.string({ unit: 'binary' }),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 12 }), (pairs) => {
      for (const source of all) outcomeOf(source.read(requestWith(pairs)))
    }),
    { numRuns: 1_000 },
  )
})
