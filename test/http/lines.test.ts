/** The lines of a few headers among all. @module */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WantedHeaders } from '../../src/http/lines.ts'

const wanted = new WantedHeaders(['X-SSL-Client-Cert', 'Client-Cert', 'X-Secret'])

describe('lines', () => {
  test('are found in any case, and the values kept as they came', () => {
    const lines = wanted.find(['host', 'a', 'CLIENT-CERT', ':A:', 'x-ssl-CLIENT-cert', 'B'])
    expect(lines.values).toEqual(['B', ':A:', undefined])
    expect([lines.isEmpty, lines.repeated, lines.twin]).toEqual([false, undefined, undefined])
  })
  test('that repeat are all kept, in their order', () => {
    const lines = wanted.find([
      'Client-Cert',
      '1',
      'client-cert',
      '2',
      'X-Secret',
      's',
      'Client-Cert',
      '3',
    ])
    expect([lines.all(1), lines.all(2), lines.all(0)]).toEqual([['1', '2', '3'], ['s'], []])
    expect(lines.one(1)).toEqual({
      ok: false,
      failure: { code: 'header-repeated', header: 'client-cert' },
    })
  })
  test('that are too long are refused by one', () => {
    const lines = wanted.find(['Client-Cert', 'a'.repeat(65_537), 'X-Secret', 'a'.repeat(65_536)])
    expect(lines.one(1)).toEqual({
      ok: false,
      failure: { code: 'header-too-large', header: 'client-cert', maximum: 65_536 },
    })
    expect(lines.one(2).ok).toBe(true)
    expect(lines.one(0)).toEqual({ ok: true, value: undefined })
  })
  test.each(['x_ssl_client_cert', 'X-SSL_Client-Cert', 'X_SSL-CLIENT-CERT'])(
    '%s is a twin',
    (name) => {
      const lines = wanted.find([name, 'v'])
      expect(lines.twin).toEqual({ index: 0, name: name.toLowerCase() })
      expect([lines.values[0], lines.isEmpty]).toEqual([undefined, false])
    },
  )
  test.each([
    'x-ssl-client-cerT ',
    'x.ssl-client-cert',
    'x-ssl-client-ceru',
    '\u212Alient-cert',
    'clientacert',
    '',
  ])('%j is neither', (name) => {
    expect(wanted.find([name, 'v']).isEmpty).toBe(true)
  })
  test('of an odd list end before the name without a value', () => {
    expect(wanted.find(['Client-Cert']).isEmpty).toBe(true)
  })
  test('are what comparing lower-case names finds', () => {
    const name = fc.constantFrom(
      'client-cert',
      'Client-Cert',
      'client_cert',
      'x-secret',
      'cookie',
      'host',
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.string())), (pairs) => {
        const lines = wanted.find(pairs.flat())
        const expected = pairs.filter(([one]) => one.toLowerCase() === 'client-cert')
        expect(lines.all(1)).toEqual(expected.map(([, value]) => value))
        expect(lines.twin !== undefined).toBe(pairs.some(([one]) => one === 'client_cert'))
      }),
    )
  })
})
