/** Whoever is refused while they still send gets to read why: RFC 9112 §9.6. */

import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ServedManagement, serveManagement } from '../../../src/management/index.ts'
import { makeProject, useManager } from './support.ts'

const manager = useManager({ bodyTimeoutMs: 5000 })
/** Waits as long as it does by default: 50 MB take their time on a busy machine. */
let patient: ServedManagement
/** Waits for a second and a half. */
let served: ServedManagement

beforeAll(async () => {
  await makeProject(manager.client)
  const management = { ...manager.management, close: async () => {} }
  patient = await serveManagement({ management, port: 0, drainMs: 100 })
  served = await serveManagement({ management, port: 0, lingerMs: 1500, drainMs: 100 })
})
afterAll(async () => {
  await served.close()
  await patient.close()
})

const policy = '/apiops/projects/MyProject/apiProxies/MyAPI/policies/x/'
const large = 50_000_000

function head(framing: string, token = manager.token, path = policy): string {
  return [
    `POST ${path} HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    framing,
    '',
    '',
  ].join('\r\n')
}

interface Outcome {
  readonly text: string
  readonly sent: number
  /** Of the socket; absent: it ended in order. */
  readonly error?: string
}

/** As simple clients do: sends everything, and only then reads. */
async function sendAll(text: string, pieces: readonly string[], to = served): Promise<Outcome> {
  const socket = connect(to.port, '127.0.0.1')
  let error: string | undefined
  socket.on('error', (thrown: NodeJS.ErrnoException) => {
    error = thrown.code ?? 'unknown'
  })
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  socket.pause()
  socket.write(text)
  let sent = 0
  for (const piece of pieces) {
    if (socket.destroyed) break
    const isFlushed = await new Promise<boolean>((resolve) => {
      socket.write(piece, (failure) => resolve(!failure))
      socket.once('close', () => resolve(false))
    })
    if (!isFlushed) break
    sent += piece.length
  }
  let answer = ''
  socket.on('data', (chunk) => {
    answer += String(chunk)
  })
  socket.resume()
  await closed
  return { text: answer, sent, ...(error === undefined ? {} : { error }) }
}

const piece = 'x'.repeat(100_000)
const all = Array<string>(large / piece.length).fill(piece)
const hex = piece.length.toString(16)

describe('who sends 50 MB to the end and only then reads', () => {
  test.each<readonly [string, () => string, readonly string[], number]>([
    ['has stated its size', () => head(`Content-Length: ${large}`), all, 413],
    [
      'sends it in chunks',
      () => head('Transfer-Encoding: chunked'),
      [...all.map((one) => `${hex}\r\n${one}\r\n`), '0\r\n\r\n'],
      413,
    ],
    ['has a bad token', () => head(`Content-Length: ${large}`, 'wrong'), all, 401],
    [
      'sends it to nowhere',
      () => head(`Content-Length: ${large}`, manager.token, '/nowhere/'),
      all,
      404,
    ],
  ])('and %s reads the answer', async (_what, begin, pieces, status) => {
    const { text, sent, error } = await sendAll(begin(), pieces, patient)
    expect(error).toBeUndefined()
    expect(sent).toBe(pieces.reduce((sum, one) => sum + one.length, 0))
    const [start, body = ''] = text.split('\r\n\r\n')
    expect(start).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(start).toMatch(/^connection: close$/im)
    expect(start).toMatch(new RegExp(`^content-length: ${body.length}$`, 'im'))
    expect(JSON.parse(body)).toMatchObject({ success: false })
  })

  test('over fetch, again and again', async () => {
    for (let i = 0; i < 5; i++) {
      const response = await fetch(`${patient.url}${policy}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${manager.token}`, 'content-type': 'application/json' },
        body: 'x'.repeat(large),
      })
      expect([response.status, await response.json()]).toMatchObject([
        413,
        { error: { code: 'body-too-large' } },
      ])
    }
  })
})

test('who is answered without a body while they still send reads it, and is closed', async () => {
  const environment = 'production'
  const rights = [{ right: 'gateway', environment }] as const
  const { token } = await manager.management.createToken('gateway', { rights })
  const path = `/apiops/environments/${environment}/gateways/g1/report/`
  const report = { gateway: 'g1', environment, runs: [], live: null, problems: [] }
  expect((await manager.send('PUT', path, { body: report, token })).status).toBe(204)
  const begin = head('Content-Length: 10', token, path).replace(/^POST/, 'DELETE')
  const { text, error } = await sendAll(begin, ['x'])
  expect(error).toBeUndefined()
  expect(text).toMatch(/^HTTP\/1\.1 204 /)
  expect(text).toMatch(/^connection: close$/im)
  expect(text.split('\r\n\r\n')[1]).toBe('')
  expect(await manager.store.db.selectFrom('gateways').selectAll().execute()).toEqual([])
})

describe('nobody is waited for without end', () => {
  test('who sends nothing more is left', async () => {
    const start = performance.now()
    const { text } = await sendAll(head(`Content-Length: ${large}`), ['{'])
    expect(text).toMatch(/^HTTP\/1\.1 413 /)
    expect(performance.now() - start).toBeLessThan(4000)
  })

  test('who never stops is cut off', async () => {
    const start = performance.now()
    const socket = connect(served.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(head('Transfer-Encoding: chunked'))
    const timer = setInterval(() => socket.write('1\r\nx\r\n'), 20)
    socket.write(`200000\r\n${'x'.repeat(0x200000)}\r\n`)
    let text = ''
    socket.on('data', (chunk) => {
      text += String(chunk)
    })
    await new Promise<void>((resolve) => socket.on('close', () => resolve()))
    clearInterval(timer)
    expect(text).toMatch(/^HTTP\/1\.1 413 /)
    expect(performance.now() - start).toBeLessThan(4000)
  })

  test('a body that is read whole leaves the connection as it is', async () => {
    const body = '{}'
    const socket = connect(served.port, '127.0.0.1')
    let text = ''
    socket.on('data', (chunk) => {
      text += String(chunk)
      if (text.split('HTTP/1.1 422 ').length === 3) socket.destroy()
    })
    const one = `${head(`Content-Length: ${body.length}`)}${body}`
    socket.write(one + one)
    await new Promise<void>((resolve) => socket.on('close', () => resolve()))
    expect(text).not.toMatch(/^connection: close$/im)
  })
})
