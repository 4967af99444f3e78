import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseClientAcl, parseIssuerAcl } from '../../src/acl/index.ts'
import { prepareOptions, type ValidateOptions } from '../../src/client/options.ts'
import { validateSteps } from '../../src/client/validate.ts'
import { type Effect, runAsync, runSync } from '../../src/effect/effect.ts'
import { formatName, parseTrustAnchors, type Verdict } from '../../src/index.ts'
import { createKillList, type KillListEntry } from '../../src/revocation.ts'
import { nodeHandlers } from '../../src/runtime/node.ts'
import { webHandlers } from '../../src/runtime/web.ts'
import {
  type CertificateAuthority,
  type IssuedCertificate,
  issueCa,
  testTime,
} from '../../src/testing/index.ts'
import type { Certificate } from '../../src/x509/certificate.ts'
import { rewriteSignature } from '../../src/x509/rewritten-signature.ts'
import { at, codesOf, misuseOf } from '../client/support.ts'

const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('hex')
const spkiOf = ({ tbsCertificate }: Certificate) => tbsCertificate.subjectPublicKeyInfo.der
const serialOf = ({ tbsCertificate }: Certificate) =>
  Buffer.from(tbsCertificate.serialNumber).toString('hex')
const issuerOf = ({ tbsCertificate }: Certificate) => formatName(tbsCertificate.issuer)

interface Client {
  readonly leaf: IssuedCertificate
  readonly ca: CertificateAuthority
  readonly root: CertificateAuthority
}

const kinds = ['P-256', 'P-384', 'P-521', 'RSA-2048', 'Ed25519'] as const
/** Two clients of each CA; each CA has another kind of key and a root of its own. */
const clients: readonly Client[] = (
  await Promise.all(
    kinds.map(async (key) => {
      const root = await issueCa(`${key} Root`, { key })
      const ca = await root.issueCa(`${key} Issuing`, { key })
      return Promise.all(
        [8, 9].map(async (n) => ({
          leaf: await ca.issue(`${key} ${n}`, { key: `P-256#${n + 10 * kinds.indexOf(key)}` }),
          ca,
          root,
        })),
      )
    }),
  )
).flat()
const trustAnchors = parseTrustAnchors(clients.map(({ root }) => root.pem).join(''))
const intermediates = clients.map(({ ca }) => ca)
const [first, second, third] = clients as readonly [Client, Client, Client]

function decide(
  source: Uint8Array | Certificate,
  entries: readonly KillListEntry[],
  options: object = {},
  time = testTime,
  asked: Effect[] = [],
): Verdict {
  const all = { trustAnchors, intermediates, killList: createKillList(entries), ...options }
  const { digest, ...others } = nodeHandlers()
  return runSync(validateSteps(source, prepareOptions(all as ValidateOptions), time), {
    ...others,
    digest: (effect) => {
      asked.push(effect)
      return digest(effect)
    },
  })
}

const code = (verdict: Verdict) => (verdict.ok ? 'ok' : verdict.failure.code)

