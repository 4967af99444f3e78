/** Headers that a client must not set, in whichever way it spells them. */
import { describe, expect, test } from 'vitest'
import { folded, StrippedHeaders } from '../../src/http/strip.ts'

describe('a stripped header', () => {
  const stripped = new StrippedHeaders(['x-client-subject', 'x-ssl_verify'])

  test.each([
    'X-Client-Subject',
    'x_client_subject',
    'X.Client.Subject',
    'x-client_subject',
    'X~Client!Subject',
    'X-SSL-Verify',
    'x.ssl.verify',
  ])('is found under the spelling %s', (name) => {
    expect(stripped.has(name)).toBe(true)
  })

  test.each(['X-Client', 'XClientSubject', 'X--Client-Subject', 'X-Client-Subject-', ''])(
    'is none that is called %s',
    (name) => {
      expect(stripped.has(name)).toBe(false)
    },
  )

  test('goes, and the others stay as they came', () => {
    const lines = ['A', '1', 'x.Client_subject', 'CN=admin', 'B.c', '2']
    expect(stripped.without(lines)).toEqual(['A', '1', 'B.c', '2'])
    const others = ['A', '1']
    expect(stripped.without(others)).toBe(others)
  })
})

test('every octet of a token but letters and digits folds to the same: RFC 9110 §5.6.2', () => {
  for (const joint of "!#$%&'*+-.^_`|~") expect(folded(`a${joint}1`)).toBe('a-1')
})
