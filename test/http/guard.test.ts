/** What a guard decides, and what it remembers. */
import fc from 'fast-check'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { parseIssuerAcl } from '../../src/acl/index.ts'
import type { DecisionEvent } from '../../src/http/event.ts'
import { createGuard } from '../../src/http/fetch.node.ts'
import type { Guard } from '../../src/http/guard.ts'
import type { GuardOptions } from '../../src/http/options.ts'
import type { Connection, HttpRequest } from '../../src/http/request.ts'
import { linkerd, nginx, rfc9440, tls } from '../../src/http/sources/index.ts'
import { parseTrustAnchors } from '../../src/index.node.ts'
import { createKillList, type KillList } from '../../src/revocation.ts'
import { createPki, type IssuedCertificate, type Pki } from '../../src/testing/index.ts'
import { connectionFrom, percentPem, requestWith, sfBinary, trust } from './support.ts'

const type = 'policy-auth-mtls'
let pki: Pki
let foreign: Pki
let second: IssuedCertificate
let killList: KillList
beforeAll(async () => {
  pki = await createPki()
  foreign = await createPki({ organization: 'Foreign' })
  second = await pki.issuing.issue('client-b')
})
beforeEach(() => {
  killList = createKillList()
})
afterEach(() => {
  vi.useRealTimers()
})

function optionsWith(more: object = {}): GuardOptions {
  return {
    policy: { type, validateACLForIssuer: false },
    trustAnchors: parseTrustAnchors(pki.anchorsPem),
    intermediates: pki.intermediatesPem,
    killList,
    ...more,
  } as GuardOptions
}

function overTls(...certificates: readonly IssuedCertificate[]): HttpRequest {
  const connection = connectionFrom(
    '192.0.2.1',
    certificates.map(({ der }) => der),
  )
  return requestWith({}, connection)
}

function fromNginx(certificate: IssuedCertificate, more: object = {}): HttpRequest {
  const headers = {
    'X-SSL-Client-Cert': percentPem(certificate.der),
    'X-SSL-Client-Verify': 'SUCCESS',
  }
  return requestWith({ ...headers, ...more })
}

async function codeOf(guard: Guard, request: HttpRequest): Promise<string> {
  const decision = await guard.decide(request)
  return decision.allowed ? (decision.identity?.subject ?? 'nobody') : `${decision.code}`
}

const clientA = 'CN=client-a,O=Example'

describe('options that make no sense', () => {
  test.each([
    ['option-missing', undefined],
    ['option-missing', { policy: undefined }],
    ['options-conflict', { policies: [{ type }] }],
    ['option-invalid', { policy: undefined, policies: [] }],
    ['option-invalid', { policy: undefined, policies: {} }],
    [
      'option-invalid',
      { policy: undefined, policies: { errorPolicyList: [{ type, validateACLForIssuer: false }] } },
    ],
    ['policy-invalid', { policy: { type: 'other' } }],
    ['option-missing', { policy: { type } }],
    ['option-unknown', { trustAnchor: 1 }],
    ['options-conflict', { validateCertificate: false }],
    ['options-conflict', { validateACLForIssuer: false }],
    ['options-conflict', { clientAcl: {} }],
    ['options-conflict', { time: new Date() }],
    ['trust-anchors-missing', { trustAnchors: undefined }],
    ['option-invalid', { source: {} }],
    ['option-invalid', { authority: 'none' }],
    ['option-unknown', { cache: { sessions: 1 } }],
    ['option-invalid', { cache: { headers: -1 } }],
    ['option-invalid', { cache: { verdicts: 1.5 } }],
    ['option-invalid', { hooks: () => {} }],
    ['option-unknown', { answer: { status: 403 } }],
    ['option-invalid', { answer: { realm: 'a"b' } }],
    ['option-invalid', { answer: { reason: 'full' } }],
    ['option-invalid', { answer: { change: 1 } }],
    ['option-invalid', { identityHeaders: { 'x a': 'subject' } }],
    ['option-invalid', { identityHeaders: { 'x-a': 'toString' } }],
  ])('throw %s: %j', (code, more) => {
    const options = more === undefined ? (undefined as never) : optionsWith(more)
    expect(() => createGuard(options)).toThrow(expect.objectContaining({ code }))
  })
  test('leave the old ones in force', async () => {
    const guard = createGuard(optionsWith())
    expect(() => guard.update(optionsWith({ policy: { type: 'other' } }))).toThrow(TypeError)
    expect(await codeOf(guard, overTls(pki.client))).toBe(clientA)
  })
})