/** One entry of each kind about this client, and the code of the refusal. */
const about: Readonly<Record<string, readonly [(client: Client) => KillListEntry, string]>> = {
  'issuer and serial number': [
    ({ leaf }) => ({ issuer: issuerOf(leaf), serialNumber: serialOf(leaf) }),
    'certificate-killed',
  ],
  'issuer and serial number as a number': [
    ({ leaf }) => ({ issuer: issuerOf(leaf), serialNumber: BigInt(`0x${serialOf(leaf)}`) }),
    'certificate-killed',
  ],
  'key in hexadecimal': [
    ({ leaf }) => ({ spkiSha256: sha256(spkiOf(leaf)) }),
    'certificate-killed',
  ],
  'key in base64': [
    ({ leaf }) => ({ spkiSha256: Buffer.from(sha256(spkiOf(leaf)), 'hex').toString('base64') }),
    'certificate-killed',
  ],
  fingerprint: [({ leaf }) => ({ certificateSha256: sha256(leaf.der) }), 'certificate-killed'],
  'certificate as PEM': [({ leaf }) => ({ certificate: leaf.pem }), 'certificate-killed'],
  'certificate as DER': [({ leaf }) => ({ certificate: leaf.der }), 'certificate-killed'],
  certificate: [({ leaf }) => ({ certificate: leaf }), 'certificate-killed'],
}
const above: typeof about = {
  'name of the issuer': [
    ({ ca }) => ({ issuer: formatName(ca.tbsCertificate.subject) }),
    'issuer-killed',
  ],
  'name of the anchor': [
    ({ root }) => ({ issuer: formatName(root.tbsCertificate.subject) }),
    'issuer-killed',
  ],
  'key of the issuer': [({ ca }) => ({ issuerSpkiSha256: sha256(spkiOf(ca)) }), 'issuer-killed'],
  'key of the anchor': [
    ({ root }) => ({ issuerSpkiSha256: sha256(spkiOf(root)) }),
    'issuer-killed',
  ],
  'certificate of the issuer': [({ ca }) => ({ certificate: ca }), 'certificate-killed'],
  'certificate of the anchor': [({ root }) => ({ certificate: root.pem }), 'certificate-killed'],
  'fingerprint of the issuer': [
    ({ ca }) => ({ certificateSha256: sha256(ca.der) }),
    'certificate-killed',
  ],
  'key of the issuer, as a key': [
    ({ ca }) => ({ spkiSha256: sha256(spkiOf(ca)) }),
    'certificate-killed',
  ],
  'serial number of the issuer': [
    ({ ca }) => ({ issuer: issuerOf(ca), serialNumber: serialOf(ca) }),
    'certificate-killed',
  ],
}

describe('a killed client is refused, and no other', () => {
  const anyClient = fc.nat(clients.length - 1)
  test.each(Object.keys(about))('by %s', (kind) => {
    const [entryOf, expected] = about[kind] as (typeof about)[string]
    fc.assert(
      fc.property(anyClient, anyClient, (victim, other) => {
        const entry = entryOf(clients[victim] as Client)
        const { leaf } = clients[other] as Client
        const wanted = other === victim ? expected : 'ok'
        expect(code(decide(leaf.der, [entry]))).toBe(wanted)
      }),
    )
  })
  test.each(Object.keys(above))('with everybody below, by %s', (kind) => {
    const [entryOf, expected] = above[kind] as (typeof about)[string]
    fc.assert(
      fc.property(anyClient, anyClient, (victim, other) => {
        const entry = entryOf(clients[victim] as Client)
        const { leaf, root } = clients[other] as Client
        const wanted = (clients[victim] as Client).root === root ? expected : 'ok'
        expect(code(decide(leaf.der, [entry]))).toBe(wanted)
      }),
    )
  })
  test('the refusal has the entry with its note, and its position', () => {
    const entry = { certificate: first.leaf, note: 'left in May', expires: at(10) }
    const refused = decide(first.leaf.der, [entry])
    expect(refused).toMatchObject({
      ok: false,
      failure: { code: 'certificate-killed', index: 0, entry: { note: 'left in May' } },
      attempts: [],
      presented: { der: first.leaf.der },
      warnings: [],
    })
    const issuer = decide(first.leaf.der, [{ issuer: issuerOf(first.leaf) }])
    expect(issuer).toMatchObject({ failure: { code: 'issuer-killed', index: 1 }, attempts: [] })
    const anchor = decide(first.leaf.der, [{ issuer: issuerOf(first.ca) }])
    expect(anchor).toMatchObject({ failure: { code: 'issuer-killed', index: 2 } })
  })
  test('both drivers agree', async () => {
    for (const kind of [about, above]) {
      for (const [entryOf] of Object.values(kind)) {
        const killList = createKillList([entryOf(first)])
        const prepared = prepareOptions({ trustAnchors, intermediates, killList })
        for (const { leaf } of [first, second, third]) {
          const sync = runSync(validateSteps(leaf.der, prepared, testTime), nodeHandlers())
          const web = await runAsync(validateSteps(leaf.der, prepared, testTime), webHandlers())
          expect(code(web)).toBe(code(sync))
        }
      }
    }
  })
})

