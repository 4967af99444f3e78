/** Documents of manager and gateway: one form, one hash, one signature; whatever else comes is refused. */
import { createHash, generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { encodeBase64 } from '../../src/base/base64.ts'
import {
  canonicalJson,
  checkKillEntry,
  checkLiveData,
  checkRevocation,
  checkSnapshot,
  checkUpstream,
  type DeploymentFailure,
  defaultRevocation,
  defaultUpstream,
  deploymentFailureCodes,
  describeDeploymentFailure,
  type EnvironmentSet,
  generateSigningKey,
  hashOf,
  type LivePointer,
  type Pointer,
  publicKeyPem,
  publicKeyText,
  readEnvironmentState,
  readGatewayReport,
  readLiveData,
  readPublicKey,
  readSigned,
  readSignedLivePointer,
  readSignedPointer,
  readSignedSet,
  readSigningKey,
  readSnapshot,
  readStateShell,
  type SetEntry,
  type Snapshot,
  signDocument,
  signingKeyPem,
  usabilityFailure,
} from '../../src/deployment/index.ts'
import { issueCa } from '../../src/testing/index.ts'

const key = generateSigningKey()
const pointer: Pointer = {
  version: 1,
  kind: 'pointer',
  environment: 'production',
  project: 'Payments',
  apiProxy: 'orders',
  hash: 'ab'.repeat(32),
  sequence: 7,
  issuedAt: '2026-11-23T22:00:00Z',
}
const livePointer: LivePointer = {
  version: 1,
  kind: 'live',
  environment: 'production',
  hash: 'cd'.repeat(32),
  sequence: 8,
  issuedAt: '2026-11-23T22:00:00.123Z',
}
const set: EnvironmentSet = {
  version: 1,
  kind: 'set',
  environment: 'production',
  sequence: 9,
  issuedAt: '2026-11-23T22:00:00Z',
  proxies: [
    {
      project: 'Payments',
      apiProxy: 'orders',
      hash: 'ab'.repeat(32),
      sequence: 7,
      place: { hosts: ['orders.example'], basePath: '/orders' },
    },
    { project: 'Payments', apiProxy: 'refunds', hash: null, sequence: 9, place: null },
  ],
  live: { hash: 'cd'.repeat(32), sequence: 8 },
}
let snapshot: Snapshot

beforeAll(async () => {
  const ca = await issueCa('Root CA')
  snapshot = {
    version: 1,
    project: 'Payments',
    apiProxy: 'orders',
    hosts: ['orders.example'],
    basePath: '/orders',
    upstream: {
      url: 'http://127.0.0.1:8080/base',
      timeoutMs: 30_000,
      maxBodyBytes: 1_000_000,
      identityHeaders: { 'x-client': 'subject' },
    },
    policies: {
      name: 'orders',
      requestPolicyList: [{ type: 'policy-auth-mtls', name: 'mtls', validateACLForIssuer: false }],
      responsePolicyList: [],
      errorPolicyList: [],
    },
    trustAnchors: [encodeBase64(ca.der)],
    intermediates: [],
    issuerAcl: 'allow dn "CN=Root CA"\n',
    revocation: {
      mode: 'crl',
      onUnknown: 'deny',
      depth: 'path',
      urls: ['http://crl.example/ca.crl'],
      distributionPoints: true,
      responder: null,
      allowAddresses: ['10.0.0.0/8'],
    },
  }
})

function failureOf(result: { readonly ok: boolean; readonly failure?: unknown }): unknown {
  const failure = result.failure as { readonly code: string; readonly path: string } | undefined
  return failure && [failure.code, failure.path]
}

/** Whole numbers alone, as in our documents. */
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger().map((n) => n + 0),
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string({ unit: 'grapheme' }), tie('value'), { maxKeys: 4 }),
  ),
})).value

