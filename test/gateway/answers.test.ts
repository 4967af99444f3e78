/** What upstreams answer, and what of it clients see. */
import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { ask, codeOf, openWorld, raw, stateOf, versions } from './support.ts'

const world = await openWorld()

/** A gateway before an upstream that says these octets to every request. */
async function saying(text: string): Promise<number> {
  const url = await world.tcpUpstream((socket: Socket) => {
    socket.on('data', () => socket.write(text, 'latin1'))
  })
  return (await world.gateway(stateOf(world.snapshot(url)))).port
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

describe.each(versions)('%s: an answer', (version) => {
  test('keeps lines of one name apart, and the upstream’s own id of the request', async () => {
    const cookies = [1, 2, 3].map((n) => `Set-Cookie: c${n}=${n}\r\n`).join('')
    const port = await saying(
      ok.replace('\r\n\r\n', `\r\n${cookies}X-Request-Id: of-upstream\r\n\r\n`),
    )
    const { headers, body } = await ask(version, port, { headers: { 'x-request-id': 'mine' } })
    expect(body).toBe('ok')
    expect(headers['set-cookie']).toEqual(['c1=1', 'c2=2', 'c3=3'])
    expect(headers['x-request-id']).toBe('of-upstream')
  })

  test('has no line that belongs to the upstream’s connection', async () => {
    const lines = [
      ...['Connection: X-A', 'Connection: x-b', 'X-A: 1', 'X-B: 2', 'Proxy-Connection: x'],
      ...['HTTP2-Settings: AAMAAABk', 'TE: trailers', 'Keep-Alive: timeout=9', 'X-C: 3'],
    ]
    const port = await saying(ok.replace('\r\n\r\n', `\r\n${lines.join('\r\n')}\r\n\r\n`))
    const { status, headers } = await ask(version, port)
    expect([status, headers['x-c']]).toEqual([200, '3'])
    for (const name of ['x-a', 'x-b', 'proxy-connection', 'http2-settings', 'te']) {
      expect([name, headers[name]]).toEqual([name, undefined])
    }
  })

  test('has no trailer that says how to read or route it', async () => {
    const trailers =
      'X-Sum: 42\r\nContent-Type: text/html\r\nConnection: x\r\nHTTP2-Settings: x\r\nSet-Cookie: a=b'
    const port = await saying(
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n${trailers}\r\n\r\n`,
    )
    const answer = await ask(version, port)
    expect(answer.body).toBe('ok')
    expect(Object.entries(answer.trailers)).toEqual([['x-sum', '42']])
  })

  test.each([
    ['other lines than links', 'X-A: 1', []],
    ['a link that is none', 'Link: nonsense', []],
    ['a link', 'Link: </a.css>; rel=preload', [103]],
  ])('comes behind early hints with %s', async (_, line, informed) => {
    const port = await saying(`HTTP/1.1 103 Early Hints\r\n${line}\r\n\r\n${ok}`)
    expect(await ask(version, port)).toMatchObject({ status: 200, body: 'ok', informed })
  })

  test('with a status that is none is 502', async () => {
    const answer = await ask(version, await saying('HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n'))
    expect([answer.status, codeOf(answer)]).toEqual([502, 'upstream-failed'])
  })

  test.each([204, 205])('%i has no length, and no body', async (status) => {
    const port = await saying(`HTTP/1.1 ${status} Odd\r\nContent-Length: 5\r\nX-A: 1\r\n\r\nhello`)
    const answer = await ask(version, port)
    expect([answer.status, answer.body, answer.headers['x-a']]).toEqual([status, '', '1'])
    expect(answer.headers['content-length']).toBeUndefined()
  })

  test('304 has the length of what it does not hold', async () => {
    const port = await saying('HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n')
    const answer = await ask(version, port)
    expect([answer.status, answer.body, answer.headers['content-length']]).toEqual([304, '', '5'])
  })

  test.each([
    ['a change of protocols that does not say so', ''],
    ['a change of protocols that nobody asked for', 'Connection: Upgrade\r\nUpgrade: h2c\r\n'],
  ])('that is %s is 502', async (_, lines) => {
    const answer = await ask(version, await saying(`HTTP/1.1 101 Odd\r\n${lines}\r\n`))
    expect([answer.status, codeOf(answer)]).toEqual([502, 'upstream-failed'])
  })

  test('whose status has words that are no text is 502, or comes without them', async () => {
    const port = await saying(ok.replace('OK', 'O\0K'))
    const answer = await ask(version, port)
    // HTTP/2 has none: RFC 9113 §8.3.2.
    if (version === 'HTTP/2') expect([answer.status, answer.body]).toEqual([200, 'ok'])
    else expect([answer.status, codeOf(answer)]).toEqual([502, 'upstream-failed'])
  })
})

test('a client of HTTP/1.0 gets no early hints: RFC 9110 §15.2', async () => {
  const port = await saying(`HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n${ok}`)
  const text = await raw(port, 'GET / HTTP/1.0\r\nHost: api.example\r\n\r\n')
  expect(text.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 200'])
})