describe('an ECDSA signature in its other form', () => {
  const twins = clients.flatMap((client) => {
    const twin = rewriteSignature(client.leaf, spkiOf(client.ca))
    return twin === undefined ? [] : [{ client, twin }]
  })

  test('verifies, and is killed with the fingerprint of the first', () => {
    expect(twins.length).toBe(6)
    for (const { client, twin } of twins) {
      expect(sha256(twin)).not.toBe(sha256(client.leaf.der))
      expect(code(decide(twin, []))).toBe('ok')
      for (const [entryOf] of Object.values(about)) {
        expect(code(decide(twin, [entryOf(client)]))).toBe('certificate-killed')
      }
      const entry = { certificateSha256: sha256(twin) }
      expect(code(decide(client.leaf.der, [entry]))).toBe('certificate-killed')
    }
  })
  test('of a CA is killed as well', () => {
    const { leaf, ca, root } = first
    const twin = rewriteSignature(ca, spkiOf(root)) as Uint8Array
    const entry = { certificateSha256: sha256(ca.der) }
    expect(code(decide(leaf.der, [], { intermediates: twin }))).toBe('ok')
    const refused = decide(leaf.der, [entry], { intermediates: twin })
    expect(refused).toMatchObject({ failure: { code: 'certificate-killed', index: 1 } })
  })
  test('ends the search: no other path brings the client back', async () => {
    const { client, twin } = twins[0] as (typeof twins)[number]
    const other = await issueCa('Other Root', { key: 'P-384#3' })
    const crossed = await other.crossSign(client.ca)
    const both = parseTrustAnchors(client.root.pem + other.pem)
    const entry = { certificateSha256: sha256(client.leaf.der) }
    const options = { trustAnchors: both, intermediates: [client.ca, crossed] }
    const refused = decide(twin, [entry], options)
    expect(code(refused)).toBe('certificate-killed')
    expect(refused.ok ? [] : refused.attempts).toHaveLength(1)
  })
})

describe('a killed CA', () => {
  test('refuses a path; another path that avoids it is taken', async () => {
    const { leaf, ca, root } = first
    const other = await issueCa('Second Root', { key: 'P-256#4' })
    const crossed = await other.crossSign(ca)
    const both = parseTrustAnchors(root.pem + other.pem)
    const options = { trustAnchors: both, intermediates: [ca, crossed] }
    for (const entry of [
      { issuer: formatName(root.tbsCertificate.subject) },
      { issuerSpkiSha256: sha256(spkiOf(root)) },
      { certificate: ca },
    ]) {
      const verdict = decide(leaf.der, [entry], options)
      expect(verdict).toMatchObject({ ok: true, anchor: { certificate: { der: other.der } } })
    }
    for (const entry of [{ issuer: issuerOf(leaf) }, { issuerSpkiSha256: sha256(spkiOf(ca)) }]) {
      expect(code(decide(leaf.der, [entry], options))).toBe('issuer-killed')
    }
  })
  test('is killed as an anchor that is a bare name and key', () => {
    const { leaf, ca } = first
    const { subject: name, subjectPublicKeyInfo } = ca.tbsCertificate
    const anchors = parseTrustAnchors([{ name, subjectPublicKeyInfo }])
    const options = { trustAnchors: anchors, intermediates: undefined }
    expect(code(decide(leaf.der, [], options))).toBe('ok')
    const byKey = [{ issuerSpkiSha256: sha256(spkiOf(ca)) }]
    expect(decide(leaf.der, byKey, options)).toMatchObject({
      failure: { code: 'issuer-killed', index: 1 },
    })
    expect(code(decide(leaf.der, [{ spkiSha256: sha256(spkiOf(ca)) }], options))).toBe(
      'certificate-killed',
    )
  })
})

