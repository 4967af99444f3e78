/** The end of a gateway: what is under way goes on, and nobody who has connected is turned away without a word. */
import { type Socket, connect as tcpConnect } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect, type TLSSocket } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { askOn, openHttp2, openWorld, stateOf, tlsOptions, until } from './support.ts'

const world = await openWorld()

const get = 'GET / HTTP/1.1\r\nHost: api.example\r\n\r\n'

async function echoServer(milliseconds = 0): Promise<{ url: string; asked: () => number }> {
  const { url, server } = await world.upstream()
  const webSockets = new WebSocketServer({ noServer: true })
  let asked = 0
  server.on('upgrade', (request, socket: Duplex, head: Buffer) => {
    asked++
    setTimeout(() => {
      webSockets.handleUpgrade(request, socket, head, (one) => {
        one.on('message', (data, isBinary) => one.send(data, { binary: isBinary }))
        one.on('error', () => {})
      })
    }, milliseconds)
  })
  world.after(() => {
    for (const one of webSockets.clients) one.terminate()
  })
  return { url, asked: () => asked }
}

/** A client that says hello as soon as it can, and takes what it hears. */
function chat(port: number) {
  const webSocket = new WebSocket(`wss://127.0.0.1:${port}/`, {
    servername: 'api.example',
    rejectUnauthorized: false,
    headers: { host: 'api.example' },
  } as ConstructorParameters<typeof WebSocket>[2])
  world.after(() => webSocket.terminate())
  const heard: string[] = []
  let code: number | undefined
  webSocket.on('open', () => webSocket.send('hello'))
  webSocket.on('message', (data) => heard.push(String(data)))
  webSocket.on('error', (error) => heard.push(String(error)))
  webSocket.on('close', (one) => {
    code = one
  })
  return { webSocket, heard, code: () => code }
}

describe('WebSockets', () => {
  test('stay open until the time is over, and are told then', async () => {
    const { url } = await echoServer()
    const { port, gateway } = await world.gateway(stateOf(world.snapshot(url)))
    const { webSocket, heard, code } = chat(port)
    await until(() => heard.length === 1)
    const begin = performance.now()
    const drained = gateway.drain(1800)
    await new Promise((resolve) => setTimeout(resolve, 300))
    webSocket.send('still here')
    await until(() => heard.length === 2)
    expect([heard, code()]).toEqual([['hello', 'still here'], undefined])
    await drained
    await until(() => code() !== undefined)
    expect(code()).toBe(1001)
    expect(performance.now() - begin).toBeGreaterThan(700)
    expect(gateway.requests).toBe(0)
  })

  test('that end by themselves are not waited for', async () => {
    const { url } = await echoServer()
    const { port, gateway } = await world.gateway(stateOf(world.snapshot(url)))
    const { webSocket, heard, code } = chat(port)
    await until(() => heard.length === 1)
    const drained = gateway.drain(60_000)
    webSocket.close(1000)
    await drained
    await until(() => code() === 1000)
  })

  test('that are about to begin do', async () => {
    const { url, asked } = await echoServer(300)
    const { port, gateway } = await world.gateway(stateOf(world.snapshot(url)))
    const { webSocket, heard, code } = chat(port)
    await until(() => asked() === 1)
    const drained = gateway.drain(60_000)
    await until(() => heard.length === 1)
    expect([heard, code()]).toEqual([['hello'], undefined])
    webSocket.close(1000)
    await drained
  })

  test('are ended at the end, be it in the middle of a message', async () => {
    const url = await world.tcpUpstream((socket) => {
      socket.once('data', () => {
        const head =
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
        socket.write(Buffer.concat([Buffer.from(head), Buffer.of(0x82, 126, 1, 0, 1)]))
      })
    })
    const { port, gateway } = await world.gateway(stateOf(world.snapshot(url)))
    const socket = connect(tlsOptions(port), () =>
      socket.write(
        'GET / HTTP/1.1\r\nHost: api.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      ),
    )
    world.after(() => socket.destroy())
    socket.on('error', () => {})
    let received = Buffer.alloc(0)
    socket.on('data', (data) => {
      received = Buffer.concat([received, data])
    })
    await until(() => received.includes(Buffer.of(0x82, 126, 1, 0, 1)))
    await gateway.drain(100)
    await until(() => socket.destroyed)
    expect(received.subarray(-5)).toEqual(Buffer.of(0x82, 126, 1, 0, 1))
  })
})

/** A connection that the gateway has accepted, and has heard nothing of. */
async function connected(port: number): Promise<Socket> {
  const socket = tcpConnect(port, '127.0.0.1')
  world.after(() => socket.destroy())
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('connect', resolve))
  // It is accepted in the order of connecting.
  const other = await secured(port)
  other.destroy()
  return socket
}

