/** Endpoints: no spelling of a path slips by a policy. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parsePipelines } from '../../src/policy.ts'
import { type } from './support.ts'

/** The endpoint that is found: its pattern, `none` or `ambiguous`. */
function finder(...patterns: readonly string[]): (target: string, method?: string) => string {
  const pipelines = parsePipelines(
    patterns.map((pattern, i) => {
      const [method = 'GET', path = pattern] = pattern.includes(' ') ? pattern.split(' ') : []
      return {
        type,
        name: `p${i}`,
        targetScope: 'ENDPOINT',
        targetEndpoint: path,
        targetEndpointHTTPMethod: method,
      }
    }),
  )
  return (target, method = 'GET') => {
    const route = pipelines.find(method, target)
    return route === 'ambiguous' ? route : (route.endpoint?.path ?? 'none')
  }
}

describe('a pattern', () => {
  test.each([
    ['/orders', '/orders', true],
    ['/orders', '/orders/7', false],
    ['/orders', '/', false],
    ['/orders/{id}', '/orders/7', true],
    ['/orders/{id}', '/orders', false],
    ['/orders/{id}', '/orders/7/lines', false],
    ['/orders/:id/lines', '/orders/7/lines', true],
    ['/orders/*/lines', '/orders/7/lines', true],
    ['/files/**', '/files/a/b/c', true],
    ['/files/**', '/files', true],
    ['/files/**', '/filesystem', false],
    ['/files/{path+}', '/files/a/b', true],
    ['/files/{path*}', '/files/a/b', true],
    ['/**', '/', true],
    ['/**', '/a/b', true],
    ['/', '/', true],
    ['/', '/a', false],
    ['/straße', '/stra%C3%9Fe', true],
  ])('%s, target %s: %s', (pattern, target, isFound) => {
    expect(finder(pattern)(target)).toBe(isFound ? pattern : 'none')
  })
  test('that names more is the one that is meant', () => {
    const find = finder('/a/**', '/a/{x}', '/a/b', '/{y}/b', '/**')
    expect(['/a/b', '/a/c', '/a/c/d', '/z/b', '/z'].map((target) => find(target))).toEqual([
      '/a/b',
      '/a/{x}',
      '/a/**',
      '/{y}/b',
      '/**',
    ])
  })
  test('that ends too early gives way to one that fits', () => {
    expect(finder('/a/b/c', '/a/{x}/d')('/a/b/d')).toBe('/a/{x}/d')
  })
  test.each([
    'orders',
    '',
    '/a/../b',
    '/a?b',
    '/a/{b',
    '/a/b*',
    '/a/**/b',
    '/a/{b+}/c',
    '/a\\b',
    '/%zz',
  ])('%j is refused', (pattern) => {
    expect(() => finder(pattern)).toThrow(expect.objectContaining({ code: 'policy-invalid' }))
  })
})

describe('a method', () => {
  test('HEAD is answered by GET, unless it has an endpoint of its own', () => {
    expect(finder('GET /a')('/a', 'HEAD')).toBe('/a')
    const find = finder('GET /{x}', 'HEAD /a')
    expect(find('/a', 'HEAD')).toBe('/a')
    expect(find('/a', 'GET')).toBe('/{x}')
  })
  test.each(['POST', 'TRACE', 'PROPFIND'])('%s is not GET', (method) => {
    expect(finder('GET /a')('/a', method)).toBe('none')
  })
})