describe('names and numbers compare as certificates do', () => {
  test.each([
    'CN=P-256 Issuing',
    'cn = p-256   ISSUING',
    '/CN=P-256 Issuing',
    '2.5.4.3=P-256 Issuing',
  ])('the name %s', (issuer) => {
    expect(code(decide(first.leaf.der, [{ issuer }]))).toBe('issuer-killed')
  })
  test.each<[string, Uint8Array | bigint, readonly (string | bigint)[]]>([
    ['a positive', 0x80ffn, ['80ff', '80:FF', '0x80ff', '00 80 ff', '0X00080FF', 0x80ffn]],
    ['zero', 0n, ['0', '00:00', '0x0', '-0', 0n]],
    ['minus one', Uint8Array.of(0xff), ['-1', '-01', '-0x1', -1n, 'ff', 255n]],
    ['minus 128', Uint8Array.of(0x80), ['-80', -128n, '80']],
    ['minus 129', Uint8Array.of(0xff, 0x7f), ['-81', -129n, 'FF7F']],
  ])('%s serial number', async (_, serialNumber, forms) => {
    const leaf = await first.ca.issue('numbered', { serialNumber })
    for (const form of forms) {
      const entry = { issuer: issuerOf(leaf), serialNumber: form }
      expect(code(decide(leaf.der, [entry]))).toBe('certificate-killed')
    }
    const other = { issuer: issuerOf(leaf), serialNumber: '80fe' }
    expect(code(decide(leaf.der, [other]))).toBe('ok')
  })
  test('another certificate of the same issuer with the same number is another', async () => {
    const leaf = await first.ca.issue('a', { serialNumber: 77, key: 'P-256#1' })
    const twin = await first.ca.issue('b', { serialNumber: 77, key: 'P-256#2' })
    expect(code(decide(leaf.der, [{ certificate: twin }]))).toBe('ok')
    expect(code(decide(leaf.der, [{ certificate: twin }, { certificate: leaf }]))).toBe(
      'certificate-killed',
    )
  })
})

describe('an entry that expires', () => {
  const entry = { certificate: first.leaf, expires: new Date(testTime * 1000 + 999) }
  test('counts in its last second, and not after', () => {
    expect(code(decide(first.leaf.der, [entry], {}, testTime - 1))).toBe('certificate-killed')
    expect(code(decide(first.leaf.der, [entry], {}, testTime))).toBe('certificate-killed')
    expect(code(decide(first.leaf.der, [entry], {}, testTime + 1))).toBe('ok')
  })
  test('afterwards the verdict holds from then on, should the clock go back', () => {
    expect(decide(first.leaf.der, [entry], {}, testTime + 9)).toMatchObject({ validFrom: at(1) })
    const ofIssuer = { issuer: issuerOf(first.ca), expires: at(3) }
    const all = decide(first.leaf.der, [entry, ofIssuer], {}, testTime + 9)
    expect(all).toMatchObject({ validFrom: at(4) })
    expect(decide(second.leaf.der, [entry], {}, testTime + 9)).not.toMatchObject({
      validFrom: at(1),
    })
  })
  test('does not end one that holds longer, in whatever order they come and go', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ ends: fc.integer({ min: -3, max: 3 }), stays: fc.boolean() }), {
          maxLength: 8,
        }),
        (plan) => {
          const list = createKillList()
          const added = plan.map(({ ends, stays }) => ({
            id: list.add({ certificate: first.leaf, expires: at(ends) }),
            ends,
            stays,
          }))
          for (const { id, stays } of added) if (!stays) list.remove(id)
          const holds = added.some(({ ends, stays }) => stays && ends >= 0)
          const verdict = decide(first.leaf.der, [], { killList: list })
          expect(code(verdict)).toBe(holds ? 'certificate-killed' : 'ok')
        },
      ),
    )
  })
})

