/** Requests that are sent ahead on a connection of HTTP/1.1, RFC 9112 §9.3.2: one after the other, and none behind the last answer. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect, type TLSSocket } from 'node:tls'
import client from 'prom-client'
import { describe, expect, test } from 'vitest'
import {
  openWorld,
  raw,
  recordLog,
  requestPolicies,
  stateOf,
  tlsOptions,
  until,
  validating,
} from './support.ts'

const world = await openWorld()

const get = (path: string, ...lines: string[]) =>
  `GET ${path} HTTP/1.1\r\nHost: api.example\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`
const post = (path: string, body: string, ...lines: string[]) =>
  `POST ${path} HTTP/1.1\r\nHost: api.example\r\nContent-Length: ${body.length}\r\n${lines
    .map((line) => `${line}\r\n`)
    .join('')}\r\n${body}`

const statusesIn = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status))

/** An upstream that answers when it is told to, and what it was asked. */
async function held(policies = requestPolicies(), headMs = 300) {
  const asked: string[] = []
  const open: ServerResponse[] = []
  let aborted = 0
  const { lines, logger } = recordLog()
  const register = new client.Registry()
  const running = await world.serve(
    (request, response) => {
      asked.push(`${request.method} ${request.url}`)
      open.push(response)
      response.on('close', () => {
        if (!response.writableFinished) aborted++
      })
    },
    { policies },
    { logger, metrics: { client, register }, limits: { headMs } },
  )
  return {
    ...running,
    asked,
    aborted: () => aborted,
    logged: () => lines.filter(({ message }) => message === 'request' || message === 'websocket'),
    metrics: () => register.metrics(),
    answer: () => open.shift()?.end('ok'),
  }
}

/** Says this, and what it got. */
async function say(port: number, text: string) {
  let received = ''
  let isClosed = false
  const socket = await new Promise<TLSSocket>((resolve, reject) => {
    const one = connect({ ...tlsOptions(port), ALPNProtocols: ['http/1.1'] }, () => resolve(one))
    one.on('error', reject)
  })
  world.after(() => socket.destroy())
  socket.on('error', () => {})
  socket.on('data', (data) => {
    received += data.toString('latin1')
  })
  socket.on('close', () => {
    isClosed = true
  })
  socket.write(text, 'latin1')
  return { socket, received: () => received, isClosed: () => isClosed }
}

/** How many requests Node has read from clients of the gateway. */
function countRead(): () => number {
  let read = 0
  const count = (message: unknown): void => {
    const { socket } = (message as { request: IncomingMessage }).request
    if ('encrypted' in socket) read++
  }
  subscribe('http.server.request.start', count)
  world.after(() => {
    unsubscribe('http.server.request.start', count)
  })
  return () => read
}

/** Looks until it has not changed for a while. */
async function settled(value: () => number): Promise<void> {
  let last = value()
  let since = performance.now()
  await until(() => {
    if (value() !== last) {
      last = value()
      since = performance.now()
    }
    return performance.now() - since > 300
  }, 20_000)
}