describe('canonical JSON, RFC 8785', () => {
  test('sorts keys by UTF-16 code units, RFC 8785 §3.2.3', () => {
    const value = JSON.parse(
      '{"\\u20ac":1,"\\r":2,"\\ufb33":3,"1":4,"\\ud83d\\ude00":5,"\\u0080":6,"\\u00f6":7}',
    )
    expect(canonicalJson(value)).toBe(
      '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}',
    )
  })
  test('escapes as RFC 8785 §3.2.2.2 says', () => {
    expect(canonicalJson('\u20ac$\u000f\nA\'B"\\\\"/\u007f')).toBe(
      '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/\u007f"',
    )
  })
  test('reads back as the same data, and writes the same text again', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value)
        expect(canonicalJson(JSON.parse(text))).toBe(text)
      }),
    )
  })
  test('does not depend on the order in which keys were written', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json, { maxKeys: 8 }), fc.nat(), (value, turn) => {
        const entries = Object.entries(value)
        const at = entries.length === 0 ? 0 : turn % entries.length
        const turned = [...entries.slice(at), ...entries.slice(0, at)].reverse()
        expect(canonicalJson(Object.fromEntries(turned))).toBe(canonicalJson(value))
      }),
    )
  })
  test('leaves out what is undefined, and keeps a key that is called __proto__', () => {
    expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}')
    expect(canonicalJson(JSON.parse('{"__proto__":1}'))).toBe('{"__proto__":1}')
  })
  test.each([
    ['a fraction', 0.5],
    ['a number that is none', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['minus zero', -0],
    ['a number that others round', 2 ** 53],
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['a function', () => 1],
    ['undefined in a list', [undefined]],
    ['half a surrogate pair', '\ud800'],
    ['half a surrogate pair in a key', { '\udc00': 1 }],
    ['a bigint', 1n],
  ])('refuses %s', (_what, value) => {
    expect(() => canonicalJson({ value })).toThrow(
      expect.objectContaining({ code: 'option-invalid' }),
    )
  })
  test('refuses what is deeper than any document', () => {
    let value: unknown = 1
    for (let i = 0; i < 65; i++) value = [value]
    expect(() => canonicalJson(value)).toThrow(expect.objectContaining({ code: 'option-invalid' }))
  })
  test('hashes its UTF-8 with SHA-256', () => {
    const digest = createHash('sha256').update('{"ä":1}', 'utf8').digest('hex')
    expect(hashOf({ ä: 1 })).toBe(digest)
  })
})

describe('keys, RFC 8032 §5.1', () => {
  test('come back from PEM and base64', () => {
    const again = readSigningKey(signingKeyPem(key))
    expect(publicKeyText(again.publicKey)).toBe(publicKeyText(key.publicKey))
    for (const text of [publicKeyText(key.publicKey), publicKeyPem(key.publicKey)]) {
      expect(publicKeyText(readPublicKey(text))).toBe(publicKeyText(key.publicKey))
    }
  })
  test('of another kind are refused, and nothing of a private one is told', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const pem = other.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const spki = other.publicKey.export({ type: 'spki', format: 'pem' }).toString()
    for (const text of [pem, pem.slice(0, 90)]) {
      const error = thrownBy(() => readSigningKey(text))
      expect(error).toMatchObject({ code: 'option-invalid', option: 'signingKey' })
      expect(String(error)).not.toContain(text.slice(28, 50))
    }
    for (const text of [spki, 'AAAA', '', signingKeyPem(key), '-----BEGIN PUBLIC KEY-----']) {
      expect(thrownBy(() => readPublicKey(text))).toMatchObject({ code: 'option-invalid' })
    }
  })
})

function thrownBy(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}

