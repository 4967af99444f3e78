/** Where requests are sent, as a snapshot names it. */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { describe, expect, test } from 'vitest'
import { defaultUpstream, type Snapshot } from '../../src/deployment/snapshot.ts'
import { ApiProxy, type Shared } from '../../src/gateway/api-proxy.ts'
import { clientCertificates } from '../../src/gateway/connection.ts'
import { requestOptions } from '../../src/gateway/forward.ts'
import { MaterialReader } from '../../src/gateway/trust.ts'
import { createKillList } from '../../src/revocation/kill-list.ts'

const shared = {
  source: clientCertificates(1),
  hooks: [],
  metrics: { decisionsOf: () => [] },
  answer: {},
  agents: {
    http: new HttpAgent(),
    https: new HttpsAgent(),
    freshHttp: new HttpAgent(),
    freshHttps: new HttpsAgent(),
  },
  keepsHost: false,
}

function upstreamOf(url: string, of: Shared = shared) {
  const snapshot: Snapshot = {
    version: 1,
    project: 'shop',
    apiProxy: 'orders',
    hosts: ['*'],
    basePath: '/',
    upstream: { ...defaultUpstream, url },
    policies: {},
    trustAnchors: [],
    intermediates: [],
    issuerAcl: null,
    revocation: null,
  }
  const material = new MaterialReader().read(snapshot)
  const live = { killList: createKillList(), revocation: undefined }
  return new ApiProxy('hash', snapshot, material, live, of).upstream
}

describe('an upstream', () => {
  test.each([
    ['http://a.example', false, 'a.example', 80, 'a.example'],
    ['http://a.example:8080/', false, 'a.example', 8080, 'a.example'],
    ['https://a.example', true, 'a.example', 443, 'a.example'],
    ['https://a.example:8443', true, 'a.example', 8443, 'a.example'],
    ['https://127.0.0.1', true, '127.0.0.1', 443, ''],
    ['https://[::1]:9', true, '::1', 9, ''],
  ])('%s', (url, isTls, host, port, servername) => {
    const upstream = upstreamOf(url)
    expect(upstream).toMatchObject({ isTls, host, port, servername })
    expect(upstream.agent).toBe(isTls ? shared.agents.https : shared.agents.http)
    expect(upstream.freshAgent).toBe(isTls ? shared.agents.freshHttps : shared.agents.freshHttp)
  })

  test('is named in Host, unless the client’s is kept', () => {
    expect(upstreamOf('https://[::1]:9/v1').authority).toBe('[::1]:9')
    expect(upstreamOf('https://a.example/', { ...shared, keepsHost: true }).authority).toBe(
      undefined,
    )
  })

  test.each([
    ['http://a.example', '/x?y', '/x?y'],
    ['http://a.example/', '/x', '/x'],
    ['http://a.example/v1', '/x', '/v1/x'],
    ['http://a.example/v1/', '/x', '/v1/x'],
    // Below a path there is no `*`: RFC 9112 §3.2.4.
    ['http://a.example', '*', '*'],
    ['http://a.example/v1', '*', '/v1/'],
  ])('%s is asked for %s as %s', (url, target, path) => {
    expect(requestOptions(upstreamOf(url), 'GET', target, []).path).toBe(path)
  })
})
