/** Which address has to wait for bad tokens, where balancers stand before the manager. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createManagement,
  generateSigningKey,
  type Store,
  serveManagement,
} from '../../../src/management/index.ts'
import { clientAddress } from '../../../src/management/rest/client-address.ts'
import { startManager, temporaryStore } from './support.ts'

let store: Store
beforeAll(async () => {
  store = await temporaryStore()
})
afterAll(() => store.close())

const addressOf = clientAddress(['10.0.0.0/8', '192.0.2.9', 'fd00::/16'])
const requestWith = (forwarded: readonly string[]): Request => {
  const headers = new Headers()
  for (const line of forwarded) headers.append('x-forwarded-for', line)
  return new Request('http://manager.test/', { headers })
}

describe('the client of a request', () => {
  test.each<[string, string | undefined, readonly string[], string | undefined]>([
    ['the peer, without the header', '198.51.100.7', [], '198.51.100.7'],
    ['the peer, whatever it says', '198.51.100.7', ['203.0.113.1'], '198.51.100.7'],
    ['the peer, where it says that it is a balancer', '198.51.100.7', ['10.0.0.1'], '198.51.100.7'],
    ['whom the balancer names', '10.1.2.3', ['203.0.113.1'], '203.0.113.1'],
    ['whom a single address names', '192.0.2.9', ['203.0.113.1'], '203.0.113.1'],
    ['the peer beside a single address', '192.0.2.8', ['203.0.113.1'], '192.0.2.8'],
    ['the last, not what the client wrote', '10.1.2.3', ['1.1.1.1, 203.0.113.1'], '203.0.113.1'],
    ['the last of several lines', '10.1.2.3', ['1.1.1.1', '203.0.113.1'], '203.0.113.1'],
    ['before the other balancers', '10.1.2.3', ['1.1.1.1, 203.0.113.1 ,10.9.9.9'], '203.0.113.1'],
    ['the first, where all are balancers', '10.1.2.3', ['10.0.0.4, 10.0.0.5'], '10.0.0.4'],
    ['the balancer, when it names nobody', '10.1.2.3', [], '10.1.2.3'],
    [
      'the balancer, when what it writes is no address',
      '10.1.2.3',
      ['1.1.1.1, unknown'],
      '10.1.2.3',
    ],
    ['the last balancer before what is no address', '10.1.2.3', ['x, 10.0.0.5'], '10.0.0.5'],
    ['the balancer, when it writes nothing', '10.1.2.3', ['1.1.1.1,'], '10.1.2.3'],
    ['without its port', '10.1.2.3', ['203.0.113.1:4711'], '203.0.113.1'],
    ['IPv6', 'fd00::1', ['2001:db8::1'], '2001:db8::1'],
    ['IPv6 in brackets, without its port', 'fd00::1', ['[2001:db8::1]:443'], '2001:db8::1'],
    ['of IPv4 as IPv6 shows it', '::ffff:10.1.2.3', ['203.0.113.1'], '203.0.113.1'],
    ['nobody, where there is no peer', undefined, ['203.0.113.1'], undefined],
  ])('is %s', (_what, peer, forwarded, expected) => {
    expect(addressOf(requestWith(forwarded), peer)).toBe(expected)
  })

  test('is the peer where no balancer is named', () => {
    const none = clientAddress([])
    expect(none(requestWith(['203.0.113.1']), '10.1.2.3')).toBe('10.1.2.3')
  })
})

test.each([
  [['10.0.0.0/33']],
  [['10.0.0.1/8']],
  [['balancer']],
  [['']],
  [['10.0.0.0/']],
  [[7]],
  ['10.0.0.0/8'],
])('%j are no balancers: refused at the start, before anything is done', async (given) => {
  const trustedProxies = given as readonly string[]
  const before = await store.db.selectFrom('meta').selectAll().execute()
  await expect(
    createManagement({ store, signingKey: generateSigningKey(), trustedProxies }),
  ).rejects.toMatchObject({ name: 'TypeError', code: 'option-invalid', option: 'trustedProxies' })
  expect(await store.db.selectFrom('meta').selectAll().execute()).toEqual(before)
})

test('behind a balancer one client has to wait and the others need not, over real connections', async () => {
  const logged: object[] = []
  const log = (facts: object): void => void logged.push(facts)
  const manager = await startManager(store, {
    trustedProxies: ['127.0.0.1'],
    logger: { info: log, warn: log, error: log },
  })
  const { management } = manager
  const served = await serveManagement({ management, port: 0 })
  const ask = async (client: string, token: string): Promise<number> => {
    const headers = { authorization: `Bearer ${token}`, 'x-forwarded-for': client }
    return (await fetch(`${served.url}/apiops/projects/`, { headers })).status
  }
  const statuses: number[] = []
  // What stands before the last address is the client's own invention.
  for (let i = 0; i < 11; i++) statuses.push(await ask(`10.0.0.${i}, 203.0.113.1`, 'wrong'))
  expect(statuses).toEqual([...Array(10).fill(401), 429])
  expect(await ask('203.0.113.1', manager.token)).toBe(429)
  expect(await ask('203.0.113.2', 'wrong')).toBe(401)
  expect(await ask('203.0.113.2', manager.token)).toBe(200)
  expect(logged).toContainEqual(
    expect.objectContaining({ address: '203.0.113.2', path: '/apiops/projects/', status: 200 }),
  )
  await served.close()
})

test('nobody chooses an address where the peer is no balancer', async () => {
  const manager = await startManager(store, { trustedProxies: ['192.0.2.0/24'] })
  const statuses: number[] = []
  for (let i = 0; i < 11; i++) {
    const { status } = await manager.send('GET', '/apiops/projects/', {
      token: 'wrong',
      address: '198.51.100.7',
      headers: { 'x-forwarded-for': `203.0.113.${i}` },
    })
    statuses.push(status)
  }
  expect(statuses).toEqual([...Array(10).fill(401), 429])
  await manager.close()
})