async function secured(port: number, socket?: Socket, protocol = 'http/1.1'): Promise<TLSSocket> {
  const options = { ...tlsOptions(port), ALPNProtocols: [protocol] }
  const tls = connect(socket === undefined ? options : { ...options, socket })
  world.after(() => tls.destroy())
  tls.on('error', () => {})
  await new Promise((resolve, reject) => {
    tls.once('secureConnect', resolve)
    tls.once('close', () => reject(new Error('closed in the handshake')))
  })
  return tls
}

/** What it says until it ends, and how it ended. */
function everything(socket: TLSSocket): Promise<[text: string, end: 'in order' | 'broken off']> {
  return new Promise((resolve) => {
    let text = ''
    let isInOrder = false
    socket.on('data', (data) => {
      text += data
    })
    socket.on('end', () => {
      isInOrder = true
    })
    socket.on('close', () => resolve([text, isInOrder ? 'in order' : 'broken off']))
  })
}

describe('connections', () => {
  test('HTTP/1.1: who is in the handshake is answered, once', async () => {
    const { port, gateway } = await world.serve((_request, response) => response.end('served'))
    const socket = await connected(port)
    const drained = gateway.drain(60_000)
    const tls = await secured(port, socket)
    tls.write(get.repeat(2))
    const [text, end] = await everything(tls)
    expect(text.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 200'])
    expect(text).toMatch(/^connection: close\r$/im)
    expect([text.endsWith('served'), end]).toEqual([true, 'in order'])
    await drained
  })

  test('HTTP/2: who is in the handshake is answered', async () => {
    const { port, gateway } = await world.serve((_request, response) => response.end('served'))
    const socket = await connected(port)
    const drained = gateway.drain(60_000)
    const http2 = await import('node:http2')
    const tls = await secured(port, socket, 'h2')
    const session = http2.connect('https://api.example', { createConnection: () => tls })
    world.after(() => session.destroy())
    session.on('error', () => {})
    expect((await askOn(session)).body).toBe('served')
    await drained
    await until(() => session.closed)
  })

  test('who has just connected may send a request, and who says nothing is ended', async () => {
    const { port, gateway } = await world.serve((_request, response) => response.end('served'))
    const [speaker, silent] = [await secured(port), await secured(port)]
    const drained = gateway.drain(60_000)
    speaker.write(get)
    const [text] = await everything(speaker)
    expect(text.endsWith('served')).toBe(true)
    expect(await everything(silent)).toEqual(['', 'in order'])
    await drained
  })

  test('who has been answered before is ended at once, in order', async () => {
    const { port, gateway } = await world.serve((_request, response) => response.end('served'))
    const session = await openHttp2(port)
    world.after(() => session.destroy())
    expect((await askOn(session)).body).toBe('served')
    const socket = await secured(port)
    let text = ''
    socket.on('data', (data) => {
      text += data
    })
    socket.write(get)
    await until(() => text.endsWith('served'))
    const ended = everything(socket)
    await gateway.drain(60_000)
    expect(await ended).toEqual(['', 'in order'])
    await until(() => session.closed)
  })

  test.each([
    ['is the last', 0],
    ['is followed by one more, if that was asked for, and that says that it is the last', 1],
  ])('an answer that had begun before %s', async (_, more) => {
    const answers: (() => void)[] = []
    const { port, gateway } = await world.serve((_request, response) => {
      response.write('first ')
      answers.push(() => response.end('last'))
    })
    const socket = await secured(port)
    let text = ''
    socket.on('data', (data) => {
      text += data
    })
    socket.write(get)
    await until(() => text.includes('first '))
    const drained = gateway.drain(60_000)
    const ended = everything(socket)
    socket.write(get.repeat(2 * more))
    for (let n = 0; n <= more; n++) {
      await until(() => answers.length > n)
      answers[n]?.()
    }
    expect((await ended)[1]).toBe('in order')
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(1 + more)
    expect(text.match(/^connection: close\r$/gim) ?? []).toHaveLength(more)
    await drained
  })
})
