/** Who comes in: pipelines in their places, and what is in force beside a snapshot. */
import { createHash } from 'node:crypto'
import { connect } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { defaultRevocation, type Snapshot } from '../../src/deployment/snapshot.ts'
import type { DecisionEvent } from '../../src/http/event.ts'
import { createPki, issueCrl } from '../../src/testing/index.ts'
import {
  type Answered,
  ask,
  askOn,
  type Changes,
  type Credentials,
  codeOf,
  deployed,
  openHttp2,
  openWorld,
  recordLog,
  requestPolicies,
  seenIn,
  stateOf,
  tlsOptions,
  type,
  until,
  validating,
  valuesOf,
  versions,
  type World,
} from './support.ts'

const world = await openWorld()
const strangers = await createPki({ organization: 'Strangers' })
const expired = await world.pki.issuing.issue('late', { notBefore: 1_000_000, notAfter: 2_000_000 })

/** Of lists that are in force now. */
const times = { thisUpdate: Math.floor(Date.now() / 1000) - 60 }

/** Statuses and codes of what the hooks were told. */
function recorder() {
  const events: DecisionEvent[] = []
  return { events, hooks: { decision: (event: DecisionEvent) => events.push(event) } }
}

function stepsOf({ details }: DecisionEvent): readonly string[] {
  return (details?.trace ?? []).map(
    ({ pipeline, policy, result }) => `${pipeline} ${policy} ${result}`,
  )
}

describe.each(versions)('%s: a client', (version) => {
  async function refused(
    client: Credentials | undefined,
    changes: Changes = {},
    state: object = {},
  ): Promise<readonly [number, unknown]> {
    const { url } = await world.upstream()
    const { events, hooks } = recorder()
    const policies = requestPolicies(validating)
    const snapshot = world.snapshot(url, { policies, ...changes })
    const { port, problems } = await world.gateway({ ...stateOf(snapshot), ...state }, { hooks })
    expect(problems).toEqual([])
    const { status } = await ask(version, port, { client })
    return [status, events.at(-1)?.code]
  }

  test('with a certificate of ours comes in', async () => {
    expect(await refused(world.pki.client)).toEqual([200, undefined])
  })

  test('without one is refused', async () => {
    expect(await refused(undefined)).toEqual([401, 'certificate-missing'])
  })

  test('whose certificate has expired is refused', async () => {
    expect(await refused(expired)).toEqual([401, 'certificate-expired'])
  })

  test('of another CA is refused', async () => {
    expect(await refused(strangers.client)).toEqual([401, 'issuer-unknown'])
  })

  test('of an issuer that the ACL does not allow is refused', async () => {
    const changes = {
      policies: requestPolicies({ type, name: 'mtls' }),
      issuerAcl: 'allow dn "CN=Somebody Else"',
    }
    expect(await refused(world.pki.client, changes)).toEqual([401, 'issuer-not-allowed'])
  })

  test('of an issuer that the ACL allows comes in', async () => {
    const changes = {
      policies: requestPolicies({ type, name: 'mtls' }),
      issuerAcl: 'allow dn "CN=Example Issuing CA,O=Example"',
    }
    expect(await refused(world.pki.client, changes)).toEqual([200, undefined])
  })

  test('that a CRL of the project names is refused', async () => {
    const { root, issuing, client } = world.pki
    const revoked = await issueCrl(issuing, { revoked: [client], ...times })
    const none = await issueCrl(root, times)
    const crls = [revoked, none].map(({ der }) => ({
      project: 'shop',
      apiProxy: null,
      sha256: createHash('sha256').update(der).digest('hex'),
      der,
    }))
    const revocation = defaultRevocation
    expect(await refused(client, { revocation }, { crls })).toEqual([401, 'certificate-revoked'])
  })

  test('about whom there is no CRL is refused where one is wanted', async () => {
    const changes = { revocation: defaultRevocation }
    expect((await refused(world.pki.client, changes))[0]).toBe(401)
  })

  test('on the kill list is refused, and only at the proxy that the entry is for', async () => {
    const spkiSha256 = createHash('sha256')
      .update(world.pki.client.tbsCertificate.subjectPublicKeyInfo.der)
      .digest('hex')
    const entry = (apiProxy: string | null) => ({
      killList: [{ project: 'shop', apiProxy, entry: { spkiSha256 } }],
    })
    const killed = [401, 'certificate-killed']
    expect(await refused(world.pki.client, {}, entry(null))).toEqual(killed)
    expect(await refused(world.pki.client, {}, entry('orders'))).toEqual(killed)
    expect(await refused(world.pki.client, {}, entry('others'))).toEqual([200, undefined])
  })
})

