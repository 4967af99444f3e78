/** What is logged of decisions: who was refused, who would be, and under which id the client was told. */
import { createHash } from 'node:crypto'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { Snapshot } from '../../src/deployment/snapshot.ts'
import type { GatewayLogger } from '../../src/gateway/options.ts'
import { issueVariant } from '../../src/testing/index.ts'
import { readPage, rowsOf, sectionOf } from '../docs/markdown.ts'
import {
  ask,
  type Credentials,
  openWorld,
  requestPolicies,
  stateOf,
  tlsOptions,
  until,
  validating,
  versions,
} from './support.ts'

const world = await openWorld()
const { issuing } = world.pki
const expired = await issuing.issue('CN=late,O=Example', {
  serialNumber: 0x1234,
  notBefore: 1_000_000,
  notAfter: 2_000_000,
})
const reporting = { ...validating, name: 'trial', mode: 'report' }

type Line = Readonly<Record<string, unknown>>

/** A real logger, and what it writes. */
function recording(level: string) {
  const written: string[] = []
  const options = { level, base: null, timestamp: false }
  const logger = pino(options, { write: (line: string) => void written.push(line) })
  const text = () => written.join('')
  const lines = (message?: string): Line[] =>
    text()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line)
      .filter(({ msg }) => message === undefined || msg === message)
  return { logger, text, lines }
}

/** A gateway whose upstream answers everybody. */
async function start(policies: Snapshot['policies'], level = 'debug') {
  const { logger, lines, text } = recording(level)
  const { port, gateway } = await world.serve(
    (_request, response) => response.end('let in'),
    { policies },
    { logger },
  )
  const settled = () => until(() => gateway.requests === 0)
  return { port, lines, settled, text }
}

function sha256(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex')
}

function instanceOf({ body }: { readonly body: string }): string {
  return (JSON.parse(body) as { readonly instance: string }).instance.replace('urn:uuid:', '')
}

describe.each(versions)('%s: a refusal', (version) => {
  test('is a line with the id that the client was told, why, and who it was', async () => {
    const { port, lines, settled } = await start(requestPolicies(validating), 'warn')
    const answer = await ask(version, port, {
      client: expired,
      method: 'POST',
      path: '/orders/7?secret=hush',
      headers: { 'x-request-id': 'request-7' },
      body: 'hush',
    })
    expect(answer.status).toBe(401)
    await settled()
    expect(lines()).toEqual([
      {
        level: 40,
        requestId: 'request-7',
        decisionId: instanceOf(answer),
        project: 'shop',
        proxy: 'orders',
        pipeline: 'REQUEST',
        policy: 'mtls',
        code: 'certificate-expired',
        reason: expect.stringMatching(/expired at 1970-01-24T/),
        subject: 'CN=late,O=Example',
        issuer: 'CN=Example Issuing CA,O=Example',
        serialNumber: '1234',
        fingerprint: sha256(expired.der),
        address: '127.0.0.1',
        method: 'POST',
        host: 'api.example',
        path: '/orders/7',
        msg: 'refused',
      },
    ])
  })

  test('without a certificate says where it came from', async () => {
    const { port, lines, settled } = await start(requestPolicies(validating), 'warn')
    const answer = await ask(version, port)
    await settled()
    const [line, ...others] = lines()
    expect(others).toEqual([])
    expect(line).toMatchObject({
      code: 'certificate-missing',
      decisionId: instanceOf(answer),
      address: '127.0.0.1',
    })
    expect(line).not.toHaveProperty('subject')
    expect(line).not.toHaveProperty('fingerprint')
  })

  test('of a certificate that cannot be read has its fingerprint', async () => {
    const { port, lines, settled } = await start(requestPolicies(validating), 'warn')
    const { client } = await issueVariant('duplicate-extension')
    expect((await ask(version, port, { client })).status).toBe(401)
    await settled()
    const [line] = lines('refused')
    expect(line).toMatchObject({ code: 'extension-duplicate' })
    expect(line?.fingerprint).toBe(sha256(client.der))
    expect(line).not.toHaveProperty('subject')
  })

  test('in RESPONSE and in ERROR says in which', async () => {
    const { port, lines, settled } = await start(
      { responsePolicyList: [validating], errorPolicyList: [{ ...validating, name: 'errors' }] },
      'warn',
    )
    expect((await ask(version, port, { client: expired })).status).toBe(401)
    await settled()
    expect(lines('refused').map(({ pipeline, policy }) => [pipeline, policy])).toEqual([
      ['RESPONSE', 'mtls'],
      ['ERROR', 'errors'],
    ])
  })
})