describe('signed pointers', () => {
  test('come back as they were signed, as text and as data', () => {
    const signed = signDocument(pointer, key)
    expect(readSignedPointer(signed, key.publicKey)).toEqual({ ok: true, value: pointer })
    expect(readSigned(JSON.stringify(signed), key.publicKey)).toEqual({ ok: true, value: pointer })
    const live = signDocument(livePointer, key)
    expect(readSigned(live, key.publicKey)).toEqual({ ok: true, value: livePointer })
  })
  test('do not depend on the order of their fields', () => {
    const { document, signature } = signDocument(pointer, key)
    const turned = Object.fromEntries(Object.entries(document).reverse())
    expect(readSignedPointer({ signature, document: turned }, key.publicKey).ok).toBe(true)
  })
  test('of another key, another kind, or nobody are refused', () => {
    const other = signDocument(pointer, generateSigningKey())
    expect(failureOf(readSignedPointer(other, key.publicKey))).toEqual([
      'signature-invalid',
      'signature',
    ])
    const live = signDocument(livePointer, key)
    expect(failureOf(readSignedPointer(live, key.publicKey))).toEqual([
      'signature-invalid',
      'signature',
    ])
    const asPointer = { ...live, document: { ...livePointer, kind: 'pointer' } }
    expect(failureOf(readSigned(asPointer, key.publicKey))).toEqual([
      'signature-invalid',
      'signature',
    ])
    expect(failureOf(readSignedLivePointer({ document: livePointer }, key.publicKey))).toEqual([
      'document-malformed',
      'signature',
    ])
    expect(failureOf(readSigned('{', key.publicKey))).toEqual(['document-malformed', ''])
    expect(failureOf(readSigned(' '.repeat(20_000), key.publicKey))).toEqual([
      'document-too-large',
      '',
    ])
  })
  test('with any one octet changed are refused', () => {
    const text = canonicalJson(signDocument(pointer, key))
    const codes = new Set<unknown>()
    for (let at = 0; at < text.length; at++) {
      for (const other of ['x', '0', '"', ' ', '\\', '=']) {
        if (text[at] === other) continue
        const changed = text.slice(0, at) + other + text.slice(at + 1)
        const read = readSignedPointer(changed, key.publicKey)
        expect(read.ok, changed).toBe(false)
        if (!read.ok) codes.add(read.failure.code)
      }
    }
    expect([...codes].sort()).toEqual(['document-malformed', 'signature-invalid'])
  })
  test('with any one bit of the signature changed are refused', () => {
    const { signature } = signDocument(pointer, key)
    const octets = Buffer.from(signature, 'base64')
    for (let bit = 0; bit < 512; bit++) {
      const changed = Buffer.from(octets)
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
      const read = readSignedPointer(
        { document: pointer, signature: changed.toString('base64') },
        key.publicKey,
      )
      expect(failureOf(read)).toEqual(['signature-invalid', 'signature'])
    }
  })
  test('whose document is none are refused, though signed', () => {
    const signed = signDocument({ ...pointer, sequence: 0 }, key)
    expect(failureOf(readSignedPointer(signed, key.publicKey))).toEqual([
      'document-malformed',
      'document.sequence',
    ])
    const more = { ...pointer, more: 1 } as Pointer
    expect(failureOf(readSignedPointer(signDocument(more, key), key.publicKey))).toEqual([
      'document-malformed',
      'document.more',
    ])
  })
})

