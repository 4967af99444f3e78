/** Targets of requests as they come over the wire: what a URL folds away must not reach what is above it. */

import { connect } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ServedManagement, serveManagement } from '../../../src/management/index.ts'
import { hasDotSegment } from '../../../src/management/rest/target.ts'
import { makeProject, useManager } from './support.ts'

const manager = useManager()
let served: ServedManagement

beforeAll(async () => {
  await makeProject(manager.client)
  served = await serveManagement({ management: manager.management, port: 0 })
})
afterAll(async () => {
  await served.close()
})

const proxy = '/apiops/projects/MyProject/apiProxies/MyAPI/'
const deletion = {
  operationMetadata: { targetScope: 'ALL', targetPipeline: 'REQUEST', deploy: false },
}

function pathOf(target: string): string {
  return new URL(target, 'http://localhost').pathname
}

function marked(text: string): string {
  return text.replace(/\.|%2e/gi, (dot) => (dot === '.' ? 'd' : '%64'))
}

/** No client but this one sends such a target as it is. */
async function send(method: string, target: string): Promise<readonly [number, string]> {
  const body = JSON.stringify(deletion)
  const head = [
    `${method} ${target} HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${manager.token}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ]
  const socket = connect(served.port, '127.0.0.1')
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  const [, answer = '{}'] = text.split('\r\n\r\n')
  const { error } = JSON.parse(answer) as { readonly error?: { readonly code: string } }
  return [Number(text.split(' ')[1]), error?.code ?? 'none']
}

describe('a target with dot segments, RFC 3986 §5.2.4', () => {
  test.each([
    ['DELETE', `${proxy}policies/%2e%2e/`],
    ['DELETE', `${proxy}policies/%2E%2E`],
    ['DELETE', `${proxy}policies/.%2e/`],
    ['DELETE', `${proxy}policies/%2E./`],
    ['DELETE', `${proxy}policies/../`],
    ['DELETE', `${proxy}policies/..`],
    ['DELETE', `${proxy}policies/..?x=1`],
    ['DELETE', `${proxy}policies/..#x`],
    ['DELETE', `${proxy}%2e/`],
    ['DELETE', `${proxy}.`],
    ['DELETE', '/apiops/projects/MyProject/apiProxies/%2e%2e/'],
    ['GET', '/apiops/projects/%2e%2e/tokens/'],
    ['GET', '/apiops/environments/production/gateways/%2e%2e/'],
    ['GET', '/apiops/%2e/projects/'],
    ['GET', '/health/../apiops/projects/'],
    ['DELETE', `http://localhost${proxy}policies/%2e%2e/`],
    ['GET', 'http://localhost/apiops/projects/../tokens/'],
  ])('%s %s is 404 and touches nothing', async (method, target) => {
    expect(await send(method, target)).toEqual([404, 'not-found'])
    expect((await manager.client.project('MyProject').apiProxy('MyAPI').read()).value.name).toBe(
      'MyAPI',
    )
  })

  test.each([
    ['GET', `${proxy}policies/..%2f../`, [404, 'not-found']],
    ['GET', `${proxy}policies/%2f..%2f/`, [404, 'not-found']],
    ['GET', `${proxy}policies/%252e%252e/`, [404, 'policy-not-found']],
    ['GET', `${proxy}policies/..%5c..%5c/`, [404, 'policy-not-found']],
    ['GET', `${proxy}policies/.../`, [404, 'policy-not-found']],
    ['GET', `${proxy}policies/..;/`, [404, 'policy-not-found']],
    ['GET', `${proxy}?x=/../`, [422, 'invalid']],
    // A URL takes it for a slash.
    ['DELETE', `${proxy}policies/..\\`, [400, 'path-malformed']],
    ['DELETE', `${proxy}policies\\a`, [400, 'path-malformed']],
  ] as const)('%s %s names what it says', async (method, target, expected) => {
    expect(await send(method, target)).toEqual(expected)
  })

  test('a management that is mounted elsewhere is told the target', async () => {
    const target = `${proxy}policies/%2e%2e/`
    const request = new Request(`http://manager.test${target}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${manager.token}` },
    })
    expect(new URL(request.url).pathname).toBe(proxy)
    const response = await manager.management.fetch(request, { target })
    expect([response.status, await response.json()]).toMatchObject([
      404,
      { error: { code: 'not-found' } },
    ])
  })

  test('whatever a URL folds is seen, and nothing else', () => {
    const part = fc.constantFrom(
      '.',
      '..',
      '%2e',
      '%2E',
      '.%2e',
      'a',
      '/',
      '\\',
      '\t',
      '?',
      '#',
      '',
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const target = `/x/${parts.join('')}`
        // With something else in the place of each dot nothing can be folded.
        const isFolded = marked(pathOf(target)) !== pathOf(marked(target))
        expect(hasDotSegment(target)).toBe(isFolded)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('the client', () => {
  const names = [
    ['.', '.'],
    ['..', '..'],
    ['empty', ''],
    ['of 256 characters', 'x'.repeat(256)],
    ['half a surrogate pair', '\ud800'],
  ] as const

  test.each(names)('asks for no project named %s', (_what, name) => {
    expect(() => manager.client.project(name)).toThrow(
      expect.objectContaining({ name: 'TypeError', code: 'name-invalid' }),
    )
    expect(() => manager.client.project('MyProject').apiProxy(name)).toThrow(
      expect.objectContaining({ name: 'TypeError', code: 'name-invalid' }),
    )
  })

  test.each(names)('asks for nothing else named %s', async (_what, name) => {
    const { environments, tokens } = manager.client
    const { policies, deployments, killList, crls } = manager.client
      .project('MyProject')
      .apiProxy('MyAPI')
    const where = { targetScope: 'ALL', targetPipeline: 'REQUEST', deploy: false } as const
    const policy = { type: 'policy-auth-mtls' } as const
    for (const asked of [
      environments.create(name),
      environments.delete(name),
      environments.gateways(name),
      tokens.create(name, { rights: [{ right: 'admin' }] }),
      tokens.read(name),
      tokens.revoke(name),
      policies.read(name),
      policies.add(name, { operationMetadata: where, policy }),
      policies.update(name, { operationMetadata: where, policy }),
      policies.delete(name, where),
      policies.evaluate(name, {}),
      deployments.history(name),
      deployments.diff(name),
      deployments.rollBack(name, 1),
      deployments.undeploy(name),
      crls.read(name),
      crls.delete(name),
      killList.delete(name),
    ]) {
      await expect(asked).rejects.toMatchObject({ name: 'TypeError', code: 'name-invalid' })
    }
  })

  test('takes 255 characters, whatever their length in UTF-16', async () => {
    const name = '🔐'.repeat(255)
    await manager.client.project(name).create()
    expect((await manager.client.project(name).read()).value.name).toBe(name)
  })
})
