/** Sessions that are resumed: the host that they were begun for stays the one that they are for. */
import http2 from 'node:http2'
import { connect } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { askOn, openWorld, stateOf, tlsOptions, until } from './support.ts'

const world = await openWorld()

/** `api.example` and `other.example` on the first certificate, `apart.example` on its own. */
async function fleet(): Promise<number> {
  const first = await world.certificate('first', ['api.example', 'other.example'])
  const second = await world.certificate('second', ['apart.example'])
  const { url } = await world.upstream((_request, response) => response.end())
  const hosts = ['api.example', 'other.example', 'apart.example']
  const { port } = await world.gateway(stateOf(world.snapshot(url, { hosts })), {
    listener: {
      certificates: [
        { hosts: ['api.example', 'other.example'], cert: first.cert, key: first.key },
        { hosts: ['apart.example'], cert: second.cert, key: second.key },
      ],
    },
  })
  return port
}

interface Tried {
  readonly session: Buffer
  readonly isResumed: boolean
  readonly status: number
}

interface Try {
  readonly tls: 'TLSv1.2' | 'TLSv1.3'
  readonly servername: string
  readonly host?: string
  readonly session?: Buffer
}

/** One request on a connection of its own, which may go on with a session. */
function attempt(port: number, { tls, servername, host = servername, session }: Try) {
  return new Promise<Tried>((resolve, reject) => {
    const options = { ...tlsOptions(port, { servername, tls }), ALPNProtocols: ['http/1.1'] }
    const socket = connect(session === undefined ? options : { ...options, session })
    let last = session
    let received = ''
    socket.on('session', (one) => {
      last = one
    })
    socket.on('data', (data) => {
      received += data
    })
    socket.on('error', reject)
    socket.on('secureConnect', () => {
      const isResumed = socket.isSessionReused()
      socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      until(() => last !== undefined && received.includes('\r\n\r\n')).then(() => {
        socket.destroy()
        resolve({ session: last as Buffer, isResumed, status: Number(received.slice(9, 12)) })
      }, reject)
    })
  })
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', (tls) => {
  test.each(['api.example', 'apart.example'])(
    '%s is served on every connection that goes on with its session',
    async (servername) => {
      const port = await fleet()
      let { session, ...first } = await attempt(port, { tls, servername })
      expect(first).toEqual({ isResumed: false, status: 200 })
      for (let n = 0; n < 3; n++) {
        const next = await attempt(port, { tls, servername, session })
        session = next.session
        expect([next.isResumed, next.status]).toEqual([true, 200])
      }
    },
  )

  test.each([
    ['api.example', 'other.example'],
    ['api.example', 'apart.example'],
    ['apart.example', 'api.example'],
  ])('a resumed session of %s is not for %s', async (servername, host) => {
    const port = await fleet()
    const { session } = await attempt(port, { tls, servername })
    const { isResumed, status } = await attempt(port, { tls, servername, host, session })
    expect([isResumed, status]).toEqual([true, 421])
  })

  test('a session that named no server is for what has no certificate of its own', async () => {
    const port = await fleet()
    const { session } = await attempt(port, { tls, servername: '', host: 'api.example' })
    for (const [host, status] of [
      ['api.example', 200],
      ['apart.example', 421],
    ] as const) {
      expect(await attempt(port, { tls, servername: '', host, session })).toMatchObject({
        isResumed: true,
        status,
      })
    }
  })
})

describe('a session that is resumed under another name, RFC 6066 §3', () => {
  const servername = 'apart.example'

  test('TLS 1.2: it is for the host that it was begun for, and for no other', async () => {
    const port = await fleet()
    const tls = 'TLSv1.2'
    const { session } = await attempt(port, { tls, servername: 'api.example' })
    const statuses: number[] = []
    for (const host of ['apart.example', 'other.example', 'api.example']) {
      statuses.push((await attempt(port, { tls, servername, host, session })).status)
    }
    expect(statuses).toEqual([421, 421, 200])
  })

  test('TLS 1.3: the name is that of the connection', async () => {
    const port = await fleet()
    const tls = 'TLSv1.3'
    const { session } = await attempt(port, { tls, servername: 'api.example' })
    const statuses: number[] = []
    for (const host of ['apart.example', 'api.example']) {
      statuses.push((await attempt(port, { tls, servername, host, session })).status)
    }
    expect(statuses).toEqual([200, 421])
  })
})

test('HTTP/2: a resumed session of TLS 1.2 is held to its name', async () => {
  const port = await fleet()
  const tls = 'TLSv1.2'
  const servername = 'apart.example'
  const { session } = await attempt(port, { tls, servername })
  const client = http2.connect(`https://${servername}`, {
    createConnection: () =>
      connect({ ...tlsOptions(port, { servername, tls }), session, ALPNProtocols: ['h2'] }),
  })
  world.after(() => client.destroy())
  const statuses: number[] = []
  for (const host of [servername, 'api.example']) {
    statuses.push((await askOn(client, { host })).status)
  }
  expect(statuses).toEqual([200, 421])
})