describe('in force at once, without another snapshot', () => {
  test('a kill list entry, on a connection that is open', async () => {
    const { url } = await world.upstream()
    const snapshot = world.snapshot(url, { policies: requestPolicies(validating) })
    const { gateway, port } = await world.gateway(stateOf(snapshot))
    const session = await openHttp2(port, { client: world.pki.client })
    world.after(() => session.destroy())
    expect((await askOn(session)).status).toBe(200)
    const issuer = 'CN=Example Issuing CA,O=Example'
    const killList = [{ project: 'shop', apiProxy: null, entry: { issuer } }]
    const { built } = await gateway.apply({ ...stateOf(snapshot), killList })
    expect(built).toBe(0)
    expect((await askOn(session)).status).toBe(401)
    await gateway.apply(stateOf(snapshot))
    expect((await askOn(session)).status).toBe(200)
  })

  test('an entry that cannot be read keeps the others from nothing, and is a problem', async () => {
    const { url } = await world.upstream()
    const snapshot = world.snapshot(url, { policies: requestPolicies(validating) })
    const { port, problems } = await world.gateway({
      ...stateOf(snapshot),
      killList: [
        { project: 'shop', apiProxy: null, entry: { spkiSha256: 'no digest' } },
        {
          project: 'shop',
          apiProxy: null,
          entry: { issuer: 'CN=Example Issuing CA,O=Example', expires: '2099-01-01T00:00:00Z' },
        },
      ],
    })
    expect(problems.map(({ code }) => code)).toEqual(['kill-entry-unusable'])
    expect((await ask('HTTP/1.1', port, { client: world.pki.client })).status).toBe(401)
  })

  test('a CRL, and one that cannot be read is a problem', async () => {
    const { root, issuing, client } = world.pki
    const { url } = await world.upstream()
    const revocation = { ...defaultRevocation, onUnknown: 'allow' as const }
    const policies = requestPolicies(validating)
    const snapshot = world.snapshot(url, { policies, revocation })
    const { gateway, port } = await world.gateway(stateOf(snapshot))
    expect((await ask('HTTP/1.1', port, { client })).status).toBe(200)
    const lists = [
      await issueCrl(issuing, { revoked: [client], ...times }),
      await issueCrl(root, times),
      { der: new Uint8Array([0x30, 0x00]) },
    ]
    const crls = lists.map(({ der }, index) => ({
      project: 'shop',
      apiProxy: index === 0 ? 'orders' : null,
      sha256: createHash('sha256').update(der).digest('hex'),
      der,
    }))
    const { built, problems } = await gateway.apply({ ...stateOf(snapshot), crls })
    expect([built, problems.map(({ code }) => code)]).toEqual([0, ['crl-unusable']])
    expect((await ask('HTTP/1.1', port, { client })).status).toBe(401)
  })

  test('a CRL that cannot be read takes the place of none', async () => {
    const { issuing, client } = world.pki
    const { url } = await world.upstream()
    const revocation = { ...defaultRevocation, onUnknown: 'allow' as const }
    const policies = requestPolicies(validating)
    const snapshot = world.snapshot(url, { policies, revocation })
    const { gateway, port } = await world.gateway(stateOf(snapshot))
    const status = async (...ders: readonly Uint8Array[]): Promise<number> => {
      const crls = ders.map((der) => ({
        project: 'shop',
        apiProxy: null,
        sha256: createHash('sha256').update(der).digest('hex'),
        der,
      }))
      await gateway.apply({ ...stateOf(snapshot), crls })
      return (await ask('HTTP/1.1', port, { client })).status
    }
    const { der } = await issueCrl(issuing, { revoked: [client], ...times })
    const unreadable = new Uint8Array([0x30, 0x00])
    expect(await status(der)).toBe(401)
    expect(await status(unreadable)).toBe(401)
    expect(await status(unreadable, new Uint8Array([0x30, 0x01, 0x00]))).toBe(401)
    // What is taken away is taken away.
    expect(await status()).toBe(200)
    expect(await status(unreadable)).toBe(200)
  })
})