describe('snapshots', () => {
  test('come back from their canonical form', () => {
    const text = canonicalJson(snapshot)
    expect(readSnapshot(text)).toEqual({ ok: true, value: snapshot })
    expect(readSnapshot(new TextEncoder().encode(text))).toEqual({ ok: true, value: snapshot })
  })
  test('in another form are refused', () => {
    expect(failureOf(readSnapshot(JSON.stringify(snapshot, undefined, 1)))).toEqual([
      'document-not-canonical',
      '',
    ])
    const twice = canonicalJson(snapshot).replace('"version":1', '"version":2,"version":1')
    expect(failureOf(readSnapshot(twice))).toEqual(['document-not-canonical', ''])
    expect(failureOf(readSnapshot(`\ufeff${canonicalJson(snapshot)}`))).toEqual([
      'document-malformed',
      '',
    ])
    expect(failureOf(readSnapshot(Uint8Array.of(0x22, 0xff, 0x22)))).toEqual([
      'document-malformed',
      '',
    ])
  })
  test('cut off anywhere are refused', () => {
    const text = canonicalJson(snapshot)
    for (let length = 0; length < text.length; length += 7) {
      expect(failureOf(readSnapshot(text.slice(0, length)))).toEqual(['document-malformed', ''])
    }
  })
  test.each<[string, (s: Snapshot) => object, string, string]>([
    ['an unknown field', (s) => ({ ...s, more: 1 }), 'document-malformed', 'more'],
    ['another version', (s) => ({ ...s, version: 2 }), 'document-malformed', 'version'],
    ['no project', ({ project: _, ...s }) => s, 'document-malformed', 'project'],
    ['a slash in a name', (s) => ({ ...s, project: 'a/b' }), 'document-malformed', 'project'],
    ['dots for a name', (s) => ({ ...s, apiProxy: '..' }), 'document-malformed', 'apiProxy'],
    ['no host', (s) => ({ ...s, hosts: [] }), 'document-malformed', 'hosts'],
    ['a host twice', (s) => ({ ...s, hosts: ['a', 'a'] }), 'document-malformed', 'hosts'],
    ['* beside others', (s) => ({ ...s, hosts: ['*', 'a'] }), 'document-malformed', 'hosts'],
    ['a capital', (s) => ({ ...s, hosts: ['a', 'B'] }), 'document-malformed', 'hosts[1]'],
    ['a port', (s) => ({ ...s, hosts: ['a:1'] }), 'document-malformed', 'hosts[0]'],
    ['a slash at the end', (s) => ({ ...s, basePath: '/a/' }), 'document-malformed', 'basePath'],
    ['a dot segment', (s) => ({ ...s, basePath: '/a/../b' }), 'document-malformed', 'basePath'],
    ['an escape', (s) => ({ ...s, basePath: '/a%2fb' }), 'document-malformed', 'basePath'],
    [
      'an upstream of another scheme',
      (s) => ({ ...s, upstream: { ...s.upstream, url: 'ftp://a/' } }),
      'document-malformed',
      'upstream.url',
    ],
    [
      'a password in a URL',
      (s) => ({ ...s, upstream: { ...s.upstream, url: 'http://a:b@c/' } }),
      'document-malformed',
      'upstream.url',
    ],
    [
      'no time',
      (s) => ({ ...s, upstream: { ...s.upstream, timeoutMs: 0 } }),
      'document-malformed',
      'upstream.timeoutMs',
    ],
    [
      'a header that is none',
      (s) => ({ ...s, upstream: { ...s.upstream, identityHeaders: { 'a b': 'subject' } } }),
      'document-malformed',
      'upstream.identityHeaders.a b',
    ],
    [
      'a policy of another type',
      (s) => ({ ...s, policies: { ...s.policies, requestPolicyList: [{ type: 'x', name: 'a' }] } }),
      'policies-invalid',
      'policies.requestPolicyList[0].type',
    ],
    [
      'a policy that is a text',
      (s) => ({ ...s, policies: { ...s.policies, errorPolicyList: ['x'] } }),
      'document-malformed',
      'policies.errorPolicyList[0]',
    ],
    [
      'an unreadable anchor',
      (s) => ({ ...s, trustAnchors: [...s.trustAnchors, 'MAA='] }),
      'trust-anchor-unreadable',
      'trustAnchors[1]',
    ],
    [
      'white space in base64',
      (s) => ({ ...s, trustAnchors: [`${s.trustAnchors[0]}\n`] }),
      'trust-anchor-unreadable',
      'trustAnchors[0]',
    ],
    [
      'an unreadable intermediate',
      (s) => ({ ...s, intermediates: ['!'] }),
      'intermediate-unreadable',
      'intermediates[0]',
    ],
    [
      'an ACL that is none',
      (s) => ({ ...s, issuerAcl: 'let them in' }),
      'issuer-acl-invalid',
      'issuerAcl',
    ],
    [
      'a mode of its own',
      (s) => ({ ...s, revocation: { ...s.revocation, mode: 'none' } }),
      'document-malformed',
      'revocation.mode',
    ],
    [
      'a responder that nobody asks',
      (s) => ({ ...s, revocation: { ...s.revocation, responder: 'aia' } }),
      'document-malformed',
      'revocation.responder',
    ],
    [
      'OCSP without a responder',
      (s) => ({ ...s, revocation: { ...s.revocation, mode: 'crl-or-ocsp' } }),
      'document-malformed',
      'revocation.responder',
    ],
    ['undefined revocation', ({ revocation: _, ...s }) => s, 'document-malformed', 'revocation'],
  ])('with %s are refused', (_what, change, code, path) => {
    const changed = change(snapshot)
    expect(failureOf(checkSnapshot(changed))).toEqual([code, path])
    expect(failureOf(readSnapshot(canonicalJson(changed)))).toEqual([code, path])
  })
  test('that are no objects are refused', () => {
    fc.assert(
      fc.property(json, (value) => {
        const read = readSnapshot(canonicalJson(value))
        expect(read.ok).toBe(false)
        if (!read.ok) expect(describeDeploymentFailure(read.failure)).not.toBe('')
      }),
    )
  })
})

