/** A gateway's subscription over a real manager end: what is put in force comes, whole and within a second. */

import { readdir, readFile } from 'node:fs/promises'
import { createServer, type RequestListener, request } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sha256Hex } from '../../../src/deployment/index.ts'
import { issueCa, issueCrl, toPem } from '../../../src/testing/index.ts'
import { environment, startManager, type TestManager } from '../../management/channel/support.ts'
import { makeFolder, removeFolder, subscribe, type TestSubscriber, until } from './support.ts'

let manager: TestManager
let folder: string
const open: TestSubscriber[] = []

beforeEach(async () => {
  manager = await startManager()
  folder = await makeFolder()
})

afterEach(async () => {
  for (const one of open.splice(0)) await one.subscription.close()
  await manager.close()
  await removeFolder(folder)
})

function follow(...given: Parameters<typeof subscribe>): TestSubscriber {
  const one = subscribe(...given)
  open.push(one)
  return one
}

/** Passes requests on to a port of this machine. */
function between(port: () => number): RequestListener {
  return (incoming, answer) => {
    const { method, headers, url: path } = incoming
    const sent = request({ host: '127.0.0.1', port: port(), method, headers, path }, (got) => {
      answer.writeHead(got.statusCode ?? 0, got.headers)
      got.pipe(answer)
    })
    sent.on('error', () => answer.destroy())
    incoming.pipe(sent)
  }
}

