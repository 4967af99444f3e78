/** Whom a request is for: server name, authority, base path. */
import { describe, expect, test } from 'vitest'
import { Routes } from '../../src/gateway/routes.ts'
import { hostOf } from '../../src/gateway/target.ts'
import { ask, askOn, codeOf, openHttp2, openWorld, raw, stateOf, versions } from './support.ts'

const world = await openWorld()

/** `api.example` and `other.example` on one certificate, `apart.example` on another, and everything else. */
async function fleet(): Promise<number> {
  const first = await world.certificate('first', ['api.example', 'other.example'])
  const second = await world.certificate('second', ['apart.example', '*.wild.example'])
  const named = async (apiProxy: string, hosts: readonly string[]) => {
    const { url } = await world.upstream((_request, response) => response.end(apiProxy))
    return world.snapshot(url, { apiProxy, hosts })
  }
  const snapshots = [
    await named('api', ['api.example']),
    await named('other', ['other.example']),
    await named('apart', ['apart.example']),
    await named('wild', ['a.wild.example']),
    await named('rest', ['*']),
  ]
  const { port } = await world.gateway(stateOf(...snapshots), {
    listener: {
      certificates: [
        { hosts: ['api.example', 'other.example'], ...first },
        { hosts: ['apart.example', '*.wild.example'], ...second },
      ].map(({ hosts, cert, key }) => ({ hosts, cert, key })),
    },
  })
  return port
}

describe.each(versions)('%s', (version) => {
  test('the host decides which proxy answers, and which certificate is shown', async () => {
    const port = await fleet()
    const bodies = await Promise.all(
      ['api.example', 'other.example', 'apart.example', 'a.wild.example', 'b.wild.example'].map(
        async (host) => (await ask(version, port, { host, servername: host })).body,
      ),
    )
    expect(bodies).toEqual(['api', 'other', 'apart', 'wild', 'rest'])
  })

  test.each([
    ['API.Example', 'api'],
    ['api.example:8443', 'api'],
    ['api.example.', 'api'],
  ])('%s is the host %s', async (host, body) => {
    expect((await ask(version, await fleet(), { host })).body).toBe(body)
  })

  test('another host than the connection’s server name is 421, though the certificate has both', async () => {
    const port = await fleet()
    for (const host of ['other.example', 'apart.example', 'nobody.example', 'api.example.evil']) {
      const answer = await ask(version, port, { host })
      expect([host, answer.status, codeOf(answer)]).toEqual([host, 421, 'request-misdirected'])
    }
  })

  test('who names no server is served what has no certificate of its own', async () => {
    const port = await fleet()
    const asked = async (host: string) => {
      const answer = await ask(version, port, { host, servername: '' })
      return answer.status === 200 ? answer.body : [answer.status, codeOf(answer)]
    }
    expect(await asked('api.example')).toBe('api')
    expect(await asked('127.0.0.1:443')).toBe('rest')
    expect(await asked('[::1]')).toBe('rest')
    expect(await asked('apart.example')).toEqual([421, 'request-misdirected'])
    expect(await asked('b.wild.example')).toEqual([421, 'request-misdirected'])
  })

  test('OPTIONS may ask about everything: RFC 9110 §9.3.7', async () => {
    const port = await fleet()
    expect((await ask(version, port, { method: 'OPTIONS', path: '*' })).body).toBe('api')
    const other = await ask(version, port, { path: '*' }).catch(({ message }) => message)
    // Of HTTP/2 the library sees to it: RFC 9113 §8.3.1.
    if (version === 'HTTP/2') expect(other).toContain('PROTOCOL_ERROR')
    else expect([other.status, codeOf(other)]).toEqual([400, 'request-target-invalid'])
  })

  test('no state is 503', async () => {
    const { port } = await world.gateway(undefined)
    const answer = await ask(version, port)
    expect([answer.status, codeOf(answer)]).toEqual([503, 'gateway-not-ready'])
  })

  test('nothing there is 404', async () => {
    const { port } = await world.gateway(stateOf())
    const answer = await ask(version, port)
    expect([answer.status, codeOf(answer)]).toEqual([404, 'proxy-not-found'])
    expect(answer.headers['content-type']).toBe('application/problem+json')
  })
})

