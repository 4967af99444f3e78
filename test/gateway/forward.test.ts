/** What goes through: to whom, with which lines, and what comes back. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  ask,
  codeOf,
  requestPolicies,
  seenIn,
  stateOf,
  validating,
  valuesOf,
  versions,
  World,
} from './support.ts'

let world: World
beforeAll(async () => {
  world = await World.create()
})
afterEach(() => world.cleanUp())
afterAll(() => world.end())

describe.each(versions)('%s', (version) => {
  test('a request without policies goes through, whoever asks', async () => {
    const { url } = await world.upstream()
    const { port } = await world.gateway(stateOf(world.snapshot(url)))
    const answer = await ask(version, port, { path: '/a?b=1' })
    expect(answer.status).toBe(200)
    expect(seenIn(answer)).toMatchObject({ method: 'GET', url: '/a?b=1', body: '' })
  })

  test('REQUEST lets a good client in and refuses one without certificate', async () => {
    const { url } = await world.upstream()
    const policies = requestPolicies(validating)
    const { port, problems } = await world.gateway(stateOf(world.snapshot(url, { policies })))
    expect(problems).toEqual([])
    expect((await ask(version, port, { client: world.pki.client })).status).toBe(200)
    const refused = await ask(version, port)
    expect(refused.status).toBe(401)
    expect(JSON.parse(refused.body).detail).toBe('A client certificate is required.')
  })

  test('a body goes through', async () => {
    const { url } = await world.upstream()
    const { port } = await world.gateway(stateOf(world.snapshot(url)))
    const answer = await ask(version, port, { method: 'POST', body: 'hello' })
    expect(seenIn(answer)).toMatchObject({ method: 'POST', body: 'hello' })
    expect(valuesOf(seenIn(answer).rawHeaders, 'host')).toEqual(['api.example'])
  })

  test('nothing there is 404', async () => {
    const { port } = await world.gateway(stateOf())
    const answer = await ask(version, port)
    expect([answer.status, codeOf(answer)]).toEqual([404, 'proxy-not-found'])
  })
})