describe('parts of snapshots, for whoever stores them', () => {
  test('have defaults that are good', () => {
    expect(checkRevocation(defaultRevocation).ok).toBe(true)
    expect(checkUpstream({ ...defaultUpstream, url: 'https://a.example/base' }).ok).toBe(true)
  })
  test.each([
    [{ mode: 'ocsp', responder: 'aia', urls: ['http://a/'] }, 'urls'],
    [{ mode: 'ocsp', responder: 'aia', distributionPoints: true }, 'distributionPoints'],
    [{ mode: 'ocsp', responder: 'http://[' }, 'responder'],
    [{ urls: ['http://['] }, 'urls[0]'],
    [{ urls: ['file:///etc'] }, 'urls[0]'],
    [{ urls: ['http://user:secret@a.example/'] }, 'urls[0]'],
    [{ mode: 'ocsp', responder: 'http://user@a.example/' }, 'responder'],
    [{ allowAddresses: ['10.0.0.0/8', 'everything!'] }, 'allowAddresses[1]'],
    [{ depth: undefined }, 'depth'],
    [{ distributionPoints: 'yes' }, 'distributionPoints'],
    [{ onStale: 'deny' }, 'onStale'],
  ])('are refused with %j', (changes, path) => {
    expect(failureOf(checkRevocation({ ...defaultRevocation, ...changes }))).toEqual([
      'document-malformed',
      path,
    ])
  })
  test.each<readonly [object, string]>([
    [{ url: 'https://a/?q' }, 'url'],
    [{ url: 'https://a/#f' }, 'url'],
    [{ url: 'nothing' }, 'url'],
    [{ url: 1 }, 'url'],
    [{ maxBodyBytes: -1 }, 'maxBodyBytes'],
    [{ timeoutMs: 1.5 }, 'timeoutMs'],
    [{ identityHeaders: null }, 'identityHeaders'],
    [{ identityHeaders: { a: 1 } }, 'identityHeaders.a'],
    [{ identityHeaders: { a: 'nobody' } }, 'identityHeaders.a'],
    [{ identityHeaders: { a: 'toString' } }, 'identityHeaders.a'],
    ...[
      'Host',
      'Connection',
      'Keep-Alive',
      'Proxy-Connection',
      'Proxy-Authorization',
      'Upgrade',
      'TE',
      'Trailer',
      'HTTP2-Settings',
      'Content-Length',
      'Transfer-Encoding',
      'transfer_encoding',
      'Content.Length',
      'Expect',
      'Max-Forwards',
      'Via',
      'Forwarded',
      'X-Forwarded-For',
      'x_forwarded_proto',
      'X-Forwarded',
      'X-Request-Id',
      'Cookie',
    ].map(
      (name) => [{ identityHeaders: { [name]: 'subject' } }, `identityHeaders.${name}`] as const,
    ),
  ])('are refused with %j', (changes, path) => {
    const upstream = { ...defaultUpstream, url: 'https://a.example/', ...changes }
    expect(failureOf(checkUpstream(upstream))).toEqual(['document-malformed', path])
  })

  test.each([
    'X-Client-Subject',
    'Client-Cert',
    'Authorization',
    'X-Forwarded-Client-Cert',
    'X-Forwarded-Tls-Client-Cert-Info',
    'Hostname',
  ])('may say who the client is in %s', (name) => {
    const identityHeaders = { [name]: 'subject' }
    const upstream = { ...defaultUpstream, url: 'https://a.example/', identityHeaders }
    expect(checkUpstream(upstream)).toEqual({ ok: true, value: upstream })
  })
  test.each<[string, (s: Snapshot) => Snapshot, string | undefined]>([
    ['whole', (s) => s, undefined],
    ['without anchors that a policy wants', (s) => ({ ...s, trustAnchors: [] }), 'trustAnchors'],
    [
      'without an ACL that a policy wants',
      (s) => ({
        ...s,
        issuerAcl: null,
        policies: { requestPolicyList: [{ type: 'policy-auth-mtls', active: false }] },
      }),
      'issuerAcl',
    ],
    [
      'without anything, where nothing is wanted',
      (s) => ({ ...s, issuerAcl: null, trustAnchors: [], policies: {} }),
      undefined,
    ],
  ])('go together: %s', (_what, change, path) => {
    const failure = usabilityFailure(change(snapshot))
    expect(failure && [failure.code, failure.path]).toEqual(path && ['snapshot-unusable', path])
  })
})