describe('other spellings of /admin/users', () => {
  const find = finder('/admin/users')
  test.each([
    '/admin/users/',
    '//admin/users',
    '/admin//users//',
    '/ADMIN/Users',
    '/%61dmin/users',
    '/admin/%75%73ers',
    '/admin/users?a=/b/../c',
    '/admin/users?%2e%2e',
    'https://api.example/admin/users',
    'HTTP://user@api.example:8443/admin/users?x',
  ])('%s is found', (target) => {
    expect(find(target)).toBe('/admin/users')
  })
  test.each([
    '/x/../admin/users',
    '/./admin/users',
    '/x/%2e%2e/admin/users',
    '/admin/./users',
    '/admin%2fusers',
    '/admin%2Fusers',
    '/admin%5cusers',
    '/admin\\users',
    '/admin/users%00',
    '/admin/users%0d%0a',
    '/admin/users%',
    '/admin/users%zz',
    '/admin/%ff',
    '/admin/users;x=1',
    '/admin;x=1/users',
    '/%2561dmin/users',
    '/x;/..;/admin/users',
    '/..;/admin/users',
    'admin/users',
    `/${'a'.repeat(9000)}`,
    '/admin/users\u0000',
    '/admin/us ers',
    '/admin/users#x',
    '/#/../admin/users',
    '/x#/../../admin/users?y',
    '//x/admin/users',
    '///x/admin/users',
    '//x:80/admin/users',
    '//user@x/admin/users',
    'http://a.example//x/admin/users',
    'http:///x/admin/users',
    'http://a.example\\admin/users',
  ])('%j is ambiguous', (target) => {
    expect(find(target)).toBe('ambiguous')
  })
  test.each(['/public', '/admin', '/admin/users/7', '/100%25', '/a;b=c', '*', '/'])(
    '%s is something else',
    (target) => {
      expect(find(target)).toBe('none')
    },
  )
  test('whatever is respelt, it is found or refused', () => {
    const respelt = (text: string): fc.Arbitrary<string> =>
      fc
        .tuple(
          ...[...text].map((letter) =>
            fc.constantFrom(letter, letter.toUpperCase(), escaped(letter), twice(letter)),
          ),
        )
        .map((letters) => letters.join(''))
    const separator = fc.constantFrom(
      '/',
      '//',
      '/./',
      '/x/../',
      '%2f',
      '\\',
      '/;a/',
      ';b/',
      '/%2e/',
    )
    const whole = fc
      .tuple(
        separator,
        respelt('admin'),
        separator,
        respelt('users'),
        fc.constantFrom('', '/', '?x', ';c', '#y'),
      )
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(whole, (target) => ['/admin/users', 'ambiguous'].includes(find(target))),
      { numRuns: 2000 },
    )
  })
  test('what URL makes of a target is never an endpoint that was not found', () => {
    fc.assert(
      fc.property(
        fc.webPath(),
        fc.constantFrom('', '/', '//x', '//x/admin', '/admin', '/Admin/.'),
        (path, before) => {
          const target = `${before}${path}`
          const based = `http://a.example${target}`
          const isMeant = [target, based].some(
            (url) =>
              URL.canParse(url, 'http://a.example') &&
              /^\/admin\/users\/?$/i.test(new URL(url, 'http://a.example').pathname),
          )
          return !isMeant || find(target) !== 'none'
        },
      ),
    )
  })
  test('no target throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (target, method) => {
        find(target, method)
      }),
    )
  })
})

describe('where two endpoints fit, a spelling that only some servers know is refused', () => {
  const find = finder(
    '/files/{id}',
    '/files/public',
    '/tree/**',
    '/tree/open',
    '/Kept/{id}',
    '/Kept/Name',
  )
  test.each([
    ['/files/public', '/files/public'],
    ['/files//public', '/files/public'],
    ['/files/7', '/files/{id}'],
    ['/files/AB-7', '/files/{id}'],
    ['/files/a%20b', '/files/{id}'],
    ['/FILES/7', '/files/{id}'],
    ['//files/7', '/files/{id}'],
    ['/tree/open', '/tree/open'],
    ['/tree/open/more', '/tree/**'],
    ['/tree/Other/x/', '/tree/**'],
    ['/Kept/Name', '/Kept/Name'],
    ['/kept/7', '/Kept/{id}'],
  ])('%s is %s', (target, endpoint) => {
    expect(find(target)).toBe(endpoint)
  })
  // Fastify and Hono tell upper from lower case and keep empty segments, Express decodes after it has looked for the route.
  test.each([
    '/files/Public',
    '/files/%70ublic',
    '/tree/Open',
    '/tree/%6fpen',
    '/tree/open/',
    '/tree//open',
    '/kept/name',
    '/Kept/name',
    '/%46iles/publi%63',
  ])('%s is ambiguous', (target) => {
    expect(find(target)).toBe('ambiguous')
  })
  test('one that is empty to some servers, too', () => {
    expect(finder('/a', '/a/{id}', '/a/**')('/a/')).toBe('ambiguous')
    expect(finder('/a', '/b/{id}')('/a/')).toBe('/a')
  })
  test('escapes that must be there are no other spelling', () => {
    expect(finder('/straße', '/{x}')('/stra%C3%9Fe')).toBe('/straße')
  })
})

function escaped(letter: string): string {
  return `%${letter.charCodeAt(0).toString(16)}`
}

function twice(letter: string): string {
  return `%25${letter.charCodeAt(0).toString(16)}`
}

test('ten thousand endpoints cost a look-up, not a walk', { retry: 2 }, () => {
  const find = finder(...Array.from({ length: 10_000 }, (_, i) => `/service-${i}/{id}/lines`))
  const begin = performance.now()
  for (let i = 0; i < 1000; i++) find('/service-9999/7/lines')
  // A walk over all of them takes a hundred times as long.
  expect(performance.now() - begin).toBeLessThan(200)
})
