/** What a gateway reads of a manager, octet by octet: everything has a bound, and a half is nothing. */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { EventsMalformed, readEvents } from '../../../src/gateway/subscription/events.ts'
import {
  chunksOf,
  linesOf,
  ManagerClient,
  ManagerRefused,
  ManagerUnreachable,
} from '../../../src/gateway/subscription/manager-client.ts'
import { StateFolder } from '../../../src/gateway/subscription/state-folder.ts'
import { makeFolder, removeFolder } from './support.ts'

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

async function* chunks(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text, 'latin1')
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const read: T[] = []
  for await (const item of items) read.push(item)
  return read
}

describe('events', () => {
  const event = 'event: state\nid: 7\ndata: {}\n\n'

  test('are read whole, whatever pieces they come in, and comments are none', async () => {
    const text = `:\n\n\n: hello\n${event}: again\n${event}`
    const expected = [
      { id: '7', data: '{}' },
      { id: '7', data: '{}' },
    ]
    expect(await all(readEvents(chunks(text), 1000))).toEqual(expected)
    expect(await all(readEvents(chunks(...text), 1000))).toEqual(expected)
  })

  test('that are half there are none', async () => {
    expect(await all(readEvents(chunks(event.slice(0, -1)), 1000))).toEqual([])
  })

  test.each([
    ['another event', 'event: other\nid: 7\ndata: {}\n\n'],
    ['no id', 'event: state\ndata: {}\n\n'],
    ['two of one field', 'event: state\nid: 7\nid: 8\ndata: {}\n\n'],
    ['another field', 'retry: 1\n\n'],
    ['text that is no UTF-8', 'event: state\nid: 7\ndata: \xff\n\n'],
    ['more than may be', `event: state\nid: 7\ndata: ${'x'.repeat(2000)}\n\n`],
    ['comments without end', ': x'.repeat(1000)],
  ])('with %s are refused', async (_, text) => {
    await expect(all(readEvents(chunks(text), 1000))).rejects.toThrow(EventsMalformed)
  })

  test('are bound each by itself', async () => {
    const many = Array.from({ length: 100 }, () => event)
    expect(await all(readEvents(chunks(...many), 100))).toHaveLength(100)
  })
})

describe('lines', () => {
  test('are read whole, whatever pieces they come in; what has no end is none', async () => {
    for (const pieces of [['a\n\nbc\nd'], ['a', '\n\nb', 'c\n', 'd']]) {
      const read = await all(linesOf(chunks(...pieces), 10))
      expect(read.map(String)).toEqual(['a', '', 'bc'])
    }
  })

  test('that are too long are refused', async () => {
    await expect(all(linesOf(chunks('x'.repeat(6), 'x'.repeat(6)), 10))).rejects.toThrow(
      ManagerRefused,
    )
  })
})