describe('a decision', () => {
  test('says who, why, and under which id', async () => {
    const guard = createGuard(optionsWith())
    const good = await guard.decide(overTls(pki.client))
    expect(good).toMatchObject({ allowed: true, status: 200, code: undefined, verified: true })
    expect(good.verdict).toMatchObject({ ok: true })
    expect(good.id).toMatch(/^[\da-f]{8}-[\da-f-]{27}$/)
    expect(good.id).toBe(good.id)
    const bad = await guard.decide(overTls(foreign.client))
    expect(bad).toMatchObject({ allowed: false, status: 401, code: 'issuer-unknown' })
    expect(bad).toMatchObject({ verified: false, identity: undefined })
    expect(bad.id).not.toBe(good.id)
  })
  test('over a connection that is not TLS is a refusal', async () => {
    const guard = createGuard(optionsWith())
    for (const connection of [undefined, connectionFrom('192.0.2.1')]) {
      expect(await codeOf(guard, { ...overTls(), connection })).toBe('connection-not-tls')
    }
  })
  test('without a certificate is a refusal, on every request of the connection', async () => {
    const guard = createGuard(optionsWith())
    const request = overTls()
    expect(await codeOf(guard, request)).toBe('certificate-missing')
    expect(await codeOf(guard, request)).toBe('certificate-missing')
  })
  test('of what throws inside is 500, and nobody gets in', async () => {
    const source = {
      name: 'broken',
      headers: [],
      read: () => {
        throw new Error('broken')
      },
    }
    const events: DecisionEvent[] = []
    const hooks = { decision: (event: DecisionEvent) => events.push(event) }
    const decision = await createGuard(optionsWith({ source, hooks })).decide(overTls(pki.client))
    expect(decision).toMatchObject({ allowed: false, status: 500, code: 'decision-failed' })
    expect(events).toMatchObject([{ outcome: 'error', error: { message: 'broken' } }])
  })
  test('of a report-only policy over a bad header lets pass, with the reason', async () => {
    const policy = { type, validateACLForIssuer: false, mode: 'report' }
    const guard = createGuard(optionsWith({ policy, source: nginx({ trust }) }))
    const decision = await guard.decide(requestWith({ 'X-SSL-Client-Cert': 'x' }))
    expect(decision).toMatchObject({ allowed: true, verified: false })
    expect(decision.outcome?.trace).toMatchObject([
      { result: 'would-refuse', failure: { code: 'header-missing' } },
    ])
  })
  test('asks RESPONSE policies too, and runs ERROR once without a say', async () => {
    const policies = {
      requestPolicyList: [{ type, name: 'a', validateACLForIssuer: false }],
      responsePolicyList: [
        { type, name: 'b', validateACLForIssuer: false, clientAcl: 'allow attributes CN=client-b' },
      ],
      errorPolicyList: [{ type, name: 'c', validateACLForIssuer: false }],
    }
    const guard = createGuard(optionsWith({ policy: undefined, policies }))
    const decision = await guard.decide(overTls(pki.client))
    expect(decision).toMatchObject({ status: 401, code: 'client-not-allowed' })
    expect(
      decision.outcome?.trace.map((one) => `${one.pipeline} ${one.policy} ${one.result}`),
    ).toEqual(['REQUEST a passed', 'RESPONSE b refused', 'ERROR c passed'])
    expect(await codeOf(guard, overTls(second))).toBe('CN=client-b')
  })
})

describe('an asserted identity', () => {
  const source = linkerd({ trust, assertedIdentity: true })
  const request = requestWith({ 'l5d-client-id': 'web.shop.serviceaccount.identity.example' })
  test('passes where nothing is to be proven, and is marked', async () => {
    const policy = { type, validateCertificate: false, validateACLForIssuer: false }
    const decision = await createGuard(optionsWith({ policy, source })).decide(request)
    expect(decision).toMatchObject({
      allowed: true,
      verified: false,
      identity: undefined,
      asserted: { asserted: true, by: 'linkerd' },
    })
  })
  test.each([{ validateACLForIssuer: false }, { validateCertificate: false }, {}])(
    'is refused by a policy that proves something: %j',
    async (switches) => {
      const issuerAcl = parseIssuerAcl('allow dn "CN=Example Issuing CA,O=Example"')
      const options = optionsWith({ policy: { type, ...switches }, issuerAcl, source })
      expect(await codeOf(createGuard(options), request)).toBe('identity-not-proven')
    },
  )
})