describe('several names in one request', () => {
  test('HTTP/2: a Host beside :authority that is another one', async () => {
    const port = await fleet()
    const session = await openHttp2(port)
    world.after(() => session.destroy())
    expect((await askOn(session, { headers: { host: 'api.example' } })).status).toBe(200)
    expect((await askOn(session, { headers: { host: 'other.example' } })).status).toBe(421)
    const nameless = await openHttp2(port, { servername: '' })
    world.after(() => nameless.destroy())
    const answer = await askOn(nameless, { headers: { host: 'other.example' } })
    expect([answer.status, codeOf(answer)]).toEqual([400, 'host-invalid'])
  })

  const get = (target: string, ...lines: string[]) =>
    `GET ${target} HTTP/1.1\r\n${[...lines, 'Connection: close'].map((line) => `${line}\r\n`).join('')}\r\n`

  test.each([
    ['two lines', get('/', 'Host: api.example', 'Host: other.example'), 400],
    ['the same line twice', get('/', 'Host: api.example', 'Host: api.example'), 400],
    ['none', get('/'), 400],
    ['an empty one', get('/', 'Host:'), 421],
    ['a user name', get('/', 'Host: api.example@evil'), 421],
    ['a list', get('/', 'Host: api.example, other.example'), 421],
    ['an absolute form for the same', get('https://api.example/x', 'Host: api.example'), 200],
    ['an absolute form for another', get('https://other.example/x', 'Host: api.example'), 421],
    ['a Host for another', get('https://api.example/x', 'Host: other.example'), 421],
    ['another scheme', get('ftp://api.example/x', 'Host: api.example'), 400],
    ['a fragment', get('/x#y', 'Host: api.example'), 400],
    ['HTTP/1.0 without any', 'GET / HTTP/1.0\r\n\r\n', 400],
  ])('HTTP/1.1: %s', async (_name, text, status) => {
    const answer = await raw(await fleet(), text)
    expect(answer.slice(0, 12)).toBe(`HTTP/1.1 ${status}`)
  })

  test.each([
    ['an empty one', get('/', 'Host:'), 400],
    ['a user name', get('/', 'Host: api.example@evil'), 400],
    ['a list', get('/', 'Host: api.example, other.example'), 400],
    ['a port that is none', get('/', 'Host: api.example:99999'), 400],
    ['an absolute form for another', get('https://other.example/x', 'Host: api.example'), 400],
    ['an absolute form for the same', get('https://api.example?x', 'Host: api.example'), 200],
  ])('HTTP/1.1 without a server name: %s', async (_name, text, status) => {
    const answer = await raw(await fleet(), text, { servername: '' })
    expect(answer.slice(0, 12)).toBe(`HTTP/1.1 ${status}`)
  })
})

describe('base paths', () => {
  const routes = new Routes(
    ['/', '/a', '/a/b', '/A/c'].map((basePath) => ({ hosts: ['h'], basePath })),
  )
  test.each([
    ['/', '/'],
    ['/x', '/'],
    ['/a', '/a'],
    ['/a?x=/b', '/a'],
    ['/a/', '/a'],
    ['/ab', '/'],
    ['/a/b', '/a/b'],
    ['/a/b/c/d', '/a/b'],
    ['/a/bc', '/a'],
    ['/A/B/x', '/a/b'],
    ['/a/C', '/A/c'],
    ['/x.', '/'],
    ['/.a', '/'],
    ['/a/x%20/y', '/a'],
    ['/x/%25zz', '/'],
    ['//', '/'],
    ['*', '/'],
  ])('%s is below %s', (target, basePath) => {
    expect(routes.find('h', target)).toMatchObject({ basePath })
  })

  test.each([
    '/a/./b',
    '/a/%2E/b',
    '/a//b',
    '/a/%62',
    '/a/b;x/c',
    '/a%2fb',
    '/a/%zz',
    '/%2561',
    '/a/\\b',
    '/a.',
    '/a%20/x',
    '/a/b%2e/c',
    '/a/b.%20.?x',
    '/a/b%2520',
    '/a/.../b',
    '/a/..%20/x',
  ])('%s is ambiguous', (target) => {
    expect(routes.find('h', target)).toBe('ambiguous')
  })

  test('a host that somebody names has no part of what is for all others', () => {
    const two = new Routes([
      { hosts: ['h'], basePath: '/a' },
      { hosts: ['*'], basePath: '/' },
    ])
    expect(two.find('h', '/b')).toBeUndefined()
    expect(two.find('i', '/b')).toMatchObject({ hosts: ['*'] })
  })

  test('of one place the first is served', () => {
    const [first, second] = [1, 2].map((n) => ({ hosts: ['h'], basePath: n === 1 ? '/x' : '/X' }))
    const two = new Routes([first, second] as { hosts: string[]; basePath: string }[])
    expect(two.taken).toEqual([second])
    expect(two.find('h', '/x')).toBe(first)
  })
})

describe('hosts', () => {
  test.each([
    ['a.example', 'a.example'],
    ['A.EXAMPLE.:1', 'a.example'],
    ['a.example:', 'a.example'],
    ['[::1]:80', '[::1]'],
    ['', undefined],
    ['a b', undefined],
    ['a/b', undefined],
    ['a:b', undefined],
    ['a:70000', undefined],
    ['::1', undefined],
    ['u@a', undefined],
    ['a%2eb', undefined],
  ])('%j is %j', (authority, host) => {
    expect(hostOf(authority)).toBe(host)
    expect(hostOf(authority)).toBe(host)
  })
})
