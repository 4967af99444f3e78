/** What a gateway says, and what it takes from what is said to it: single lines, without a connection. */
import { describe, expect, test } from 'vitest'
import type { ApiProxy } from '../../src/gateway/api-proxy.ts'
import { forwardedLines, requestIdOf, viaOf } from '../../src/gateway/core.ts'
import { RequestHeaders } from '../../src/gateway/headers.ts'
import { reasonOf, refusedBy } from '../../src/gateway/writing.ts'
import type { Connection } from '../../src/http/request.ts'
import { requestWith } from '../http/support.ts'

describe('where a request came from: RFC 7239 §6', () => {
  const destination = { host: 'api.example', authority: 'api.example:8443', target: '/' }
  const said = (remoteAddress: string | undefined) =>
    forwardedLines(
      requestWith({}, { remoteAddress } as Connection),
      destination,
      { basePath: '/' } as ApiProxy,
      8443,
    )

  test.each([
    ['127.0.0.1', 'for=127.0.0.1;host="api.example:8443";proto=https'],
    ['::1', 'for="[::1]";host="api.example:8443";proto=https'],
  ])('%s', (address, forwarded) => {
    const lines = said(address)
    expect(lines).toContain(forwarded)
    expect(lines[lines.indexOf('X-Forwarded-For') + 1]).toBe(address)
  })

  test('is left out of a client that has gone', () => {
    const lines = said(undefined)
    expect(lines).not.toContain('X-Forwarded-For')
    expect(lines).toContain('host="api.example:8443";proto=https')
  })
})

test('Via comes behind that of others: RFC 9110 §7.6.3', () => {
  expect(viaOf(undefined, '2.0')).toBe('2.0 mtls-policy')
  expect(viaOf('1.0 fred, 1.1 p.example', '1.1')).toBe('1.0 fred, 1.1 p.example, 1.1 mtls-policy')
})

test('a request’s id is the client’s, if it may stand in a log', () => {
  const uuid = /^[\da-f-]{36}$/
  expect(requestIdOf('a.b-1')).toBe('a.b-1')
  for (const id of [undefined, '', 'a b', 'x'.repeat(129)]) expect(requestIdOf(id)).toMatch(uuid)
})

describe('a header section that is passed on', () => {
  const headers = new RequestHeaders(['x-own'])
  const pass = (...lines: readonly string[]) => headers.pass(lines, true)

  test('has the values of lines that are written twice', () => {
    const passed = pass(
      ...['Via', '1.0 a', 'via', '1.1 b', 'Transfer-Encoding', 'gzip'],
      ...['Transfer-Encoding', 'chunked', 'Expect', '100-continue', 'Expect', 'tea'],
    )
    expect(passed).toEqual({
      lines: [],
      requestId: undefined,
      via: '1.0 a, 1.1 b',
      contentLength: undefined,
      transferEncoding: 'gzip, chunked',
      hasExpect: true,
    })
  })

  test('has nothing that any Connection names: RFC 9110 §7.6.1', () => {
    const { lines } = pass(
      'Connection',
      'X-A',
      'Connection',
      'keep-alive, x-b',
      'X-A',
      '1',
      'X-B',
      '2',
    )
    expect(lines).toEqual([])
  })

  test('has names of any length and number, remembered or not', () => {
    const long = `X-${'a'.repeat(200)}`
    expect(pass(long, '1', long, '2').lines).toEqual([long, '1', long, '2'])
    const many = Array.from({ length: 3000 }, (_, n) => [`X-${n}`, '1']).flat()
    expect(pass(...many).lines).toEqual(many)
    expect(pass('X_Own', '1', 'X-Own', '2').lines).toEqual([])
  })
})

describe('what Node does not write', () => {
  const thrown = (code: string | undefined) => Object.assign(new Error('no'), code && { code })

  test.each(['ERR_INVALID_CHAR', 'ERR_UNESCAPED_CHARACTERS', 'ERR_HTTP_INVALID_STATUS_CODE'])(
    '%s is told',
    (code) => {
      const error = thrown(code)
      expect(
        refusedBy(() => {
          throw error
        }),
      ).toBe(error)
    },
  )

  test.each([undefined, 'ENOMEM'])('%s is thrown on', (code) => {
    const error = thrown(code)
    expect(() =>
      refusedBy(() => {
        throw error
      }),
    ).toThrow(error)
  })

  test('is nothing, where it writes', () => {
    expect(refusedBy(() => {})).toBeUndefined()
  })
})

test('a reason is a text for a log', () => {
  expect(reasonOf('words')).toBe('words')
  expect(reasonOf(new Error('no'))).toBe('no')
  expect(reasonOf(Object.assign(new Error('no'), { code: 'EX' }))).toBe('EX no')
})