describe('requests that are sent ahead', () => {
  test('are forwarded one after the other, and all are answered, in their order', async () => {
    let now = 0
    let most = 0
    const { port, gateway } = await world.serve((request, response) => {
      most = Math.max(most, ++now)
      let body = ''
      request.on('data', (data) => {
        body += data
      })
      request.on('end', () =>
        setImmediate(() => {
          now--
          response.end(`${request.url} ${body};`)
        }),
      )
    })
    const many = Array.from({ length: 400 }, (_, n) =>
      n % 3 === 0 ? get(`/${n}`) : post(`/${n}`, `body ${n}`),
    )
    const { received } = await say(port, many.join(''))
    await until(() => received().includes('/399 ;'), 20_000)
    expect(most).toBe(1)
    expect([...received().matchAll(/\/(\d+) /g)].map(([, n]) => Number(n))).toEqual(
      many.map((_, n) => n),
    )
    expect(gateway.requests).toBe(0)
  })

  test('are not begun once the client has gone, and what was begun is told of once', async () => {
    const { port, gateway, asked, aborted, logged, metrics } = await held()
    const { socket } = await say(port, get('/slow').repeat(2) + post('/hidden', 'x').repeat(3))
    await until(() => asked.length === 1)
    expect(gateway.requests).toBe(1)
    socket.destroy()
    await until(() => gateway.requests === 0)
    await until(() => aborted() === 1)
    expect(asked).toEqual(['GET /slow'])
    expect(logged()).toHaveLength(1)
    const text = await metrics()
    expect(text).toContain('mtls_policy_gateway_requests 0')
    expect(text).toContain('mtls_policy_gateway_request_seconds_count 1')
  })

  test('and are refused, are told of each, though the client goes at the first answer', async () => {
    const { port, gateway, logged, metrics } = await held(requestPolicies(validating))
    const { socket, isClosed } = await say(port, get('/refused').repeat(3))
    socket.once('data', () => socket.destroy())
    await until(isClosed)
    await until(() => gateway.requests === 0)
    const lines = logged()
    expect(lines.length).toBeGreaterThan(0)
    expect(await metrics()).toContain(`mtls_policy_gateway_request_seconds_count ${lines.length}`)
  })

  test('more than wait are read once their turn comes', async () => {
    const { port, asked, answer } = await held()
    const { received } = await say(port, get('/a').repeat(20))
    const rest = await say(port, '')
    for (let n = 0; n < 20; n++) rest.socket.write(get('/b').repeat(20))
    for (let n = 0; n < 420; n++) {
      await until(() => asked.length > n)
      answer()
    }
    await until(() => statusesIn(received()).length + statusesIn(rest.received()).length === 420)
  })
})

describe('more requests sent ahead than may wait', () => {
  test('are not read, and are answered in their turn', async () => {
    const { port, gateway, asked, answer } = await held(requestPolicies(), 60_000)
    const read = countRead()
    const text = get('/long', `X-Long: ${'x'.repeat(900)}`)
    const { socket, received, isClosed } = await say(port, text.repeat(20_000))
    await until(() => asked.length === 1)
    await settled(read)
    expect(read()).toBeGreaterThanOrEqual(32)
    // Those that wait, and what else was in the octets that came with them.
    expect(read()).toBeLessThan(300)
    expect(socket.writableLength).toBeGreaterThan(0)
    for (let n = 0; n < 1000; n++) {
      await until(() => asked.length > n)
      answer()
    }
    await until(() => statusesIn(received()).length === 1000)
    await settled(read)
    expect(read()).toBeLessThan(1300)
    expect(isClosed()).toBe(false)
    socket.destroy()
    // That it is gone is known by what can no longer be written.
    await until(() => {
      answer()
      return gateway.requests === 0
    })
    expect(asked.length).toBeLessThan(1030)
  })

  test('are not read on and on once nothing of it counts', async () => {
    const { port, gateway, asked, answer } = await held()
    const read = countRead()
    const text = get('/long', `X-Long: ${'x'.repeat(900)}`)
    const { isClosed } = await say(port, text.repeat(20_000))
    await until(() => asked.length === 1)
    // The head in which the reading stopped is overdue by now, and the last of what is answered.
    await new Promise((resolve) => setTimeout(resolve, 1500))
    await until(() => {
      answer()
      return isClosed()
    })
    await until(() => gateway.requests === 0)
    expect(asked.length).toBeLessThan(300)
    expect(read()).toBeLessThan(2000)
  })

  test('and were read at once end the connection', async () => {
    const { port, gateway, asked, aborted, logged } = await held()
    const read = countRead()
    const { received, isClosed } = await say(port, get('/').repeat(20_000))
    await until(isClosed)
    await until(() => gateway.requests === 0)
    expect(read()).toBeGreaterThan(1000)
    expect(read()).toBeLessThan(6000)
    expect(received()).toBe('')
    expect(asked.length).toBeLessThanOrEqual(1)
    await until(() => aborted() === asked.length)
    expect(logged()).toHaveLength(1)
  })
})

