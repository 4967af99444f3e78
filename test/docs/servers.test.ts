/** The servers of docs/middleware.md: each listens, lets the good client in, and nobody else. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:http2'
import { type AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { writeDemoPki } from '../../src/cli/demo-pki.ts'
import { isServer, type Modules, runExample } from './examples.ts'
import { blocksOf, readPage } from './markdown.ts'
import { ask } from './tls-client.ts'

const blocks = blocksOf(readPage('docs/middleware.md')).filter(({ code }) => isServer(code))
const options = blocks.filter(({ code }) => code.includes('export const options'))
const programs = blocks.filter(({ code }) => !options.some((one) => one.code === code))
const frameworks: Modules = {
  express: () => import('express'),
  fastify: () => import('fastify'),
  hono: () => import('hono'),
  koa: () => import('koa'),
  ws: () => import('ws'),
  '@hono/node-server': () => import('@hono/node-server'),
  'node:http2': () => import('node:http2'),
  'node:https': () => import('node:https'),
}

const before = process.cwd()
const folder = mkdtempSync(join(tmpdir(), 'mtls-policy-servers-'))
const shared = {}
beforeAll(async () => {
  await writeDemoPki(folder, new Date(), { organization: 'Example', key: 'P-256' }, false)
  process.chdir(folder)
  const code = options[0]?.code.replace(/^export /gm, '')
  await runExample(`${code}\nObject.assign(shared, { options, tls })`, { shared })
})
afterAll(() => {
  process.chdir(before)
  rmSync(folder, { recursive: true })
})

const running: Server[] = []
afterEach(() => {
  vi.restoreAllMocks()
  for (const server of running.splice(0)) {
    if ('closeAllConnections' in server) (server.closeAllConnections as () => void)()
    server.close()
  }
})

/** Port 8443 of the page is a free one here. */
async function start(code: string): Promise<Server> {
  const { listen } = Server.prototype
  vi.spyOn(Server.prototype, 'listen').mockImplementation(function (
    this: Server,
    ...[first, ...others]: readonly unknown[]
  ) {
    running.push(this)
    const isObject = typeof first === 'object' && first !== null
    const free = isObject ? { ...first, port: portOf(Reflect.get(first, 'port')) } : portOf(first)
    return Reflect.apply(listen, this, [free, ...others])
  })
  await runExample(code, {}, { ...frameworks, './options.mjs': async () => shared })
  const [server] = running
  if (server === undefined) throw new Error('the example does not listen')
  await expect.poll(() => server.listening).toBe(true)
  return server
}

function portOf(shown: unknown): unknown {
  return shown === 8443 ? 0 : shown
}

const client = '--cacert ca.pem --cert clients/client-a.pem --key keys/client-a.key'
const expired = '--cacert ca.pem --cert clients/expired.pem --key keys/expired.key'
const subject = 'CN=client-a,O=Example'

test('there is one file of options, and a server for each framework', () => {
  expect(options).toHaveLength(1)
  const imported = programs.flatMap(({ code }) => code.match(/'mtls-policy\/[\w-]+'/g) ?? [])
  expect([...new Set(imported)].toSorted()).toEqual(
    ['express', 'fastify', 'hono', 'koa', 'node-http'].map((name) => `'mtls-policy/${name}'`),
  )
})

test.each(programs)('the server in line $line lets the good client in alone', async ({ code }) => {
  const server = (await start(code)) as Parameters<typeof ask>[0]
  expect(await ask(server, client)).toBe(subject)
  for (const [line, detail] of [
    [expired, 'The client certificate was not accepted.'],
    ['--cacert ca.pem', 'A client certificate is required.'],
  ] as const) {
    expect(JSON.parse(await ask(server, line))).toMatchObject({ status: 401, detail })
  }
})

test('the server for HTTP/2 speaks it', async () => {
  const { port } = (await start(programOf('createSecureServer('))).address() as AddressInfo
  const session = connect(`https://localhost:${port}`, { ...files(), host: '127.0.0.1' })
  const stream = session.request({ ':path': '/' })
  stream.setEncoding('utf8')
  let body = ''
  for await (const part of stream) body += part
  session.close()
  expect(body).toBe(subject)
})

test('the server for WebSockets greets by name, and answers strangers 401', async () => {
  const { port } = (await start(programOf('WebSocketServer'))).address() as AddressInfo
  const first = (given: object) =>
    new Promise((resolve, reject) => {
      const options = { ca: readFileSync('ca.pem'), servername: 'localhost', ...given }
      const webSocket = new WebSocket(`wss://127.0.0.1:${port}/`, {
        ...options,
        headers: { host: 'localhost' },
      })
      webSocket.on('message', (message) => {
        resolve(String(message))
        webSocket.terminate()
      })
      webSocket.on('unexpected-response', (_request, { statusCode }) => resolve(statusCode))
      webSocket.on('error', reject)
    })
  expect(await first(files())).toBe(subject)
  expect(await first({})).toBe(401)
})

test('a route before the guard is for everybody', async () => {
  const server = (await start(programOf('/health'))) as Parameters<typeof ask>[0]
  expect(await ask(server, '--cacert ca.pem', '/health')).toBe('up')
})

function programOf(text: string): string {
  const [program, ...others] = programs.filter(({ code }) => code.includes(text))
  if (program === undefined || others.length > 0) throw new Error(`not one example has ${text}`)
  return program.code
}

function files(): object {
  return {
    ca: readFileSync('ca.pem'),
    cert: readFileSync('clients/client-a.pem'),
    key: readFileSync('keys/client-a.key'),
  }
}
