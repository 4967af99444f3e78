/** Bodies of requests that are late, large, or not wanted any more: who gave up is told apart, and nothing is left behind. */
import https from 'node:https'
import { connect } from 'node:tls'
import { describe, expect, test } from 'vitest'
import {
  ask,
  askOn,
  codeOf,
  openHttp2,
  openWorld,
  raw,
  requestPolicies,
  stateOf,
  tlsOptions,
  until,
  type Version,
  validating,
  versions,
} from './support.ts'

const world = await openWorld()

describe.each(versions)('%s: a body', (version) => {
  test('that an upstream does not read counts against the upstream', async () => {
    const url = await world.tcpUpstream((socket) => socket.pause())
    const { port } = await world.gateway(
      stateOf(world.snapshot(url, { upstream: { timeoutMs: 400, maxBodyBytes: 100_000_000 } })),
      { limits: { bodyIdleMs: 50 } },
    )
    const answer = await ask(version, port, {
      method: 'POST',
      body: Buffer.alloc(30_000_000),
      headers: version === 'HTTP/1.1' ? { 'transfer-encoding': 'chunked' } : {},
    }).catch(({ code }) => code)
    // A client that writes on may lose the answer with its connection.
    if (typeof answer === 'string') expect(answer).toMatch(/ECONNRESET|EPIPE|ERR_HTTP2/)
    else expect([answer.status, codeOf(answer)]).toEqual([504, 'upstream-timeout'])
  })

  test.each([
    ['stalls', { bodyIdleMs: 100 }, 0],
    ['grows too large', {}, 200_000],
  ])('that %s behind an answer that has begun cuts it off', async (_, limits, octets) => {
    const { port, gateway } = await world.serve(
      (_request, response) => void response.writeHead(200, { 'content-length': 10 }).write('half'),
      { upstream: { maxBodyBytes: 100_000 } },
      { limits },
    )
    const [end, received] = await speakInTurns(version, port, 'x'.repeat(octets))
    expect([end, received]).toEqual(['broken off', 'half'])
    await until(() => gateway.requests === 0)
  })

  test('may wait for the answer, and come after it', async () => {
    const { port } = await world.serve((request, response) => {
      response.writeHead(200, { 'content-length': 7 }).write('go on')
      request.on('data', (data) => response.end(String(data)))
    })
    expect(await speakInTurns(version, port, 'ok')).toEqual(['whole', 'go onok'])
  })
})

/** Says something once the answer has begun, and not that this is all. */
function speakInTurns(
  version: Version,
  port: number,
  text: string,
): Promise<readonly [end: 'whole' | 'broken off', received: string]> {
  return new Promise((resolve, reject) => {
    let received = ''
    const isWhole = () => received.length === 7
    if (version === 'HTTP/1.1') {
      const request = https.request({
        ...tlsOptions(port),
        agent: false,
        method: 'POST',
        headers: { host: 'api.example', 'transfer-encoding': 'chunked' },
      })
      world.after(() => request.destroy())
      request.on('error', () => {})
      request.on('response', (response) => {
        if (text !== '') request.write(text)
        response.on('data', (data) => {
          received += data
        })
        response.on('error', () => resolve(['broken off', received]))
        response.on('end', () => resolve([isWhole() ? 'whole' : 'broken off', received]))
      })
      request.flushHeaders()
      return
    }
    openHttp2(port).then((session) => {
      world.after(() => session.destroy())
      const stream = session.request({ ':method': 'POST', ':authority': 'api.example' })
      stream.on('response', () => {
        if (text !== '') stream.write(text)
      })
      stream.on('data', (data) => {
        received += data
        if (isWhole()) resolve(['whole', received])
      })
      stream.on('error', () => resolve(['broken off', received]))
    }, reject)
  })
}

describe('what an upstream does not wait for', () => {
  test('HTTP/1.1: is read and thrown away, and the connection goes on', async () => {
    const { port } = await world.serve((_request, response) => {
      response.writeHead(200, { connection: 'close', 'content-length': 2 }).end('ok')
    })
    const chunk = 'x'.repeat(60_000)
    const text = await new Promise<string>((resolve, reject) => {
      let received = ''
      const socket = connect(tlsOptions(port), () =>
        socket.write(
          `POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: ${60_000 * 20}\r\n\r\n`,
        ),
      )
      socket.on('data', (data) => {
        received += data
        if (!received.endsWith('ok')) return
        if (received.split('HTTP/1.1 200').length === 3) {
          socket.destroy()
          resolve(received)
          return
        }
        for (let n = 0; n < 20; n++) socket.write(chunk)
        socket.write('POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 0\r\n\r\n')
      })
      socket.on('error', reject)
      socket.on('close', () => resolve(received))
    })
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200'])
  })

  test('HTTP/2: a refusal ends the stream, and the connection goes on', async () => {
    const { port, gateway } = await world.serve(undefined, {
      policies: requestPolicies(validating),
    })
    const session = await openHttp2(port)
    world.after(() => session.destroy())
    const stream = session.request({ ':method': 'POST', ':authority': 'api.example' })
    stream.write('never read')
    const status = new Promise((resolve) =>
      stream.on('response', (head) => resolve(head[':status'])),
    )
    const closed = new Promise((resolve) => stream.on('close', () => resolve(stream.rstCode)))
    let body = ''
    stream.on('data', (data) => {
      body += data
    })
    expect(await status).toBe(401)
    // NO_ERROR: RFC 9113 §8.1.
    expect(await closed).toBe(0)
    expect(JSON.parse(body)).toMatchObject({ status: 401 })
    await until(() => gateway.requests === 0)
    expect((await askOn(session)).status).toBe(401)
  })
})

describe('HTTP/1.1: a length', () => {
  test('of sixteen digits is none', async () => {
    const { port } = await world.serve()
    const headers = { 'content-length': '9999999999999999' }
    const answer = await ask('HTTP/1.1', port, { method: 'POST', headers, body: 'x' })
    expect([answer.status, codeOf(answer)]).toEqual([400, 'request-malformed'])
  })

  test('is not told by two codings, in two lines', async () => {
    const { port } = await world.serve((_request, response) => response.end('let in'))
    const lines = 'Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\nConnection: close'
    const text = await raw(
      port,
      `POST / HTTP/1.1\r\nHost: api.example\r\n${lines}\r\n\r\n0\r\n\r\n`,
    )
    expect(text).toMatch(/^HTTP\/1\.1 501 /)
    expect(text).toContain('"code":"transfer-coding-unsupported"')
  })
})

test('a request that may have had an effect is not sent again, with a body or without', async () => {
  let requests = 0
  const url = await world.tcpUpstream((socket) => {
    socket.on('data', () => {
      if (++requests === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      else socket.resetAndDestroy()
    })
  })
  const { port } = await world.gateway(stateOf(world.snapshot(url)))
  const session = await openHttp2(port)
  world.after(() => session.destroy())
  expect((await askOn(session, { method: 'POST' })).status).toBe(200)
  const answer = await askOn(session, { method: 'POST' })
  expect([answer.status, codeOf(answer), requests]).toEqual([502, 'upstream-failed', 2])
})