describe('the host of a request', () => {
  const named = (serverName: string | undefined): Connection => ({
    remoteAddress: '192.0.2.1',
    tls: { serverName, isResumed: false, certificates: () => [pki.client.der] },
  })
  test.each([
    ['app.example', 'app.example', '/', false],
    ['app.example', 'APP.example:8443', '/', false],
    ['App.Example', 'app.example.', '/', false],
    ['app.example', 'other.example', '/', true],
    ['app.example', 'app.example.evil', '/', true],
    ['app.example', undefined, '/', true],
    ['app.example', 'app.example:', '/', false],
    ['app.example', 'app.example:443@other.example', '/', true],
    ['app.example', 'APP.example:443@other.example', '/', true],
    ['app.example', 'app.example:443, other.example', '/', true],
    ['app.example', 'app.example:443/..', '/', true],
    ['app.example', '[::1]:443', '/', true],
    ['app.example', 'app.example', 'https://other.example/x', true],
    ['app.example', 'app.example', 'https://a@app.example:1/x', false],
    ['app.example', 'app.example', '*', false],
    [undefined, 'anything', '/', false],
  ])(
    'server name %s, authority %s, target %s: misdirected %s',
    async (name, authority, target, is) => {
      const guard = createGuard(optionsWith())
      const request = { ...requestWith({}, named(name)), authority, target }
      const decision = await guard.decide(request)
      expect(decision.status).toBe(is ? 421 : 200)
      if (is) expect(decision.code).toBe('request-misdirected')
      const any = createGuard(optionsWith({ authority: 'any' }))
      expect((await any.decide(request)).status).toBe(200)
    },
  )
})

