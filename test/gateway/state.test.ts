/** States that cannot be used as a whole, or come when it is too late: what can be used is, and what is refused is told. */
import { readFile, writeFile } from 'node:fs/promises'
import client from 'prom-client'
import { describe, expect, test } from 'vitest'
import { parseTrustAnchors } from '../../src/client/trust-anchors.ts'
import { hintOf } from '../../src/gateway/contexts.ts'
import { createGateway } from '../../src/gateway/index.ts'
import { hostOf } from '../../src/gateway/target.ts'
import { issueCa } from '../../src/testing/index.ts'
import { ask, codeOf, openWorld, requestPolicies, stateOf, until, validating } from './support.ts'

const world = await openWorld()

describe('a proxy that cannot be used', () => {
  test.each([
    ['without the anchors that its policies need', { trustAnchors: [] }],
    ['with an anchor that is none', { trustAnchors: ['no base64!'] }],
    ['with intermediates that are none', { intermediates: ['AAAA'] }],
    ['with an ACL that is none', { issuerAcl: 'allow everybody' }],
  ])('%s is held, and the others are there', async (_, change) => {
    const { url } = await world.upstream((_request, response) => response.end('ok'))
    const policies = requestPolicies(validating)
    const { port, problems } = await world.gateway(
      stateOf(
        world.snapshot(url, { policies, basePath: '/bad', apiProxy: 'bad', ...change }),
        world.snapshot(url, { basePath: '/good', apiProxy: 'good' }),
      ),
    )
    expect(problems).toMatchObject([{ apiProxy: 'bad', code: 'proxy-unusable' }])
    const bad = await ask('HTTP/1.1', port, { path: '/bad/x', client: world.pki.client })
    expect([bad.status, codeOf(bad)]).toEqual([503, 'proxy-not-in-force'])
    expect((await ask('HTTP/1.1', port, { path: '/good/x' })).status).toBe(200)
  })

  test('because its place is taken by another new one is not there', async () => {
    const { url } = await world.upstream()
    const { problems } = await world.gateway(
      stateOf(world.snapshot(url, { apiProxy: 'a' }), world.snapshot(url, { apiProxy: 'b' })),
    )
    expect(problems).toMatchObject([{ apiProxy: 'b', code: 'route-taken' }])
  })
})

describe('intermediates of a snapshot', () => {
  test('complete the chain of who sends its own certificate alone', async () => {
    const { url } = await world.upstream((_request, response) => response.end('ok'))
    const intermediates = [Buffer.from(world.pki.issuing.der).toString('base64')]
    const policies = requestPolicies(validating)
    const { port } = await world.gateway(
      stateOf(
        world.snapshot(url, { policies, intermediates, basePath: '/with', apiProxy: 'with' }),
        world.snapshot(url, { policies, basePath: '/without', apiProxy: 'without' }),
      ),
    )
    const { pem: chainPem, privateKeyPem } = world.pki.client
    const alone = { chainPem, privateKeyPem }
    // Twice, for what is remembered of who was let in.
    for (const _time of [1, 2]) {
      expect((await ask('HTTP/2', port, { path: '/with', client: alone })).status).toBe(200)
      expect((await ask('HTTP/2', port, { path: '/without', client: alone })).status).toBe(401)
    }
  })
})

describe('a gateway that ends', () => {
  test('puts nothing in force any more', async () => {
    const { url } = await world.upstream()
    const { gateway } = await world.gateway(stateOf())
    const applying = gateway.apply(stateOf(world.snapshot(url)))
    await gateway.close()
    await applying
    expect((await gateway.apply(stateOf(world.snapshot(url)))).built).toBe(0)
  })

  test('has told of its certificates as soon as it had any', async () => {
    const register = new client.Registry()
    const { cert, key } = await world.certificate('told', ['api.example'])
    const opening = createGateway({
      listeners: [
        {
          ...{ host: '127.0.0.1', port: 0, clientCertificate: 'request', advertise: 'none' },
          certificates: [{ hosts: ['api.example'], cert, key }],
        },
      ],
      metrics: { client, register },
      limits: { reloadMs: 10 },
    })
    const value = /^mtls_policy_gateway_certificate_not_after_seconds (\d+)$/m
    expect(value.exec(await register.metrics())?.[1] ?? '0').toBe('0')
    const gateway = await opening
    world.after(() => gateway.close())
    expect(Number(value.exec(await register.metrics())?.[1])).toBeGreaterThan(0)
    const reloads = (result: string) =>
      `mtls_policy_gateway_certificate_reloads_total{result="${result}"} 1`
    // With the same key: there is no moment at which the files do not fit each other.
    await writeFile(cert, `${await readFile(cert, 'utf8')}\n`)
    await until(async () => (await register.metrics()).includes(reloads('reloaded')))
    await writeFile(cert, 'nothing')
    await until(async () => (await register.metrics()).includes(reloads('failed')))
  })
})

describe('CAs that are named to clients', () => {
  test('are those with a certificate, each once', async () => {
    const [a, b] = await Promise.all([issueCa('A'), issueCa('B')])
    const again = await issueCa('A', { key: 'P-256#9' })
    const { subject: name, subjectPublicKeyInfo } = (await issueCa('C')).tbsCertificate
    expect(hintOf([]).ca).toEqual([])
    const both = [parseTrustAnchors([a.der, b.der]), parseTrustAnchors([again.der])]
    expect(hintOf(both).ca).toHaveLength(2)
    expect(hintOf(both).key).toBe(hintOf([...both].reverse()).key)
    // OpenSSL takes names from certificates alone.
    const bare = parseTrustAnchors([a.der, { name, subjectPublicKeyInfo }])
    expect(hintOf([bare]).ca).toHaveLength(1)
  })
})

describe('hosts', () => {
  test('are read the same, however many there are and however long', () => {
    const numbers = Array.from({ length: 10_000 }, (_, n) => n)
    const misread = numbers.filter((n) => hostOf(`H${n}.example.:443`) !== `h${n}.example`)
    expect(misread).toEqual([])
    const long = `${'a'.repeat(300)}.example`
    for (const _time of [1, 2]) expect(hostOf(long)).toBe(long)
  })
})
