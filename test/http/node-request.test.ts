/** What a guard sees of a request of Node. */
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { expect, test } from 'vitest'
import { NodeHttpRequest } from '../../src/http/node/request.ts'

/** The request as a server of HTTP/1 has it, whatever its first line says. */
async function requestFrom(head: string): Promise<IncomingMessage | undefined> {
  const server = createServer()
  const seen = new Promise<IncomingMessage | undefined>((resolve) => {
    server.once('request', resolve)
    server.once('clientError', () => resolve(undefined))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(head)
  try {
    return await seen
  } finally {
    socket.destroy()
    server.close()
  }
}

test.each(['HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9'])(
  'a request that calls itself %s on a connection of HTTP/1 is one of HTTP/1',
  async (version) => {
    const request = await requestFrom(`GET / ${version}\r\nHost: a.example\r\n\r\n`)
    // Another version of Node may refuse it by itself.
    if (request === undefined) return expect(version).not.toMatch(/^HTTP\/1/)
    const seen = new NodeHttpRequest(request)
    expect(seen.isHttp1).toBe(true)
    expect(seen.authority).toBe('a.example')
    expect(seen.connection?.remoteAddress).toBe('127.0.0.1')
    return undefined
  },
)

test('a second Host is none: RFC 9112 §3.2', async () => {
  const request = await requestFrom('GET / HTTP/1.1\r\nHost: a.example\r\nhost: b.example\r\n\r\n')
  expect(new NodeHttpRequest(request as IncomingMessage).authority).toBeUndefined()
})