describe('what is remembered', () => {
  let events: DecisionEvent[]
  let hooks: { decision: (event: DecisionEvent) => void }
  beforeEach(() => {
    events = []
    hooks = { decision: (event) => events.push(event) }
  })
  const remembered = () => events.map(({ isRemembered }) => isRemembered)

  test('a connection, until something is new', async () => {
    const guard = createGuard(optionsWith({ hooks }))
    const request = overTls(pki.client)
    await guard.decide(request)
    await guard.decide(request)
    expect(remembered()).toEqual([false, true])
    killList.add({ spkiSha256: 'ab'.repeat(32) })
    await guard.decide(request)
    await guard.decide(request)
    guard.update(optionsWith({ hooks }))
    await guard.decide(request)
    expect(remembered()).toEqual([false, true, false, true, false])
  })
  test('what a decision was made under, whatever is in force when it is applied', async () => {
    const given = { hooks, source: nginx({ trust }), identityHeaders: { 'x-subject': 'subject' } }
    const guard = createGuard(optionsWith({ ...given, answer: { realm: 'old' } }))
    const allowed = await guard.decide(fromNginx(pki.client))
    const refused = await guard.decide(fromNginx(foreign.client))
    guard.update(optionsWith({ source: rfc9440({ trust }), answer: { realm: 'new' } }))
    for (const name of ['X-Subject', 'X-SSL-Client-Cert']) {
      expect(guard.strippedHeaders(allowed).has(name)).toBe(true)
    }
    expect(guard.identityHeaders(allowed)).toEqual([['x-subject', clientA]])
    const { headers } = guard.answer(refused, fromNginx(foreign.client))
    expect(headers['www-authenticate']).toContain('realm="old"')
  })
  test('a header, once it was let in', async () => {
    const guard = createGuard(optionsWith({ hooks, source: nginx({ trust }) }))
    for (const client of [pki.client, foreign.client]) {
      await guard.decide(fromNginx(client))
      await guard.decide(fromNginx(client))
    }
    expect(remembered()).toEqual([false, true, false, false])
    expect(events.map(({ outcome }) => outcome)).toEqual([
      'allowed',
      'allowed',
      'refused',
      'refused',
    ])
  })
  test('nothing, where the cache has no room', async () => {
    const cache = { headers: 0, verdicts: 0 }
    const guard = createGuard(optionsWith({ hooks, cache, source: nginx({ trust }) }))
    await guard.decide(fromNginx(pki.client))
    await guard.decide(fromNginx(pki.client))
    expect(remembered()).toEqual([false, false])
  })
  test('not that a proxy may speak: another address with the same header is refused', async () => {
    const guard = createGuard(optionsWith({ source: nginx({ trust }) }))
    expect(await codeOf(guard, fromNginx(pki.client))).toBe(clientA)
    const elsewhere = { ...fromNginx(pki.client), connection: connectionFrom('192.0.2.66') }
    expect(await codeOf(guard, elsewhere)).toBe('proxy-not-trusted')
    const failing = fromNginx(pki.client, { 'X-SSL-Client-Verify': 'FAILED:expired' })
    expect(await codeOf(guard, failing)).toBe('proxy-refused')
  })
  test('not by another source: the same text may mean something else', async () => {
    const guard = createGuard(optionsWith({ source: rfc9440({ trust }) }))
    const request = requestWith({ 'Client-Cert': sfBinary(pki.client.der) })
    expect(await codeOf(guard, request)).toBe(clientA)
    guard.update(optionsWith({ source: rfc9440({ trust: { addresses: ['203.0.113.1'] } }) }))
    expect(await codeOf(guard, request)).toBe('proxy-not-trusted')
  })
  test('no longer than the certificate is valid', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const { notAfter } = pki.client.tbsCertificate.validity
    const guard = createGuard(optionsWith())
    const request = overTls(pki.client)
    vi.setSystemTime(notAfter * 1000 + 999)
    expect(await codeOf(guard, request)).toBe(clientA)
    vi.setSystemTime(notAfter * 1000 + 1000)
    expect(await codeOf(guard, request)).toBe('certificate-expired')
    vi.setSystemTime(notAfter * 1000)
    expect(await codeOf(guard, request)).toBe(clientA)
  })
  test('the chain of an accepted client, for its resumed sessions', async () => {
    const options = optionsWith({ intermediates: undefined })
    const resumed = (): HttpRequest =>
      requestWith(
        {},
        {
          remoteAddress: '192.0.2.1',
          tls: { serverName: undefined, isResumed: true, certificates: () => [pki.client.der] },
        },
      )
    const guard = createGuard(options)
    expect(await codeOf(guard, resumed())).toBe('issuer-unknown')
    expect(await codeOf(guard, overTls(pki.client, pki.issuing))).toBe(clientA)
    expect(await codeOf(guard, resumed())).toBe(clientA)
    const forgetful = createGuard({ ...options, source: tls({ rememberedChains: 0 }) })
    expect(await codeOf(forgetful, overTls(pki.client, pki.issuing))).toBe(clientA)
    expect(await codeOf(forgetful, resumed())).toBe('issuer-unknown')
  })
  test('no chain of a client that was refused', async () => {
    const guard = createGuard(optionsWith({ intermediates: undefined, killList }))
    killList.add({ certificate: pki.client.pem })
    await guard.decide(overTls(pki.client, pki.issuing))
    killList.replace([])
    const connection = {
      remoteAddress: '192.0.2.1',
      tls: { serverName: undefined, isResumed: true, certificates: () => [pki.client.der] },
    }
    expect(await codeOf(guard, requestWith({}, connection))).toBe('issuer-unknown')
  })
})

describe('a watched request', () => {
  test('is looked at again after a change, and told once', async () => {
    const guard = createGuard(optionsWith())
    const request = overTls(pki.client)
    const refused: string[] = []
    guard.watch(request, await guard.decide(request), ({ code }) => refused.push(`${code}`))
    const other = overTls(second)
    const end = guard.watch(other, await guard.decide(other), () => refused.push('second'))
    killList.add({ certificate: pki.client.pem })
    killList.add({ certificate: pki.client.pem })
    expect(refused).toEqual(['certificate-killed'])
    end()
    killList.add({ certificate: second.pem })
    expect(refused).toHaveLength(1)
  })
  test('is looked at again when its verdict runs out', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
    const { notAfter } = pki.client.tbsCertificate.validity
    vi.setSystemTime((notAfter - 5) * 1000)
    const guard = createGuard(optionsWith())
    const request = overTls(pki.client)
    const refused = vi.fn()
    guard.watch(request, await guard.decide(request), refused)
    vi.advanceTimersByTime(5000)
    expect(refused).not.toHaveBeenCalled()
    vi.advanceTimersByTime(2000)
    expect(refused).toHaveBeenCalledWith(expect.objectContaining({ code: 'certificate-expired' }))
  })
  test('that nobody proved is looked at each minute', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
    const policy = { type, validateCertificate: false }
    const until = new Date(Date.now() + 90_000).toISOString().slice(0, 19)
    const issuerAcl = parseIssuerAcl(`allow dn "CN=Example Issuing CA,O=Example" expires ${until}Z`)
    const guard = createGuard(optionsWith({ policy, issuerAcl }))
    const request = overTls(pki.client)
    const refused = vi.fn()
    guard.watch(request, await guard.decide(request), refused)
    vi.advanceTimersByTime(61_000)
    expect(refused).not.toHaveBeenCalled()
    vi.advanceTimersByTime(61_000)
    expect(refused).toHaveBeenCalledOnce()
  })
})

