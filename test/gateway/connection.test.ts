/** What a client presented, asked of OpenSSL in the cheap way: the same as in the usual one. */
import type { AddressInfo } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  ClientConnection,
  clientCertificates,
  leafInSession,
} from '../../src/gateway/connection.ts'
import { createPki, issueCa, type Pki } from '../../src/testing/index.ts'
import { requestWith } from '../http/support.ts'

let pki: Pki
beforeAll(async () => {
  pki = await createPki()
})

const endings: (() => void)[] = []
afterAll(() => {
  for (const end of endings) end()
})

/** The server's ends of two connections, the second one resumed. */
async function pair(maxVersion: 'TLSv1.2' | 'TLSv1.3', hasCertificate: boolean) {
  const ca = await issueCa('Server CA')
  const { chainPem: cert, privateKeyPem: key } = await ca.issue('api.example', {
    extendedKeyUsage: ['serverAuth'],
  })
  const sockets: TLSSocket[] = []
  const server = createServer(
    { cert, key, requestCert: true, rejectUnauthorized: false, maxVersion },
    (socket) => {
      sockets.push(socket)
      socket.write('x')
    },
  )
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  const open = (session?: Buffer) =>
    new Promise<Buffer>((resolve, reject) => {
      const socket = connect({
        host: '127.0.0.1',
        port,
        servername: 'api.example',
        rejectUnauthorized: false,
        ...(session === undefined ? {} : { session }),
        ...(hasCertificate ? { cert: pki.chainPem, key: pki.clientKeyPem } : {}),
      })
      let last = session
      let hasData = false
      // In whichever order they come.
      const look = (): void => {
        if (hasData && last !== undefined) resolve(last)
      }
      socket.on('session', (one: Buffer) => {
        last = one
        look()
      })
      socket.on('data', () => {
        hasData = true
        look()
      })
      socket.on('error', reject)
      endings.push(() => socket.destroy())
    })
  endings.push(() => server.close())
  await open(await open())
  return sockets
}

const hex = (octets: Uint8Array | undefined): string | undefined =>
  octets && Buffer.from(octets).toString('hex')

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', (version) => {
  test('the client’s own certificate, and what came with it', async () => {
    const [first, resumed] = (await pair(version, true)).map(
      (socket) => new ClientConnection(socket),
    )
    const [leaf, issuing] = [pki.client, pki.issuing].map(({ der }) => hex(der))
    expect([first?.isResumed, resumed?.isResumed]).toEqual([false, true])
    expect([first?.serverName, first?.remoteAddress]).toEqual(['api.example', '127.0.0.1'])
    expect(hex(first?.leaf)).toBe(leaf)
    expect(first?.certificates().map(hex)).toEqual([leaf, issuing])
    // OpenSSL itself tells of the others once.
    expect(first?.certificates().map(hex)).toEqual([leaf, issuing])
    expect(hex(resumed?.leaf)).toBe(leaf)
    expect(resumed?.certificates().map(hex)).toEqual([leaf])
  })

  test('the whole first, and its own after that', async () => {
    const [first] = (await pair(version, true)).map((socket) => new ClientConnection(socket))
    expect(first?.certificates()).toHaveLength(2)
    expect(hex(first?.leaf)).toBe(hex(pki.client.der))
  })

  test('is found in OpenSSL’s session, whatever else becomes of those octets', async () => {
    const [socket] = await pair(version, true)
    const session = new Uint8Array(socket?.getSession() ?? [])
    const leaf = hex(pki.client.der)
    expect(hex(leafInSession(session))).toBe(leaf)
    for (let end = 0; end < session.length; end++) {
      expect(leafInSession(session.subarray(0, end))).toBeUndefined()
    }
    const octets = fc.tuple(fc.nat(session.length - 1), fc.nat(255))
    fc.assert(
      fc.property(octets, ([at, octet]) => {
        const read = leafInSession(session.with(at, octet))
        expect(read === undefined || read.length <= session.length).toBe(true)
      }),
    )
    fc.assert(fc.property(fc.uint8Array(), (noise) => void leafInSession(noise)))
    // A length of 2^32 octets.
    expect(leafInSession(Uint8Array.of(0x30, 0x84, 255, 255, 255, 255))).toBeUndefined()
    expect(leafInSession(Uint8Array.of(0x30, 2, 0xa2))).toBeUndefined()
    expect(leafInSession(Uint8Array.of(0x30, 2, 2, 0))).toBeUndefined()
  })

  test('is asked of Node where the session is another encoding', async () => {
    const [socket] = await pair(version, true)
    vi.spyOn(socket as TLSSocket, 'getSession').mockReturnValue(Buffer.from('another'))
    expect(hex(new ClientConnection(socket as TLSSocket).leaf)).toBe(hex(pki.client.der))
  })

  test('is none of a socket that is closed', async () => {
    const [socket] = await pair(version, true)
    const connection = new ClientConnection(socket as TLSSocket)
    const closed = new Promise((resolve) => socket?.on('close', resolve))
    socket?.destroy()
    await closed
    expect([connection.leaf, connection.certificates()]).toEqual([undefined, []])
    expect(connection.remoteAddress).toBeUndefined()
  })

  test('none', async () => {
    for (const socket of await pair(version, false)) {
      const connection = new ClientConnection(socket)
      expect([connection.leaf, connection.certificates()]).toEqual([undefined, []])
    }
  })

  test('the source remembers the chain of who was let in, by the client’s own certificate', async () => {
    const [first, resumed] = (await pair(version, true)).map(
      (socket) => new ClientConnection(socket),
    )
    const source = clientCertificates(10)
    const read = (connection: ClientConnection | undefined) => {
      const found = source.read(requestWith({}, connection))
      const certificates = found.kind === 'presented' ? found.read() : undefined
      return certificates?.ok ? certificates.value.map(hex) : found.kind
    }
    const chain = [pki.client, pki.issuing].map(({ der }) => hex(der))
    expect(read(first)).toEqual(chain)
    source.accepted?.([pki.client.der, pki.issuing.der])
    expect(read(resumed)).toEqual(chain)
    const other = clientCertificates(10)
    other.accepted?.([pki.issuing.der, pki.root.der])
    const found = other.read(requestWith({}, resumed))
    expect(found.kind === 'presented' && found.read()).toMatchObject({ ok: true, value: [{}] })
  })
})

describe('what is no connection of a gateway', () => {
  test('has no certificate', () => {
    expect(clientCertificates(1).read(requestWith({})).kind).toBe('absent')
  })
})