describe('behind a request under way', () => {
  test('what cannot be read is answered in its turn', async () => {
    const { port, asked, answer } = await held()
    const { received, isClosed } = await say(port, `${get('/first')}no request\r\n\r\n`)
    await until(() => asked.length === 1)
    expect(received()).toBe('')
    answer()
    await until(isClosed)
    expect(statusesIn(received())).toEqual([200, 400])
  })

  test('a head that does not end is answered in its turn', async () => {
    const { port, asked, answer, metrics } = await held()
    const { received, isClosed } = await say(port, `${get('/first')}GET / HT`)
    await until(() => asked.length === 1)
    // Node looks at heads again and again; by now it has found this one, or it will later.
    await new Promise((resolve) => setTimeout(resolve, 700))
    expect(received()).toBe('')
    answer()
    await until(isClosed)
    expect(statusesIn(received())).toEqual([200, 408])
    expect(await metrics()).toContain('failures_total{code="request-timeout"} 1')
  })

  test('CONNECT is answered in its turn', async () => {
    const { port, asked, answer } = await held()
    const text = `${get('/first')}CONNECT a:443 HTTP/1.1\r\nHost: api.example\r\n\r\n`
    const { received, isClosed } = await say(port, text)
    await until(() => asked.length === 1)
    expect(received()).toBe('')
    answer()
    await until(isClosed)
    expect(statusesIn(received())).toEqual([200, 405])
  })

  test('a WebSocket begins in its turn', async () => {
    const { url, server } = await world.upstream((_request, response) => {
      setTimeout(() => response.end('ok'), 100)
    })
    server.on('upgrade', (_request, socket) => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nWELCOME',
      )
    })
    const { port } = await world.gateway(stateOf(world.snapshot(url)), {
      // Node's timer of idle connections must not end it.
      limits: { keepAliveMs: 50 },
    })
    const upgrade = get('/ws', 'Connection: Upgrade', 'Upgrade: websocket')
    const { received, isClosed } = await say(port, get('/first') + upgrade)
    await until(() => received().includes('WELCOME'))
    expect(statusesIn(received())).toEqual([200, 101])
    await new Promise((resolve) => setTimeout(resolve, 1200))
    expect(isClosed()).toBe(false)
  })

  test('a WebSocket that many are before loses nothing of what its client says early', async () => {
    const open: ServerResponse[] = []
    let got = ''
    const { url, server } = await world.upstream((_request, response) => open.push(response))
    server.on('upgrade', (_request, socket) => {
      socket.on('data', (data: Buffer) => {
        got += data.toString('latin1')
      })
      socket.on('error', () => {})
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nWELCOME',
      )
    })
    const { port } = await world.gateway(stateOf(world.snapshot(url)))
    const upgrade = get('/ws', 'Connection: Upgrade', 'Upgrade: websocket')
    const { socket, received } = await say(port, get('/a').repeat(40) + upgrade)
    await until(() => open.length === 1)
    socket.write('EARLY')
    for (let n = 0; n < 40; n++) {
      await until(() => open.length > 0)
      open.shift()?.end('ok')
    }
    await until(() => received().includes('WELCOME'))
    socket.write('LATE')
    await until(() => got === 'EARLYLATE')
  })

  test('a request whose body cannot be read is answered, and never forwarded', async () => {
    const { port, asked, answer } = await held()
    const bad =
      'POST /bad HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'
    const { received, isClosed } = await say(port, get('/first') + bad)
    await until(() => asked.length === 1)
    answer()
    await until(isClosed)
    expect(statusesIn(received())).toEqual([200, 400])
    expect(asked).toEqual(['GET /first'])
  })
})