describe('with all it remembers', () => {
  type Step =
    | { readonly ask: 'good' | 'second' | 'foreign' | 'none'; readonly via: 'tls' | 'header' }
    | { readonly kill: 'good' | 'second' }
    | { readonly spare: true }
    | { readonly policy: number }
    | { readonly seconds: number }
  const who = fc.constantFrom(
    'good' as const,
    'second' as const,
    'foreign' as const,
    'none' as const,
  )
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ ask: who, via: fc.constantFrom('tls' as const, 'header' as const) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kill: fc.constantFrom('good' as const, 'second' as const) }),
    },
    { weight: 1, arbitrary: fc.record({ spare: fc.constant(true as const) }) },
    { weight: 1, arbitrary: fc.record({ policy: fc.nat({ max: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ seconds: fc.integer({ min: -40, max: 40 }) }) },
  )
  test('it answers as one that remembers nothing', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const now = 1_800_000_000
    const brief = await pki.issuing.issue('client-a', { notBefore: now - 20, notAfter: now + 20 })
    const known = { good: brief, second, foreign: foreign.client, none: undefined }
    const policies = [
      { type, validateACLForIssuer: false },
      { type, validateACLForIssuer: false, clientAcl: 'allow attributes CN=client-b' },
      { type, validateACLForIssuer: false, mode: 'report' },
      { type, validateCertificate: false, validateACLForIssuer: false },
    ]
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        vi.setSystemTime(now * 1000)
        killList = createKillList()
        const connections = new Map<string, HttpRequest>()
        const with1 = (index: number, via: 'tls' | 'header', cache: object): GuardOptions =>
          optionsWith({
            policy: policies[index],
            cache,
            ...(via === 'header' ? { source: headerSource } : {}),
          })
        const headerSource = nginx({ trust })
        const none = { headers: 0, verdicts: 0 }
        let index = 0
        const guards = {
          tls: createGuard(with1(0, 'tls', { headers: 4, verdicts: 2 })),
          header: createGuard(with1(0, 'header', { headers: 4, verdicts: 2 })),
        }
        for (const one of steps) {
          if ('ask' in one) {
            const client = known[one.ask]
            const fresh =
              one.via === 'tls'
                ? client === undefined
                  ? overTls()
                  : overTls(client)
                : client === undefined
                  ? requestWith({ 'X-SSL-Client-Verify': 'NONE' })
                  : fromNginx(client)
            const key = `${one.via} ${one.ask}`
            const kept = one.via === 'tls' ? (connections.get(key) ?? fresh) : fresh
            connections.set(key, kept)
            const plain = createGuard(with1(index, one.via, none))
            expect(await codeOf(guards[one.via], kept)).toBe(await codeOf(plain, fresh))
          } else if ('kill' in one) killList.add({ certificate: known[one.kill].pem })
          else if ('spare' in one) killList.replace([])
          else if ('policy' in one) {
            index = one.policy
            guards.tls.update(with1(index, 'tls', { headers: 4, verdicts: 2 }))
            guards.header.update(with1(index, 'header', { headers: 4, verdicts: 2 }))
          } else vi.setSystemTime((now + one.seconds) * 1000)
        }
      }),
      { numRuns: 60 },
    )
  }, 60_000)
})

test('a request with half a header line is decided', async () => {
  const guard = createGuard(optionsWith({ source: nginx({ trust }) }))
  const request = {
    ...requestWith({}),
    rawHeaders: ['X-SSL-Client-Verify', 'NONE', 'X-SSL-Client-Cert'],
  }
  expect(await codeOf(guard, request)).toBe('certificate-missing')
})