describe.each(versions)('%s: a policy in report mode', (version) => {
  test('lets in, and a line has whom it would have refused', async () => {
    const { port, lines, settled } = await start(requestPolicies(reporting))
    expect((await ask(version, port, { client: expired, path: '/a?b' })).status).toBe(200)
    await settled()
    const [line, ...others] = lines('would refuse')
    expect(others).toEqual([])
    expect(line).toMatchObject({
      level: 40,
      project: 'shop',
      proxy: 'orders',
      pipeline: 'REQUEST',
      policy: 'trial',
      code: 'certificate-expired',
      subject: 'CN=late,O=Example',
      fingerprint: sha256(expired.der),
      path: '/a',
    })
    expect(lines('refused')).toEqual([])
    // The request's own line has the same id.
    expect(lines('request')).toMatchObject([{ status: 200, decisionId: line?.decisionId }])
  })

  test('is told of beside the one that refuses', async () => {
    const policies = requestPolicies(reporting, { ...reporting, name: 'second' }, validating)
    const { port, lines, settled } = await start(policies, 'warn')
    expect((await ask(version, port, { client: expired })).status).toBe(401)
    await settled()
    expect(lines().map(({ msg, policy }) => [msg, policy])).toEqual([
      ['would refuse', 'trial'],
      ['would refuse', 'second'],
      ['refused', 'mtls'],
    ])
    expect(new Set(lines().map(({ decisionId }) => decisionId)).size).toBe(1)
  })

  test('is silent about whom it would let in', async () => {
    const { port, lines, settled } = await start(requestPolicies(reporting), 'warn')
    expect((await ask(version, port, { client: world.pki.client })).status).toBe(200)
    await settled()
    expect(lines()).toEqual([])
  })
})

describe('a client that was let in', () => {
  test.each(versions)('%s: is in the line of its request, at debug', async (version) => {
    const { port, lines, settled } = await start(requestPolicies(validating))
    expect((await ask(version, port, { client: world.pki.client })).status).toBe(200)
    await settled()
    expect(lines('request')).toEqual([
      expect.objectContaining({
        level: 20,
        decisionId: expect.stringMatching(/^[\da-f-]{36}$/),
        fingerprint: sha256(world.pki.client.der),
        subject: expect.stringContaining('CN=client-a'),
      }),
    ])
  })

  test('costs no text where nobody reads it: not even where it comes from is asked', async () => {
    const asked: string[] = []
    const logger: GatewayLogger = {
      debug: () => asked.push('debug'),
      info: () => asked.push('info'),
      warn: () => asked.push('warn'),
      error: () => asked.push('error'),
      isLevelEnabled: (level) => {
        asked.push(`${level}?`)
        return level !== 'debug'
      },
    }
    const policies = requestPolicies(validating)
    const { port, gateway } = await world.serve(undefined, { policies }, { logger })
    asked.length = 0
    expect((await ask('HTTP/1.1', port, { client: world.pki.client })).status).toBe(200)
    await until(() => gateway.requests === 0)
    expect(asked).toEqual(['debug?'])
  })
})

