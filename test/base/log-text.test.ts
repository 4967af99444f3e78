/** What a log shows of what strangers write. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { logText, withoutTokens } from '../../src/base/log-text.ts'

const token = `mtlsp_${'Az-_09'.repeat(7)}x`

describe('tokens are blanked', () => {
  test.each([
    [`/apiops/x/${token}`, '/apiops/x/mtlsp_[secret]'],
    [`/apiops/${token}/policies/`, '/apiops/mtlsp_[secret]/policies/'],
    [`GET /?t=${token}&u=${token}`, 'GET /?t=mtlsp_[secret]&u=mtlsp_[secret]'],
    // In part, in another case, escaped: it is a secret all the same.
    [token.slice(0, 12), 'mtlsp_[secret]'],
    [token.toUpperCase(), 'mtlsp_[secret]'],
    [`/mtlsp%5F${'%41'.repeat(43)}/x`, '/mtlsp_[secret]/x'],
    [`"Bearer ${token}"`, '"Bearer mtlsp_[secret]"'],
    [`{"token":"${token}\\n"}`, '{"token":"mtlsp_[secret]\\n"}'],
  ])('in %j', (text, blanked) => {
    expect(withoutTokens(text)).toBe(blanked)
  })

  test.each(['mtlsp_…', 'a token begins with mtlsp_', '/mtls-policy/', 'mtls_policy_gateway'])(
    '%j is none',
    (text) => expect(withoutTokens(text)).toBe(text),
  )

  test('what was blanked stays as it is', () => {
    expect(withoutTokens(withoutTokens(token))).toBe('mtlsp_[secret]')
  })
})

describe('text of strangers', () => {
  test('is one line of bounded length', () => {
    expect(logText('a\r\nb\u2028\u202ec\u0085\u001b[2J', 100)).toBe(
      'a\\u{d}\\u{a}b\\u{2028}\\u{202e}c\\u{85}\\u{1b}[2J',
    )
    expect(logText('abcdef', 3)).toBe('abc…')
    expect(logText('abc', 3)).toBe('abc')
    // A half of a pair is not text either.
    expect(logText('ab😀', 3)).toBe('ab\\u{d83d}…')
  })

  test('has no control character, whatever it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(logText(text, 50)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
      }),
    )
  })
})
