/** Fetch handlers and Hono where there is no Node: what Deno, Bun and Workers hand over is what is read. */
import { Hono } from 'hono'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import * as forFetch from '../../../src/http/fetch.web.ts'
import * as forHono from '../../../src/http/hono.web.ts'
import type { DecisionEvent, GuardOptions } from '../../../src/http/index.ts'
import { cloudflareWorker, rfc9440 } from '../../../src/http/sources/index.ts'
import { sfBinary } from '../support.ts'
import { createWorld, optionsOf, type World } from './world.ts'

let world: World
let forwarded: Record<string, string>
const events: DecisionEvent[] = []
beforeAll(async () => {
  world = await createWorld()
  const { client, issuing } = world.pki
  forwarded = { 'Client-Cert': sfBinary(client.der), 'Client-Cert-Chain': sfBinary(issuing.der) }
})
beforeEach(() => {
  events.length = 0
})

const options = (more: object = {}): GuardOptions => ({
  ...optionsOf(world, events),
  source: rfc9440({ trust: { addresses: ['127.0.0.1'] } }),
  ...more,
})

/** Answers with the body that came, under the subject and the header that a handler behind the guard sees. */
type Ask = (request: Request, info: unknown) => Promise<Response>

const kinds: readonly (readonly [string, (made: GuardOptions) => Ask])[] = [
  [
    'a fetch handler',
    (made) =>
      forFetch.mtls<[unknown]>(
        (request, { clientCertificate }) =>
          new Response(request.body, {
            headers: {
              subject: `${clientCertificate.identity?.subject}`,
              header: `${request.headers.get('x-client-subject')}`,
              forwarded: `${request.headers.has('client-cert')}`,
            },
          }),
        made,
      ),
  ],
  [
    'Hono',
    (made) => {
      const app = new Hono<{ Variables: forHono.Variables }>()
      app.use(forHono.mtls(made))
      app.all('*', (context) =>
        context.body(context.req.raw.body as ReadableStream, 200, {
          subject: `${context.get('clientCertificate').identity?.subject}`,
          header: `${context.req.header('x-client-subject')}`,
          forwarded: `${context.req.raw.headers.has('client-cert')}`,
        }),
      )
      return async (request, info) => app.fetch(request, info as object)
    },
  ],
]

const url = 'https://app.example/api/x'
const subject = 'CN=client-a,O=Example'

describe.each(kinds)('%s', (_, make) => {
  test.each<[string, (address: string) => unknown]>([
    ['Deno', (hostname) => ({ remoteAddr: { transport: 'tcp', hostname, port: 1 } })],
    ['Bun', (address) => ({ requestIP: () => ({ address, family: 'IPv4', port: 1 }) })],
  ])('asks %s for the address of the proxy', async (_runtime, infoOf) => {
    const ask = make(options())
    const headers = { ...forwarded, 'X-Client-Subject': 'CN=admin' }
    const response = await ask(new Request(url, { headers }), infoOf('127.0.0.1'))
    expect(response.status).toBe(200)
    expect(response.headers.get('subject')).toBe(subject)
    expect(response.headers.get('header')).toBe(subject)
    expect(response.headers.get('forwarded')).toBe('false')
    expect((await ask(new Request(url, { headers }), infoOf('192.0.2.1'))).status).toBe(401)
    expect(events.at(-1)).toMatchObject({ code: 'proxy-not-trusted' })
  })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', '127.0.0.1'],
    ['no address', { remoteAddr: undefined }],
    ['an address that is none', { remoteAddr: { hostname: 1 } }],
    ['a server without an address', { requestIP: () => null }],
    ['a field that is none of Bun', { requestIP: '127.0.0.1' }],
  ])('trusts no address when the runtime says %s', async (_said, info) => {
    const ask = make(options())
    expect((await ask(new Request(url, { headers: forwarded }), info)).status).toBe(401)
    expect(events.at(-1)).toMatchObject({ code: 'proxy-not-trusted' })
  })

  test('reads what a Worker knows of its connection', async () => {
    const ask = make(options({ source: cloudflareWorker() }))
    const tlsClientAuth = {
      certPresented: '1',
      certVerified: 'SUCCESS',
      certRevoked: '0',
      certRFC9440: forwarded['Client-Cert'],
      certRFC9440TooLarge: false,
      certChainRFC9440: forwarded['Client-Cert-Chain'],
      certChainRFC9440TooLarge: false,
    }
    const request = Object.assign(new Request(url), { cf: { tlsClientAuth } })
    expect((await ask(request, {})).headers.get('subject')).toBe(subject)
    expect((await ask(new Request(url), {})).status).toBe(401)
  })

  test('passes a body on while it is still coming', async () => {
    const ask = make(options())
    let push: (part: string | undefined) => void = () => {}
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        push = (part) =>
          part === undefined
            ? controller.close()
            : controller.enqueue(new TextEncoder().encode(part))
      },
    })
    const init = { method: 'POST', headers: forwarded, body, duplex: 'half' }
    const response = await ask(new Request(url, init as RequestInit), {
      remoteAddr: { hostname: '127.0.0.1' },
    })
    expect(response.status).toBe(200)
    push('first, ')
    push('second')
    push(undefined)
    expect(await response.text()).toBe('first, second')
  })

  test('refuses without a header of the connection, and HEAD without a body', async () => {
    const ask = make(options())
    const info = { remoteAddr: { hostname: '127.0.0.1' } }
    const get = await ask(new Request(url), info)
    expect(get.status).toBe(401)
    expect(get.headers.get('connection')).toBeNull()
    expect(await get.json()).toMatchObject({ status: 401 })
    const head = await ask(new Request(url, { method: 'HEAD' }), info)
    expect({ status: head.status, body: await head.text() }).toEqual({ status: 401, body: '' })
  })
})

test('a request to which nothing is to be done is handed on as it is', async () => {
  const source = { ...cloudflareWorker({ assertedIdentity: true }) }
  const policies = [{ type: 'policy-auth-mtls', mode: 'report' }]
  let seen: Request | undefined
  const ask = forFetch.mtls<[unknown]>(
    (request) => {
      seen = request
      return new Response()
    },
    options({ source, policies, identityHeaders: undefined }),
  )
  const request = new Request(url)
  expect((await ask(request, {})).status).toBe(200)
  expect(seen).toBe(request)
})

test('what a handler is given besides reaches it', async () => {
  const ask = forFetch.mtls<[unknown, number]>(
    (_request, _client, info, more) => Response.json({ info, more }),
    options(),
  )
  const info = { remoteAddr: { hostname: '127.0.0.1' } }
  const response = await ask(new Request(url, { headers: forwarded }), info, 2)
  expect(await response.json()).toEqual({ info, more: 2 })
})

test.each([
  ['a fetch handler', () => forFetch.mtls(() => new Response(), options({ source: undefined }))],
  ['a guard', () => forFetch.createGuard(options({ source: undefined }))],
  ['Hono', () => forHono.mtls(options({ source: undefined }))],
])('without a source there is no %s: nothing else shows a certificate', (_, make) => {
  expect(make).toThrow(expect.objectContaining({ code: 'option-missing' }))
})