describe('a signed set', () => {
  test('comes back as it was signed', () => {
    const signed = JSON.parse(JSON.stringify(signDocument(set, key)))
    expect(readSignedSet(signed, key.publicKey)).toEqual({ ok: true, value: set })
    const empty = { ...set, sequence: 0, proxies: [], live: null }
    expect(readSignedSet(signDocument(empty, key), key.publicKey)).toEqual({
      ok: true,
      value: empty,
    })
  })
  test('of another key or another kind is refused', () => {
    const refused = ['signature-invalid', 'signature']
    const forged = signDocument(set, generateSigningKey())
    expect(failureOf(readSignedSet(forged, key.publicKey))).toEqual(refused)
    const { signature } = signDocument(pointer, key)
    expect(failureOf(readSignedSet({ document: set, signature }, key.publicKey))).toEqual(refused)
    expect(failureOf(readSigned(signDocument(set, key), key.publicKey))).toEqual(refused)
  })
  const [first, second] = set.proxies as readonly [SetEntry, SetEntry]
  test.each<[object, string]>([
    [{ ...set, version: 2 }, 'version'],
    [{ ...set, sequence: -1 }, 'sequence'],
    [{ ...set, sequence: 6 }, 'sequence'],
    [{ ...set, live: { hash: first.hash, sequence: 12 } }, 'sequence'],
    [{ ...set, more: 1 }, 'more'],
    [{ ...set, proxies: [first, { ...second, apiProxy: first.apiProxy }] }, 'proxies'],
    [{ ...set, proxies: [{ ...first, place: null }] }, 'proxies[0].place'],
    [{ ...set, proxies: [{ ...first, hash: null }] }, 'proxies[0].place'],
    [
      { ...set, proxies: [{ ...first, place: { hosts: [], basePath: '/' } }] },
      'proxies[0].place.hosts',
    ],
    [
      { ...set, proxies: [{ ...first, place: { hosts: ['a', '*'], basePath: '/' } }] },
      'proxies[0].place.hosts',
    ],
    [
      { ...set, proxies: [{ ...first, place: { hosts: ['a'], basePath: '/a/' } }] },
      'proxies[0].place.basePath',
    ],
    [{ ...set, proxies: [{ ...first, sequence: 0 }] }, 'proxies[0].sequence'],
  ])('that is malformed is refused, though signed: %#', (document, at) => {
    const signed = signDocument(document as EnvironmentSet, key)
    const path = `document.${at}`
    expect(failureOf(readSignedSet(signed, key.publicKey))).toEqual(['document-malformed', path])
  })
})

describe('live data', () => {
  const live = {
    version: 1,
    environment: 'production',
    crls: [{ project: 'Payments', apiProxy: null, sha256: 'ab'.repeat(32) }],
    killList: [
      {
        project: 'Payments',
        apiProxy: 'orders',
        entry: {
          issuer: 'CN=CA',
          serialNumber: '0a',
          note: 'stolen',
          expires: livePointer.issuedAt,
        },
      },
    ],
  }
  test('come back from their canonical form', () => {
    expect(readLiveData(canonicalJson(live))).toEqual({ ok: true, value: live })
    expect(failureOf(readLiveData(JSON.stringify(live)))).toEqual(['document-not-canonical', ''])
    expect(failureOf(readLiveData('nil'))).toEqual(['document-malformed', ''])
  })
  test.each([
    [{ ...live, environment: '' }, 'environment'],
    [{ ...live, crls: [{ ...live.crls[0], sha256: 'AB'.repeat(32) }] }, 'crls[0].sha256'],
    [{ ...live, crls: [{ project: 'P', sha256: 'ab'.repeat(32) }] }, 'crls[0].apiProxy'],
    [{ ...live, killList: [{ ...live.killList[0], more: 1 }] }, 'killList[0].more'],
    [{ ...live, killList: {} }, 'killList'],
  ])('that are malformed are refused: %#', (value, path) => {
    expect(failureOf(checkLiveData(value))).toEqual(['document-malformed', path])
  })
  test.each([
    [{}, ''],
    [{ note: 'x' }, ''],
    [{ issuer: 'CN=CA', spkiSha256: 'x' }, ''],
    [{ serialNumber: '1' }, ''],
    [{ issuer: 1 }, 'issuer'],
    [{ issuer: 'CN=CA', expires: 'tomorrow' }, 'expires'],
    [{ issuer: 'CN=CA', other: 'x' }, 'other'],
  ])('take no entry such as %j', (entry, path) => {
    expect(failureOf(checkKillEntry(entry))).toEqual(['document-malformed', path])
  })
})