describe.each(versions)('%s: pipelines', (version) => {
  const denying = { type, name: 'denying', validateACLForIssuer: true }
  const nobody = 'allow dn CN=Nobody'

  async function run(
    policies: Snapshot['policies'],
    upstream?: Parameters<World['upstream']>[0],
    asked: Parameters<typeof ask>[2] = {},
  ): Promise<{
    readonly answer: Answered
    readonly events: readonly DecisionEvent[]
    readonly asked: number
  }> {
    let count = 0
    const { url } = await world.upstream((request, response) => {
      count++
      if (upstream !== undefined) upstream(request, response)
      else response.end('secret')
    })
    const { events, hooks } = recorder()
    const snapshot = world.snapshot(url, { policies, issuerAcl: nobody })
    const { port, problems } = await world.gateway(stateOf(snapshot), { hooks })
    expect(problems).toEqual([])
    const answer = await ask(version, port, { client: world.pki.client, ...asked })
    return { answer, events, asked: count }
  }

  test('a refusal in REQUEST asks no upstream', async () => {
    const { answer, asked } = await run(requestPolicies(denying))
    expect([answer.status, asked]).toEqual([401, 0])
  })

  test('a refusal in RESPONSE takes the place of the answer', async () => {
    const { answer, asked } = await run({ responsePolicyList: [denying] })
    expect([answer.status, asked]).toEqual([401, 1])
    expect(answer.body).not.toContain('secret')
    expect(answer.headers['www-authenticate']).toContain('ClientCertificate')
  })

  test('a refusal in REQUEST enters ERROR once, and its refusal never enters it again', async () => {
    const { answer, events } = await run({
      requestPolicyList: [denying],
      errorPolicyList: [{ ...denying, name: 'last' }],
    })
    expect(answer.status).toBe(401)
    expect(events.map(stepsOf)).toEqual([['REQUEST denying refused'], ['ERROR last refused']])
    expect(JSON.parse(answer.body).instance).toBe(`urn:uuid:${events[0]?.id}`)
  })

  test('a refusal in RESPONSE enters ERROR once', async () => {
    const { events } = await run({
      responsePolicyList: [denying],
      errorPolicyList: [{ ...validating, name: 'last' }],
    })
    expect(events.map(stepsOf)).toEqual([['RESPONSE denying refused'], ['ERROR last passed']])
  })

  test('an upstream that fails enters ERROR, which may refuse to tell', async () => {
    const fails: Parameters<World['upstream']>[0] = (request) => request.socket.destroy()
    const told = await run({ errorPolicyList: [validating] }, fails)
    expect([told.answer.status, codeOf(told.answer)]).toEqual([502, 'upstream-failed'])
    const untold = await run({ errorPolicyList: [denying] }, fails)
    expect(untold.answer.status).toBe(401)
    expect(untold.events.map(stepsOf)).toEqual([['ERROR denying refused']])
  })

  test('ERROR runs from last to first, the endpoint’s own before those for all', async () => {
    const policy = (name: string, place: object = {}) => ({ ...validating, name, ...place })
    const endpoint = {
      targetScope: 'ENDPOINT',
      targetEndpoint: '/x',
      targetEndpointHTTPMethod: 'GET',
    }
    const { events } = await run(
      {
        requestPolicyList: [denying],
        errorPolicyList: [policy('a'), policy('b'), policy('c', endpoint), policy('d', endpoint)],
      },
      undefined,
      { path: '/x' },
    )
    expect(stepsOf(events[1] as DecisionEvent)).toEqual(
      ['d', 'c', 'b', 'a'].map((name) => `ERROR ${name} passed`),
    )
  })

  test('RESPONSE lets a good client’s answer through, as it came', async () => {
    const { answer } = await run({ responsePolicyList: [validating] }, (_request, response) => {
      response.writeHead(203, { 'x-a': ['1', '2'] })
      response.end('kept')
    })
    expect([answer.status, answer.headers['x-a'], answer.body]).toEqual([203, '1, 2', 'kept'])
  })

  test('a policy of an endpoint counts there, and not elsewhere', async () => {
    const endpoint = {
      targetScope: 'ENDPOINT',
      targetEndpoint: '/admin/{page}',
      targetEndpointHTTPMethod: 'GET',
    }
    const policies = requestPolicies({ ...denying, ...endpoint })
    expect((await run(policies, undefined, { path: '/admin/x' })).answer.status).toBe(401)
    expect((await run(policies, undefined, { path: '/open' })).answer.status).toBe(200)
    const ambiguous = await run(policies, undefined, { path: '/admin/..;/x' })
    expect([ambiguous.answer.status, ambiguous.events[0]?.code]).toEqual([
      401,
      'request-target-ambiguous',
    ])
  })

  test('a policy in report mode refuses nobody', async () => {
    const { answer, events } = await run(requestPolicies({ ...denying, mode: 'report' }))
    expect([answer.status, events[0]?.outcome]).toEqual([200, 'would-refuse'])
  })
})