describe('the kill list and the rest', () => {
  const spki = { spkiSha256: sha256(spkiOf(first.leaf)) }
  test('only what an entry needs is asked for', () => {
    const asked: Effect[] = []
    const ask = (entries: readonly KillListEntry[]) => {
      asked.length = 0
      decide(second.leaf.der, entries, {}, testTime, asked)
      return asked.length
    }
    expect(ask([])).toBe(0)
    expect(
      ask([{ certificate: first.leaf }, { issuer: 'CN=x' }, { issuer: 'CN=y', serialNumber: 1n }]),
    ).toBe(0)
    // The keys of the client, its issuer and the anchor.
    expect(ask([spki])).toBe(3)
    expect(ask([{ issuerSpkiSha256: 'ab'.repeat(32) }])).toBe(2)
    // Three certificates and their signatures in the other form.
    expect(ask([{ certificateSha256: 'ab'.repeat(32) }])).toBe(6)
  })
  test('a killed client costs no signature', () => {
    const prepared = prepareOptions({
      trustAnchors,
      intermediates,
      killList: createKillList([spki]),
    })
    const steps = validateSteps(first.leaf.der, prepared, testTime)
    const verdict = runSync(steps, {
      ...nodeHandlers(),
      verifySignature: () => {
        throw new Error('asked for a signature')
      },
    })
    expect(code(verdict)).toBe('certificate-killed')
  })
  test('no ACL outweighs it, and those that refuse still do', () => {
    const clientAcl = parseClientAcl('allow attributes CN=*')
    const issuerAcl = parseIssuerAcl('allow attributes CN=*')
    const acls = { clientAcl, issuerAcl }
    expect(code(decide(first.leaf.der, [spki], acls))).toBe('certificate-killed')
    expect(code(decide(first.leaf.der, [{ issuer: issuerOf(first.ca) }], acls))).toBe(
      'issuer-killed',
    )
    expect(code(decide(second.leaf.der, [spki], acls))).toBe('ok')
    const others = { clientAcl: parseClientAcl('allow dn CN=x') }
    expect(code(decide(second.leaf.der, [spki], others))).toBe('client-not-allowed')
  })
  test('what does not parse is refused as that', () => {
    expect(code(decide(first.leaf.der.subarray(0, 90), [spki]))).toBe('der-truncated')
  })
  test('a pinned target is killed as its own issuer', () => {
    const { root } = first
    const pinned = { pinnedTarget: 'accept', purpose: 'any' }
    expect(code(decide(root.der, [], pinned))).toBe('ok')
    expect(code(decide(root.der, [{ issuerSpkiSha256: sha256(spkiOf(root)) }], pinned))).toBe(
      'issuer-killed',
    )
    expect(code(decide(root.der, [{ certificate: root }], pinned))).toBe('certificate-killed')
  })
  test('an entry that comes while a path is judged counts', () => {
    for (const entry of [spki, { issuer: issuerOf(first.leaf) }]) {
      const killList = createKillList()
      const steps = validateSteps(
        first.leaf.der,
        prepareOptions({ trustAnchors, intermediates, killList }),
        testTime,
      )
      const handlers = nodeHandlers()
      const verdict = runSync(steps, {
        ...handlers,
        verifySignature: (effect) => {
          if (killList.epoch === 0) killList.add(entry)
          return handlers.verifySignature(effect)
        },
      })
      expect(code(verdict)).toMatch(/^(certificate|issuer)-killed$/)
    }
  })
  test('an entry that comes while the ACLs are asked counts', () => {
    const killList = createKillList()
    const clientAcl = parseClientAcl(`allow spki-sha256 ${spki.spkiSha256}`)
    const steps = validateSteps(
      first.leaf.der,
      prepareOptions({ trustAnchors, intermediates, clientAcl, killList }),
      testTime,
    )
    const handlers = nodeHandlers()
    const verdict = runSync(steps, {
      ...handlers,
      digest: (effect) => {
        killList.add(spki)
        return handlers.digest(effect)
      },
    })
    expect(code(verdict)).toBe('certificate-killed')
  })
})

describe('without validation', () => {
  const options = { validateCertificate: false, intermediates: undefined }
  test('what the client claims is held against the list', () => {
    for (const [entryOf, expected] of Object.values(about)) {
      const refused = decide(first.leaf.der, [entryOf(first)], options)
      expect(code(refused)).toBe(expected)
      expect(codesOf(refused.warnings)).toEqual([
        'certificate-not-verified',
        'revocation-not-checked',
      ])
      expect(code(decide(second.leaf.der, [entryOf(first)], options))).toBe('ok')
    }
    expect(code(decide(first.leaf.der, [{ issuer: issuerOf(first.leaf) }], options))).toBe(
      'issuer-killed',
    )
  })
  test('before an ACL is', () => {
    const issuerAcl = parseIssuerAcl('allow dn CN=x')
    const entry = { certificate: first.leaf }
    expect(code(decide(first.leaf.der, [entry], { ...options, issuerAcl }))).toBe(
      'certificate-killed',
    )
    expect(code(decide(second.leaf.der, [entry], { ...options, issuerAcl }))).toBe(
      'issuer-not-allowed',
    )
  })
})

test.each([[[]], [{ epoch: 0 }], ['x'], [null]])('%o is no kill list', (killList) => {
  expect(misuseOf(() => prepareOptions({ trustAnchors, killList } as never))).toMatchObject({
    code: 'option-invalid',
    option: 'killList',
  })
})