/** A manager that says these octets, and what it is sent. */
async function manager(answer: (socket: Socket, request: string, count: number) => void) {
  const sockets = new Set<Socket>()
  const requests: string[] = []
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (data) => {
      requests.push(String(data))
      answer(socket, String(data), requests.length)
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  endings.push(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, sockets }
}

function clientOf(managerUrl: string, token: string | (() => string) = 'secret') {
  const client = new ManagerClient({
    ...{ managerUrl, token, environment: 'pro duction', ca: undefined, answerMs: 300 },
  })
  endings.push(() => client.close())
  const { signal } = new AbortController()
  return { client, ask: (maximum = 100) => client.ask('state/', { signal }, [200], maximum) }
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nETag: "e"\r\n\r\nbody'

describe('a manager', () => {
  test('is asked below its own path, with the token that holds at the time', async () => {
    const { url, requests } = await manager((socket) => socket.write(ok))
    const tokens = ['one', 'two']
    const { ask } = clientOf(`${url}/behind/proxy?x#y`, () => tokens.shift() ?? '')
    const { status, etag, body } = await ask()
    expect([status, etag, String(body)]).toEqual([200, '"e"', 'body'])
    await ask()
    expect(requests.map((text) => /^GET (\S+) /.exec(text)?.[1])).toEqual(
      Array(2).fill('/behind/proxy/apiops/environments/pro%20duction/state/'),
    )
    expect(requests.map((text) => /^authorization: (.*)\r$/im.exec(text)?.[1])).toEqual([
      'Bearer one',
      'Bearer two',
    ])
  })

  test.each(['ftp://manager.example', 'manager', 'https://user:password@manager.example'])(
    'is not at %s',
    (managerUrl) => {
      expect(() => clientOf(managerUrl)).toThrow(
        expect.objectContaining({ code: 'option-invalid', option: 'managerUrl' }),
      )
    },
  )

  test('that ended a connection as it was written to is asked again, once', async () => {
    const { url, requests } = await manager((socket, _request, count) => {
      if (count === 2 || count > 3) socket.resetAndDestroy()
      else socket.write(ok)
    })
    const { ask } = clientOf(url)
    await ask()
    expect(String((await ask()).body)).toBe('body')
    expect(requests).toHaveLength(3)
    await expect(ask()).rejects.toThrow(ManagerUnreachable)
  })

  test.each([
    [
      'another status',
      'HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n',
      ManagerRefused,
    ],
    ['more than may be', ok.replace('4', '200').replace('body', 'x'.repeat(200)), ManagerRefused],
    ['half an answer', ok.replace('4', '5'), ManagerUnreachable],
    ['nonsense', 'SMTP 220 hello\r\n\r\n', ManagerUnreachable],
    ['nothing', '', ManagerUnreachable],
  ])('that answers %s is not believed', async (_, text, error) => {
    const { url } = await manager((socket) => socket.end(text))
    await expect(clientOf(url).ask()).rejects.toThrow(error)
  })

  test('that falls silent is not waited for', async () => {
    const { url } = await manager(() => {})
    await expect(clientOf(url).ask()).rejects.toThrow('no answer in time')
  })

  test('that resets in the middle is away, and the error is ours', async () => {
    const { url, sockets } = await manager((socket) => socket.write(ok.replace('4', '9')))
    const { client } = clientOf(url)
    const answer = await client.open('events/', { signal: new AbortController().signal })
    const reading = all(chunksOf(answer))
    for (const socket of sockets) socket.resetAndDestroy()
    await expect(reading).rejects.toThrow(ManagerUnreachable)
  })
})

describe('the folder of a gateway', () => {
  test('keeps nothing of what a crash left half-written', async () => {
    const path = await makeFolder()
    endings.push(() => removeFolder(path))
    await mkdir(join(path, 'crls'), { recursive: true })
    await writeFile(join(path, '.draft-1-1'), 'half')
    await writeFile(join(path, 'crls', '.draft-1-2'), 'half')
    const folder = new StateFolder(path)
    expect(await folder.readState()).toBeUndefined()
    const hash = 'a'.repeat(64)
    await folder.write('{}', [{ kind: 'crls', hash, octets: () => 'list' }])
    expect(await readdir(path)).toEqual(['crls', 'live', 'snapshots', 'state.json'])
    expect(await readdir(join(path, 'crls'))).toEqual([hash])
    await folder.write('{}', [])
    expect(await readdir(join(path, 'crls'))).toEqual([])
  })

  test('that cannot be read is not an empty one', async () => {
    const path = await makeFolder()
    endings.push(() => removeFolder(path))
    await mkdir(join(path, 'state.json'))
    await expect(new StateFolder(path).readState()).rejects.toMatchObject({ code: 'EISDIR' })
    await mkdir(join(path, 'live', 'a'), { recursive: true })
    await expect(new StateFolder(path).readContent('live', 'a')).rejects.toMatchObject({
      code: 'EISDIR',
    })
  })
})
