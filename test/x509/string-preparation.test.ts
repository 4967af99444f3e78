import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { prepareString } from '../../src/x509/string-preparation.ts'

describe('string preparation, RFC 4518 §2', () => {
  test.each([
    ['case', 'Straße', 'STRASSE'],
    ['capital sharp s', '\u1e9e', 'ss'],
    ['final sigma', 'ΣΊΣΥΦΟΣ', 'σίσυφος'],
    ['long s', 'ſ', 's'],
    ['capital i with a dot', 'İ', 'i\u0307'],
    ['micro sign', 'µ', 'μ'],
    ['composed and decomposed', 'Å', 'A\u030a'],
    ['compatibility forms', 'ﬁ', 'fi'],
    ['full width', 'ＡＢＣ', 'abc'],
    ['circled capital', 'Ⓐ', 'a'],
    ['mathematical capital', '𝐀', 'a'],
    ['outer and inner spaces', '  a \u00a0\t b ', 'a b'],
    ['only spaces', '   ', ''],
    ['soft hyphen', 'co\u00adop', 'coop'],
    ['zero width space', 'a\u200bb', 'ab'],
    ['NUL is mapped to nothing, RFC 4518 §2.2', 'a\u0000b', 'ab'],
    ['next line is a space', 'a\u0085b', 'a b'],
    ['tag characters', 'a\u{e0041}', 'a'],
  ])('matches: %s', (_, a, b) => {
    expect(prepareString(a)).toBe(prepareString(b))
    expect(prepareString(a)).toBeDefined()
  })

  test.each([
    ['dotless i', 'ı', 'i'],
    ['dotless i in capitals', 'DIYARBAKIR', 'dıyarbakır'],
    ['accents', 'é', 'e'],
    ['a space that carries a mark', 'a \u0301', 'a\u0301'],
    ['a lost space', 'ab', 'a b'],
    ['look-alikes', 'а', 'a'],
  ])('does not match: %s', (_, a, b) => {
    expect(prepareString(a)).not.toBe(prepareString(b))
  })

  test.each(['\ue000', '\ufffd', '\ufdd0', '\u{10ffff}', '\ud800'])('prohibited: %j', (text) => {
    expect(prepareString(`a${text}`)).toBeUndefined()
  })

  test('a space with a combining mark stays, however many stand before it', () => {
    expect(prepareString(' \u0301a')).toBe(' \u0301a')
    expect(prepareString('   \u0301a')).toBe(' \u0301a')
    expect(prepareString('a \u0301')).toBe('a \u0301')
    expect(prepareString('a  \u0301')).toBe('a  \u0301')
    expect(prepareString('a    \u0301 ')).toBe('a  \u0301')
  })

  test('preparing twice changes nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const once = prepareString(text)
        return once === undefined || prepareString(once) === once
      }),
    )
  })

  test('case never matters', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'aÄßσςΣZ ééﬁµ') }), (text) => {
        return prepareString(text.toUpperCase()) === prepareString(text)
      }),
    )
  })
})