describe('a body that cannot be read on', () => {
  const head = 'POST /bad HTTP/1.1\r\nHost: api.example\r\nTransfer-Encoding: chunked\r\n\r\n'

  test.each([
    ['at its first chunk', 'xyz\r\n'],
    ['later', '3\r\nabc\r\nxyz\r\n'],
    ['at the end of a chunk', '3\r\nabcXX0\r\n\r\n'],
  ])('%s is 400, once, and the upstream’s request is given up', async (_name, body) => {
    const { port, gateway, asked, logged, metrics } = await held()
    const { received, isClosed } = await say(port, head + body)
    await until(isClosed)
    expect(statusesIn(received())).toEqual([400])
    expect(received()).toContain('"code":"request-malformed"')
    expect(received()).toMatch(/^connection: close\r$/im)
    await until(() => gateway.requests === 0)
    expect(asked.length).toBeLessThanOrEqual(1)
    expect(logged()).toMatchObject([{ facts: { code: 'request-malformed', status: 400 } }])
    expect(await metrics()).toContain('failures_total{code="request-malformed"} 1')
  })

  test('after its answer has begun cuts the answer off', async () => {
    const { port, gateway } = await world.serve((_request, response) => {
      response.writeHead(200, { 'content-length': '10' })
      response.write('first')
    })
    const { socket, received, isClosed } = await say(port, `${head}3\r\nabc\r\n`)
    await until(() => received().includes('first'))
    socket.write('xyz\r\n')
    await until(isClosed)
    expect(statusesIn(received())).toEqual([200])
    await until(() => gateway.requests === 0)
  })

  test('after its answer has ended gets no second one', async () => {
    const { port } = await world.serve((_request, response) => response.end('done'))
    const { socket, received, isClosed } = await say(port, `${head}3\r\nabc\r\n`)
    await until(() => received().includes('done'))
    socket.write('xyz\r\n')
    await until(isClosed)
    expect(statusesIn(received())).toEqual([200])
  })

  test('nor after a refusal', async () => {
    const { port, gateway } = await held(requestPolicies(validating))
    const { socket, received, isClosed } = await say(port, head)
    await until(() => statusesIn(received()).length === 1)
    socket.write('xyz\r\n')
    await until(isClosed)
    expect(statusesIn(received())).toEqual([401])
    await until(() => gateway.requests === 0)
  })
})

describe('nothing is taken behind the last answer, RFC 9112 §9.6', () => {
  const next = post('/transfer', 'pay1')
  test.each([
    ['a transfer coding twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', 400],
    ['a length and a transfer coding', 'Transfer-Encoding: chunked\r\nContent-Length: 5', 400],
    ['another transfer coding', 'Transfer-Encoding: gzip, chunked', 501],
    ['an expectation', 'Expect: x\r\nTransfer-Encoding: chunked', 417],
  ])('%s', async (_name, lines, status) => {
    const { port, asked } = await held()
    const text = `POST /a HTTP/1.1\r\nHost: api.example\r\n${lines}\r\n\r\n0\r\n\r\n${next}`
    const { received, isClosed } = await say(port, text)
    await until(isClosed)
    expect(statusesIn(received())).toEqual([status])
    expect(asked).toEqual([])
  })

  test.each([
    ['Expect: 100-continue', 417, 'Expect: y'],
    ['a target that is none', 400, undefined],
    ['a refusal by policy', 401, undefined],
    ['too large a body', 413, undefined],
  ])('%s, while the body is still on its way', async (name, status, line) => {
    const { port, asked } = await (name.startsWith('a refusal')
      ? held(requestPolicies(validating))
      : held())
    const target = name.startsWith('a target') ? '/a#x' : '/a'
    const length = name.startsWith('too') ? 200_000_000_000 : 8
    const lines = [`Content-Length: ${length}`, ...(line === undefined ? [] : [line])]
    const head = `POST ${target} HTTP/1.1\r\nHost: api.example\r\n${lines.join('\r\n')}\r\n\r\nhalf`
    const { socket, received, isClosed } = await say(port, head)
    await until(() => statusesIn(received()).length === 1)
    expect(received()).toMatch(/^connection: close\r$/im)
    socket.write(`half${next}`)
    if (length === 8) await until(isClosed)
    expect(statusesIn(received())).toEqual([status])
    expect(asked).toEqual([])
  })

  test('that of a client which said that it is', async () => {
    const { port, asked, answer } = await held()
    const { received, isClosed } = await say(port, get('/last', 'Connection: close') + next)
    await until(() => asked.length === 1)
    answer()
    await until(isClosed)
    expect([statusesIn(received()), asked]).toEqual([[200], ['GET /last']])
  })

  test('that of HTTP/1.0', async () => {
    const { port, asked, answer } = await held()
    const text = `GET /last HTTP/1.0\r\nHost: api.example\r\n\r\n${next}`
    const { received, isClosed } = await say(port, text)
    await until(() => asked.length === 1)
    answer()
    await until(isClosed)
    expect([statusesIn(received()), asked]).toEqual([[200], ['GET /last']])
  })

  test('that of a version that is not spoken', async () => {
    const { port } = await held()
    const text = await raw(port, `GET / HTTP/2.0\r\nHost: api.example\r\n\r\n${next}`)
    expect(statusesIn(text)).toEqual([505])
  })
})