describe('what a stranger writes', () => {
  test('begins no line, turns no text, and is cut', async () => {
    const evil = await issuing.issue('evil', {
      subject: [
        { type: 'O', value: 'x'.repeat(5000) },
        { type: 'CN', value: 'a\n{"msg":"let in"}\r\u202e\u0085\u001b[2J' },
      ],
      notBefore: 1_000_000,
      notAfter: 2_000_000,
    })
    const { port, lines, settled, text } = await start(requestPolicies(validating), 'warn')
    expect((await ask('HTTP/1.1', port, { client: evil })).status).toBe(401)
    await settled()
    expect(text().match(/\n/g)).toHaveLength(1)
    const [line] = lines('refused')
    expect(line?.subject).toMatch(/^CN=a\\0a\{\\"msg\\":\\"let in\\"\}\\0d/)
    expect(String(line?.subject)).toHaveLength(1025)
    expect(JSON.stringify(line)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
  })

  test('is no token of ours: one that was pasted into a path or a name is blanked', async () => {
    const token = `mtlsp_${'A-_z'.repeat(10)}123`
    const careless = await issuing.issue(token, { notBefore: 1_000_000, notAfter: 2_000_000 })
    const { port, lines, settled, text } = await start(requestPolicies(validating))
    const path = `/apiops/x/${token}/y?t=${token}`
    expect((await ask('HTTP/1.1', port, { client: careless, path })).status).toBe(401)
    await settled()
    expect(text()).not.toContain('A-_z')
    expect(lines('refused')).toMatchObject([
      { subject: 'CN=mtlsp_[secret]', path: '/apiops/x/mtlsp_[secret]/y' },
    ])
  })
})

describe('a WebSocket', () => {
  async function opened(policies: Snapshot['policies'], client: Credentials) {
    const { server, url } = await world.upstream()
    const webSockets = new WebSocketServer({ server })
    world.after(() => {
      for (const one of webSockets.clients) one.terminate()
    })
    const { logger, lines } = recording('warn')
    const snapshot = world.snapshot(url, { policies })
    const { port, gateway } = await world.gateway(stateOf(snapshot), { logger })
    const { cert, key } = tlsOptions(port, { client })
    const webSocket = new WebSocket(`wss://127.0.0.1:${port}/ws?secret`, {
      ...{ servername: 'api.example', rejectUnauthorized: false, cert, key },
      headers: { host: 'api.example' },
    } as ConstructorParameters<typeof WebSocket>[2])
    world.after(() => webSocket.terminate())
    const status = await new Promise<number>((resolve, reject) => {
      webSocket.once('open', () => resolve(101))
      webSocket.once('unexpected-response', (_request, { statusCode }) =>
        resolve(statusCode as number),
      )
      webSocket.once('error', reject)
    })
    webSocket.on('error', () => {})
    return { snapshot, gateway, lines, status }
  }

  test('that is refused is told of as a request is', async () => {
    const { status, lines } = await opened(requestPolicies(validating), expired)
    expect(status).toBe(401)
    expect(lines()).toMatchObject([
      {
        msg: 'refused',
        code: 'certificate-expired',
        pipeline: 'REQUEST',
        subject: 'CN=late,O=Example',
        address: '127.0.0.1',
        method: 'GET',
        path: '/ws',
      },
    ])
  })

  test('that is ended because its client was killed is a line with who it was', async () => {
    const { status, lines, gateway, snapshot } = await opened(
      requestPolicies(validating),
      world.pki.client,
    )
    expect([status, lines()]).toEqual([101, []])
    const entry = { issuer: 'CN=Example Issuing CA,O=Example' }
    const killList = [{ project: 'shop', apiProxy: null, entry }]
    await gateway.apply({ ...stateOf(snapshot), killList })
    await until(() => gateway.requests === 0)
    expect(lines()).toMatchObject([
      {
        msg: 'refused',
        code: 'issuer-killed',
        fingerprint: sha256(world.pki.client.der),
        path: '/ws',
      },
    ])
  })
})

test('docs/metrics.md has every field of a line, and no other', async () => {
  const { port, lines, settled } = await start(requestPolicies(validating), 'warn')
  expect((await ask('HTTP/1.1', port, { client: expired })).status).toBe(401)
  await settled()
  const rows = rowsOf(sectionOf(readPage('docs/metrics.md'), '## The log of a gateway'))
  const named = rows.map(([name]) => name)
  const [line = {}] = lines('refused')
  const ofEveryLine = ['level', 'msg']
  expect(Object.keys(line).filter((field) => !ofEveryLine.includes(field))).toEqual(named)
})