describe('the channel', () => {
  const state = {
    environment: 'production',
    set: signDocument(set, key),
    pointers: [signDocument(pointer, key)],
    live: signDocument(livePointer, key),
  }
  test('has states that come back', () => {
    const value = JSON.parse(JSON.stringify(state))
    expect(readEnvironmentState(value)).toEqual({ ok: true, value: state })
    expect(readStateShell(value)).toEqual({ ok: true, value: state })
    expect(readStateShell({ ...state, live: null }).ok).toBe(true)
  })
  test.each([
    [{ ...state, more: 1 }, 'more', 'more'],
    [{ environment: 'a', set: state.set, pointers: [] }, 'live', 'live'],
    [{ environment: 'a', pointers: [], live: null }, 'set', 'set'],
    [{ ...state, set: null }, 'set', 'set'],
    [{ ...state, set: {} }, 'set.document', undefined],
    [{ ...state, pointers: [{}] }, 'pointers[0].document', undefined],
    [{ ...state, live: {} }, 'live.document', undefined],
    ['state', '', ''],
  ])('has no states such as %#', (value, path, shellPath) => {
    expect(failureOf(readEnvironmentState(value))).toEqual(['document-malformed', path])
    const shell = readStateShell(value)
    expect(failureOf(shell)).toEqual(
      shellPath === undefined ? undefined : ['document-malformed', shellPath],
    )
  })
  const report = {
    gateway: 'gw-1',
    environment: 'production',
    runs: [{ project: 'Payments', apiProxy: 'orders', hash: null, sequence: 3 }],
    live: { hash: 'ab'.repeat(32), sequence: 4 },
    problems: [
      { project: '', apiProxy: '', sequence: 5, code: 'live-hash-mismatch', message: 'broken' },
    ],
  }
  test('has reports that come back', () => {
    expect(readGatewayReport(report)).toEqual({ ok: true, value: report })
    expect(readGatewayReport({ ...report, live: null }).ok).toBe(true)
  })
  test.each([
    [{ ...report, gateway: 'a/b' }, 'gateway'],
    [{ ...report, live: { hash: 'x', sequence: 1 } }, 'live.hash'],
    [{ ...report, runs: [{ ...report.runs[0], sequence: '3' }] }, 'runs[0].sequence'],
    [{ ...report, problems: [{ ...report.problems[0], code: 'A B' }] }, 'problems[0].code'],
  ])('has no reports such as %#', (value, path) => {
    expect(failureOf(readGatewayReport(value))).toEqual(['document-malformed', path])
  })
})

test('every code of a refusal has a text of its own, with the path before it', () => {
  const facts = {
    expected: 'this',
    actual: 'that',
    maximum: 7,
    sequence: 1,
    seen: 2,
    whose: 'environment',
    of: 'killEntries',
    problems: [{ path: 'a', problem: 'missing', expected: 'b' }],
  }
  const texts = deploymentFailureCodes().map((code) => {
    const failure = { code, path: 'here', ...facts } as DeploymentFailure
    const text = describeDeploymentFailure(failure)
    expect(text).toBe(`here: ${describeDeploymentFailure({ ...failure, path: '' })}`)
    return text
  })
  // Two kinds of certificates cannot be read in the same words, as their paths tell them apart; so do ACL, kill list and fields.
  expect(new Set(texts).size).toBe(deploymentFailureCodes().length - 3)
})