describe.each(versions)(
  '%s: an upstream that does not see dots and blanks at the end',
  (version) => {
    const atEndpoint = (targetEndpoint: string, name = targetEndpoint.slice(1, 4)) => ({
      ...validating,
      name,
      targetScope: 'ENDPOINT',
      targetEndpoint,
      targetEndpointHTTPMethod: 'GET',
    })

    async function start(...changes: Changes[]) {
      const asked: unknown[] = []
      const { url } = await world.upstream((request, response) => {
        asked.push(request.url)
        response.end()
      })
      const policies = requestPolicies(atEndpoint('/adm'), atEndpoint('/files/**'))
      const guarded = world.snapshot(url, { policies })
      const others = changes.map((change) => world.snapshot(url, change))
      const { port } = await world.gateway(stateOf(guarded, ...others))
      return { port, asked }
    }

    test.each([
      '.',
      '..',
      '%20',
      '%2e',
      '.%20.',
      '.;a',
      '%2520',
      '/...',
      '/%20',
      '/..%20/x',
      '.?/adm',
    ])('is not asked for an endpoint with policies and %s', async (end) => {
      const policies = requestPolicies(atEndpoint('/adm'))
      const hosts = ['other.example']
      const shop = { apiProxy: 'shop', hosts, basePath: '/shop', policies }
      const { port, asked } = await start(shop)
      for (const where of [
        { path: `/adm${end}` },
        { path: `/shop/ADM${end}`, servername: 'other.example', host: 'other.example' },
      ]) {
        const answer = await ask(version, port, where)
        expect([answer.status, codeOf(answer)]).toEqual([400, 'request-target-ambiguous'])
      }
      expect(asked).toEqual([])
    })

    test('is asked for all that comes to the same policies, or has none', async () => {
      const { port, asked } = await start({ apiProxy: 'open', hosts: ['other.example'] })
      const other = { servername: 'other.example', host: 'other.example' }
      const free = ['/Acme%20Inc.', '/adm.x', '/.adm', '/adm%20x', '/adm./x', '/x/adm.']
      for (const path of free) {
        expect([path, (await ask(version, port, { path })).status]).toEqual([path, 200])
      }
      expect((await ask(version, port, { path: '/adm.', ...other })).status).toBe(200)
      const { client } = world.pki
      expect((await ask(version, port, { path: '/files/a.%20', client })).status).toBe(200)
      expect((await ask(version, port, { path: '/files/a.%20' })).status).toBe(401)
      expect(asked).toEqual([...free, '/adm.', '/files/a.%20'])
    })
  },
)

