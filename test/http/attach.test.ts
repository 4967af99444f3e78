/** Where handlers find a decision, with and without a framework that changes prototypes. */
import { createServer, IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Socket } from 'node:net'
import express5 from 'express'
// @ts-expect-error: the types are those of Express 5; what is used here is the same.
import express4 from 'express4'
import { describe, expect, test } from 'vitest'
import { Decision } from '../../src/http/decision.ts'
import { attach } from '../../src/http/node/attach.ts'

type Attached = IncomingMessage & { clientCertificate?: Decision | string }

const decision = new Decision(401, 'certificate-missing')

/** What `handler` returns for one real request. */
async function answerOf(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  try {
    const { port } = server.address() as AddressInfo
    return await (await fetch(`http://127.0.0.1:${port}/inner/x`)).text()
  } finally {
    server.close()
  }
}

describe.each([
  ['Express 5', express5],
  ['Express 4', express4 as typeof express5],
])('%s', (_, express) => {
  test('is found in the application, in one mounted in it, and after that one', async () => {
    const seen: boolean[] = []
    const look = (request: Attached) => seen.push(request.clientCertificate === decision)
    const inner = express()
    inner.use((request, _response, next) => {
      attach(request, decision)
      look(request)
      next()
    })
    const outer = express()
    outer.use((request: Attached, _response, next) => {
      seen.push(request.clientCertificate === undefined)
      next()
    })
    outer.use('/inner', inner)
    outer.use((request, response) => {
      look(request)
      response.send('done')
    })
    for (let i = 0; i < 2; i++) expect(await answerOf(outer)).toBe('done')
    expect(seen).toEqual([true, true, true, true, true, true])
  })

  test('what a later handler assigns takes its place', async () => {
    const app = express()
    app.use((request: Attached, response: { send(text: string): void }) => {
      attach(request as IncomingMessage, decision)
      request.clientCertificate = 'another'
      response.send(`${request.clientCertificate} ${Object.keys(request).at(-1)}`)
    })
    expect(await answerOf(app as unknown as RequestListener)).toBe('another clientCertificate')
  })

  test('takes the place of what an earlier handler assigned', async () => {
    const app = express()
    app.use((request: Attached, response: { send(text: string): void }) => {
      attach(request as IncomingMessage, new Decision(401, 'certificate-expired'))
      request.clientCertificate = 'another'
      attach(request as IncomingMessage, decision)
      response.send(String((request.clientCertificate as unknown) === decision))
    })
    expect(await answerOf(app as unknown as RequestListener)).toBe('true')
  })

  test('an accessor of somebody else is left alone, and written to', async () => {
    const app = express()
    let written: unknown
    Object.defineProperty(app.request, 'clientCertificate', {
      configurable: true,
      get: () => 'theirs',
      set: (value) => {
        written = value
      },
    })
    app.use((request: Attached, response: { send(text: unknown): void }) => {
      attach(request as IncomingMessage, decision)
      response.send(request.clientCertificate)
    })
    expect(await answerOf(app as unknown as RequestListener)).toBe('theirs')
    expect(written).toBe(decision)
  })
})

test('is a property of the request itself where nobody changes prototypes', () => {
  const request: Attached = new IncomingMessage(new Socket())
  attach(request as IncomingMessage, decision)
  expect(Object.hasOwn(request, 'clientCertificate')).toBe(true)
  expect(Object.hasOwn(IncomingMessage.prototype, 'clientCertificate')).toBe(false)
})

test('a prototype that cannot be extended is left as it is', () => {
  const prototype = Object.preventExtensions(Object.create(IncomingMessage.prototype))
  const request: Attached = Object.setPrototypeOf(new IncomingMessage(new Socket()), prototype)
  attach(request as IncomingMessage, decision)
  expect(request.clientCertificate).toBe(decision)
  expect(Object.hasOwn(request, 'clientCertificate')).toBe(true)
})