describe('a subscription', () => {
  test('hands over an empty set where nothing is deployed', async () => {
    const one = follow(folder, manager)
    await one.subscription.ready
    expect(one.states).toMatchObject([{ from: 'manager', proxies: [], crls: [], killList: [] }])
    expect(one.subscription.status().channel).toBe('stream')
  })
  test('takes deployments, rollbacks and undeployments over a stream', async () => {
    const first = await manager.deploy('orders')
    const one = follow(folder, manager)
    await one.subscription.ready
    expect(one.runs()).toEqual({ orders: first.sequence })
    const changed = await manager.deploy('orders', { basePath: '/v2' })
    await until('the change', () => one.runs().orders === changed.sequence)
    expect(one.states.at(-1)?.proxies[0]?.snapshot.basePath).toBe('/v2')
    const back = await manager.deploy('orders')
    await until('the rollback', () => one.runs().orders === back.sequence)
    expect(back.hash).toBe(first.hash)
    await manager.deploy('invoices')
    await until('another proxy', () => one.states.at(-1)?.proxies.length === 2)
    await manager.undeploy('orders')
    await until('the end', () => Object.keys(one.runs()).join() === 'invoices')
    expect(one.codes()).toEqual([])
  })
  test('takes live data without a deployment', async () => {
    const ca = await issueCa('Root CA')
    const crl = (await issueCrl(ca)).der
    await manager.deploy('orders')
    const one = follow(folder, manager)
    await one.subscription.ready
    await manager.kill({ issuer: 'CN=Lost CA' })
    await until('the entry', () => one.states.at(-1)?.killList.length === 1)
    expect(one.states.at(-1)?.killList[0]).toEqual({
      project: 'Payments',
      apiProxy: null,
      entry: { issuer: 'CN=Lost CA' },
    })
    await manager.addCrl(crl, 'orders')
    await until('the list', () => one.states.at(-1)?.crls.length === 1)
    const [list] = one.states.at(-1)?.crls ?? []
    expect(list).toMatchObject({ project: 'Payments', apiProxy: 'orders', sha256: sha256Hex(crl) })
    expect(Buffer.from(list?.der ?? []).equals(crl)).toBe(true)
    // The folder comes with the first list.
    const stored = () => readdir(join(folder, 'crls')).catch(() => [])
    await until('the disk', async () => (await stored()).length === 1)
  })
  test('reports what it runs, and a deployment can wait for it', async () => {
    const one = follow(folder, manager)
    await one.subscription.ready
    await until('it is connected', async () => {
      return (await manager.channel.connected(environment)).length === 1
    })
    const { sequence, hash } = await manager.deploy('orders')
    expect(await manager.channel.waitForReports(environment, sequence, 5000)).toEqual([
      { gateway: 'gw-1', outcome: 'ok' },
    ])
    await until('the store has it', async () => {
      const [gateway] = await manager.channel.connected(environment)
      return gateway?.runs[0]?.hash === hash
    })
    await one.subscription.close()
    expect(await manager.channel.connected(environment)).toEqual([])
    const next = await manager.deploy('orders', { basePath: '/v2' })
    expect(await manager.channel.waitForReports(environment, next.sequence, 5000)).toEqual([])
  })
  test('keeps what the gateway refuses as it was, and tells the manager', async () => {
    const first = await manager.deploy('orders')
    const one = follow(folder, manager, {
      result: ({ proxies }) => ({
        problems: proxies
          .filter(({ snapshot }) => snapshot.basePath === '/bad')
          .map(({ snapshot: { project, apiProxy } }) => ({
            ...{ project, apiProxy, code: 'proxy-unusable', message: 'no' },
          })),
      }),
    })
    await one.subscription.ready
    await until('it is connected', async () => {
      return (await manager.channel.connected(environment)).length === 1
    })
    const bad = await manager.deploy('orders', { basePath: '/bad' })
    expect(await manager.channel.waitForReports(environment, bad.sequence, 5000)).toEqual([
      { gateway: 'gw-1', outcome: 'problem', code: 'proxy-unusable', message: 'no' },
    ])
    expect(one.codes()).toEqual(['proxy-unusable'])
    expect(one.subscription.status().runs).toMatchObject([{ sequence: first.sequence }])
    const other = await manager.deploy('invoices')
    expect(await manager.channel.waitForReports(environment, other.sequence, 5000)).toEqual([
      { gateway: 'gw-1', outcome: 'ok' },
    ])
    // Another start has the old one, and not the one that was refused.
    await one.subscription.close()
    const again = follow(folder, { ...manager, url: 'http://127.0.0.1:9' })
    await again.subscription.ready
    expect(again.runs()).toEqual({ orders: first.sequence, invoices: other.sequence })
  })
  test('tries a set again that the gateway could not take over', async () => {
    await manager.deploy('orders')
    let failures = 0
    const one = follow(folder, manager, {
      result: () => {
        if (failures++ < 2) throw Object.assign(new Error('busy'), { code: 'EBUSY' })
        return undefined
      },
    })
    await one.subscription.ready
    expect(failures).toBe(3)
    expect(one.alarms.map(({ code, message }) => `${code} ${message}`)).toEqual([
      'state-not-applied EBUSY',
      'state-not-applied EBUSY',
    ])
    await until('no problem is left', () => one.subscription.status().problems.length === 0)
  })
  test('starts with the last good state while the manager is away', async () => {
    const { sequence } = await manager.deploy('orders')
    await manager.kill({ issuer: 'CN=Lost CA' })
    const before = follow(folder, manager)
    await before.subscription.ready
    await until('the entry', () => before.states.at(-1)?.killList.length === 1)
    await before.subscription.close()
    await manager.stop()
    const one = follow(folder, manager)
    await one.subscription.ready
    expect(one.states).toHaveLength(1)
    expect(one.states[0]).toMatchObject({ from: 'disk', killList: [{ project: 'Payments' }] })
    expect(one.runs()).toEqual({ orders: sequence })
    await until('the alarm', () => one.codes().includes('manager-unreachable'))
    await until('it is away', () => one.subscription.status().channel === 'away')
    const changed = await manager.deploy('orders', { basePath: '/v2' })
    await manager.start()
    await until('the change', () => one.runs().orders === changed.sequence)
    await until('the stream', () => one.subscription.status().channel === 'stream')
    expect(one.codes()).toEqual(['manager-unreachable'])
  })
  test('polls where there is no stream', async () => {
    await manager.deploy('orders')
    // What stands between lets everything pass but streams.
    const pass = between(() => manager.port)
    const half = createServer((incoming, answer) => {
      if (incoming.url?.includes('/events/')) answer.writeHead(502).end()
      else pass(incoming, answer)
    })
    await new Promise<void>((resolve) => half.listen(0, '127.0.0.1', resolve))
    const { port } = half.address() as AddressInfo
    try {
      const one = follow(folder, { ...manager, url: `http://127.0.0.1:${port}` })
      await one.subscription.ready
      expect(one.subscription.status().channel).toBe('polling')
      const changed = await manager.deploy('orders', { basePath: '/v2' })
      await until('the change', () => one.runs().orders === changed.sequence)
      expect(one.states).toHaveLength(2)
      expect(one.codes()).toEqual(['manager-refused'])
      await one.subscription.close()
    } finally {
      half.closeAllConnections()
      half.close()
    }
  })
  test('takes many proxies at once', async () => {
    await Promise.all(Array.from({ length: 60 }, (_, i) => manager.deploy(`proxy${i}`)))
    await manager.undeploy('proxy7')
    const one = follow(folder, manager)
    await one.subscription.ready
    expect(one.states).toHaveLength(1)
    expect(Object.keys(one.runs())).toHaveLength(59)
    expect(one.codes()).toEqual([])
  })
  test('asks a manager over TLS whose CA it knows, and no other', async () => {
    await manager.deploy('orders')
    const ca = await issueCa('Manager CA')
    const server = await ca.issue('manager', {
      extendedKeyUsage: ['serverAuth'],
      subjectAltName: [{ ip: '127.0.0.1' }],
    })
    const secure = createSecureServer(
      {
        cert: toPem(server.der, 'CERTIFICATE'),
        key: toPem(server.key.privateKey, 'PRIVATE KEY'),
      },
      between(() => manager.port),
    )
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve))
    const { port } = secure.address() as AddressInfo
    try {
      const of = { ...manager, url: `https://127.0.0.1:${port}/` }
      const stranger = follow(await makeFolder(), of)
      await until('the alarm', () => stranger.codes().includes('manager-unreachable'))
      expect(stranger.states).toEqual([])
      const one = follow(folder, of, { ca: toPem(ca.der, 'CERTIFICATE') })
      await one.subscription.ready
      expect(Object.keys(one.runs())).toEqual(['orders'])
      for (const each of [stranger, one]) await each.subscription.close()
      await removeFolder(stranger.folder)
    } finally {
      secure.closeAllConnections()
      secure.close()
    }
  })
  test.each([
    [{ managerUrl: 'ftp://manager' }, 'managerUrl'],
    [{ managerUrl: 'manager' }, 'managerUrl'],
    [{ publicKey: 'AAAA' }, 'publicKey'],
    [{ environment: 'a/b' }, 'environment'],
    [{ gateway: '' }, 'gateway'],
  ])('does not begin with %j', (options, option) => {
    expect(() => subscribe(folder, manager, options)).toThrow(
      expect.objectContaining({ code: 'option-invalid', option }),
    )
  })
  test('keeps on disk what is in force, and nothing else', async () => {
    const one = follow(folder, manager)
    await one.subscription.ready
    for (const basePath of ['/a', '/b', '/c']) await manager.deploy('orders', { basePath })
    const last = await manager.deploy('invoices')
    await until('all', () => one.runs().invoices === last.sequence)
    await one.subscription.close()
    expect(await readdir(join(folder, 'snapshots'))).toHaveLength(2)
    const text = await readFile(join(folder, 'state.json'), 'utf8')
    expect(JSON.parse(text)).toMatchObject({ version: 2, running: [{}, {}], seen: [{}, {}] })
    expect((await readdir(folder)).sort()).toEqual(['crls', 'live', 'snapshots', 'state.json'])
  })
})