describe.each(versions)('%s: who the client is', (version) => {
  const identityHeaders = { 'X-Client-Subject': 'subject', 'X-Client-Chain': 'chain' }

  test('is told to the upstream, once, whatever the client says', async () => {
    const { url } = await world.upstream()
    const snapshot = world.snapshot(url, {
      policies: requestPolicies(validating),
      upstream: { identityHeaders },
    })
    const { port } = await world.gateway(stateOf(snapshot))
    const headers = {
      'x-client-subject': 'CN=admin',
      x_client_subject: 'CN=admin',
      'x.client.subject': 'CN=admin',
      'x_client-subject': 'CN=admin',
      'x!client~subject': 'CN=admin',
      'x-client-chain': 'none',
    }
    const answer = await ask(version, port, { client: world.pki.client, headers })
    const { rawHeaders } = seenIn(answer)
    expect(valuesOf(rawHeaders, 'x-client-subject')).toEqual(['CN=client-a,O=Example'])
    // PHP would read `x.client.subject`, and CGI `x_client_subject`, in its place.
    expect(rawHeaders).not.toContain('CN=admin')
    expect(valuesOf(rawHeaders, 'x-client-chain')).toHaveLength(1)
  })

  test('is not for the client to say where nobody proved it', async () => {
    const { url } = await world.upstream()
    const { port } = await world.gateway(
      stateOf(world.snapshot(url, { upstream: { identityHeaders } })),
    )
    const headers = { 'X-Client-Subject': 'CN=admin' }
    const { rawHeaders } = seenIn(await ask(version, port, { client: world.pki.client, headers }))
    expect(valuesOf(rawHeaders, 'x-client-subject')).toEqual([])
  })
})

describe('resumed sessions', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    '%s: a chain that was accepted is remembered, and a session without a certificate is refused',
    async (maxVersion) => {
      const { url } = await world.upstream()
      const snapshot = world.snapshot(url, { policies: requestPolicies(validating) })
      const { port } = await world.gateway(stateOf(snapshot))
      async function get(client: Credentials | undefined, session?: Buffer) {
        const socket = connect({
          ...tlsOptions(port, { client }),
          maxVersion,
          ALPNProtocols: ['http/1.1'],
          ...(session === undefined ? {} : { session }),
        })
        let isResumed = false
        socket.on('secureConnect', () => {
          isResumed = socket.isSessionReused()
        })
        let next: Buffer | undefined
        let text = ''
        socket.on('session', (one: Buffer) => {
          next = one
        })
        socket.on('data', (chunk: Buffer) => {
          text += chunk.toString('latin1')
        })
        socket.write('GET / HTTP/1.1\r\nHost: api.example\r\n\r\n')
        // A session that is resumed under TLS 1.2 brings no other one.
        await until(() => text.includes('\r\n\r\n') && (session ?? next) !== undefined)
        socket.destroy()
        return { status: Number(text.slice(9, 12)), isResumed, session: next }
      }
      const first = await get(world.pki.client)
      expect(first).toMatchObject({ status: 200, isResumed: false })
      expect(await get(undefined, first.session)).toMatchObject({ status: 200, isResumed: true })
      const nobody = await get(undefined)
      expect(await get(undefined, nobody.session)).toMatchObject({ status: 401, isResumed: true })
    },
  )
})

describe('a listener that does not ask', () => {
  test('refuses where a policy wants a certificate, and says so once', async () => {
    const { url } = await world.upstream()
    const { lines, logger } = recordLog()
    const open = world.snapshot(url, { apiProxy: 'open', basePath: '/open' })
    const closed = world.snapshot(url, { policies: requestPolicies(validating) })
    const { events, hooks } = recorder()
    const { port } = await world.gateway(stateOf(open, closed), {
      listener: { clientCertificate: 'none' },
      logger,
      hooks,
    })
    for (const _time of [1, 2]) {
      expect((await ask('HTTP/1.1', port, { client: world.pki.client })).status).toBe(401)
    }
    expect(events.map(({ code }) => code)).toEqual(['certificate-missing', 'certificate-missing'])
    const warnings = lines.filter(({ level }) => level === 'warn').map(({ message }) => message)
    expect(warnings.toSorted()).toEqual([
      'policies want a certificate, and this listener asks for none',
      'refused',
      'refused',
    ])
    expect((await ask('HTTP/1.1', port, { path: '/open/x' })).status).toBe(200)
  })
})

describe('a proxy that cannot be built', () => {
  test('stays as it was; the others come into force', async () => {
    const { url } = await world.upstream()
    const good = world.snapshot(url, { policies: requestPolicies(validating) })
    const { gateway, port } = await world.gateway(stateOf(good))
    const bad = { ...good, trustAnchors: [] }
    const other = world.snapshot(url, { apiProxy: 'other', hosts: ['other.example'] })
    const { problems } = await gateway.apply({
      ...stateOf(other),
      proxies: [bad, other].map(deployed),
    })
    expect(problems).toMatchObject([
      { project: 'shop', apiProxy: 'orders', code: 'proxy-unusable' },
    ])
    expect((await ask('HTTP/1.1', port)).status).toBe(401)
    expect((await ask('HTTP/1.1', port, { client: world.pki.client })).status).toBe(200)
    const elsewhere = { servername: 'other.example', host: 'other.example' }
    expect((await ask('HTTP/1.1', port, elsewhere)).status).toBe(200)
  })
})

describe('revocation data that is fetched', () => {
  test('is there for the first client, and counts together with what was uploaded', async () => {
    const { root, issuing, client } = world.pki
    const lists = new Map([
      ['/issuing.crl', await issueCrl(issuing, { revoked: [], ...times })],
      ['/root.crl', await issueCrl(root, times)],
    ])
    const { url: listsUrl } = await world.upstream((request, response) => {
      response.end(lists.get(request.url ?? '')?.der)
    })
    const { url } = await world.upstream()
    const revocation = {
      ...defaultRevocation,
      urls: [...lists.keys()].map((path) => `${listsUrl}${path}`),
      allowAddresses: ['127.0.0.1'],
    }
    const policies = requestPolicies(validating)
    const snapshot = world.snapshot(url, { policies, revocation })
    const { gateway, port } = await world.gateway(stateOf(snapshot))
    let status = 0
    const asking = (async () => {
      const end = performance.now() + 10_000
      while (status !== 200 && performance.now() < end) {
        status = (await ask('HTTP/2', port, { client })).status
      }
    })()
    await asking
    expect(status).toBe(200)
    const { der } = await issueCrl(issuing, {
      revoked: [client],
      thisUpdate: times.thisUpdate + 30,
      cRLNumber: 100,
    })
    const sha256 = createHash('sha256').update(der).digest('hex')
    const crls = [{ project: 'shop', apiProxy: 'orders', sha256, der }]
    await gateway.apply({ ...stateOf(snapshot), crls })
    expect((await ask('HTTP/2', port, { client })).status).toBe(401)
    // Other settings: another source, and the uploaded list still counts.
    const fewer = { ...snapshot, revocation: { ...revocation, urls: revocation.urls.slice(1) } }
    expect((await gateway.apply({ ...stateOf(fewer), crls })).built).toBe(1)
    expect((await ask('HTTP/2', port, { client })).status).toBe(401)
  })
})
