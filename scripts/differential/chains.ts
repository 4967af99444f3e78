/** Mutations of the chain as a whole: what is sent, what is trusted, who certifies whom. @module */

import {
  type CertificateAuthority,
  type CertificateOptions,
  issueCa,
  type KeyKind,
} from '../../src/testing/index.ts'
import type { Chain } from './plan.ts'
import type { Random } from './random.ts'

/** Makes another chain of the good one. */
type Rearrangement = (chain: Chain, random: Random) => Chain | Promise<Chain>

export const rearrangements: { readonly [name: string]: Rearrangement } = {
  'no-intermediates': (chain) => ({ ...chain, intermediates: [] }),
  'intermediates-reversed': (chain) => ({
    ...chain,
    intermediates: [...chain.intermediates].reverse(),
  }),
  'intermediates-twice': (chain) => ({
    ...chain,
    intermediates: [...chain.intermediates, ...chain.intermediates],
  }),
  'intermediate-is-anchor': (chain) => ({
    ...chain,
    anchors: [...chain.anchors, ...chain.intermediates].slice(-1),
  }),
  'leaf-is-anchor': (chain) => ({ ...chain, anchors: [chain.peer] }),
  'leaf-is-another-anchor': (chain) => ({ ...chain, anchors: [...chain.anchors, chain.peer] }),
  'root-among-intermediates': (chain) => ({
    ...chain,
    intermediates: [...chain.anchors, ...chain.intermediates],
  }),
  'leaf-among-intermediates': (chain) => ({
    ...chain,
    intermediates: [chain.peer, ...chain.intermediates],
  }),
  'foreign-anchor': async (chain) => ({ ...chain, anchors: [(await issueCa('Foreign CA')).pem] }),
  'foreign-anchor-of-the-same-name': async (chain) => ({
    ...chain,
    anchors: [(await issueCa('Root CA', { key: 'P-256#60' })).pem],
  }),
  'two-anchors-of-one-name': async (chain, random) => {
    const other = (await issueCa('Root CA', { key: 'P-256#60' })).pem
    return {
      ...chain,
      anchors: random.chance(50) ? [other, ...chain.anchors] : [...chain.anchors, other],
    }
  },
  'ca-presents-itself': (chain) => ({
    ...chain,
    peer: chain.intermediates.at(-1) ?? chain.peer,
    intermediates: chain.intermediates.slice(0, -1),
  }),
  'root-presents-itself': (chain) => ({ ...chain, peer: chain.anchors[0] ?? chain.peer }),
}

/** Chains of their own making, each with what is random in it; answers come from the rules alone. */
export const hierarchies: { readonly [name: string]: (random: Random) => Promise<Chain> } = {
  deep: async (random) => {
    const root = await issueCa('Root CA', maybePathLength(random))
    const cas: CertificateAuthority[] = []
    for (let i = 0; i < 1 + random.below(5); i++) {
      cas.push(await (cas.at(-1) ?? root).issueCa(`CA ${i + 1}`, maybePathLength(random)))
    }
    const leaf = await (cas.at(-1) ?? root).issue('client-a', leafOptions)
    return { anchors: [root.pem], intermediates: cas.map(({ pem }) => pem), peer: leaf.pem }
  },
  're-keyed': async (random) => {
    const root = await issueCa('Root CA', maybePathLength(random))
    const old = await root.issueCa('Issuing CA', maybePathLength(random))
    const renewed = await old.issueCa('Issuing CA', maybePathLength(random))
    const leaf = await renewed.issue('client-a', leafOptions)
    return { anchors: [root.pem], intermediates: [old.pem, renewed.pem], peer: leaf.pem }
  },
  'cross-signed': async (random) => {
    const [old, other] = [await issueCa('Old Root CA'), await issueCa('New Root CA')]
    const issuing = await other.issueCa('Issuing CA')
    // One of the ways to a trusted root may be closed.
    const bridges = [
      await old.crossSign(other, closing(random)),
      await old.crossSign(issuing, closing(random)),
    ]
    const leaf = await issuing.issue('client-a', leafOptions)
    const sent = [issuing, ...bridges].map(({ pem }) => pem)
    return { anchors: [old.pem], intermediates: random.some(sent, 1, 3), peer: leaf.pem }
  },
  looped: async (random) => {
    const root = await issueCa('Root CA')
    const first = await root.issueCa('CA 1')
    const second = await first.issueCa('CA 2')
    const back = await second.crossSign(first)
    const leaf = await second.issue('client-a', leafOptions)
    const sent = [first, second, back].map(({ pem }) => pem)
    return { anchors: [root.pem], intermediates: random.some(sent, 2, 3), peer: leaf.pem }
  },
  'leaf-as-issuer': async (random) => {
    const root = await issueCa('Root CA')
    const issuing = await root.issueCa('Issuing CA')
    const client = await issuing.issueCa('client-b', {
      ...leafOptions,
      basicConstraints: random.pick(['absent', { cA: false }]),
      keyUsage: random.pick([['digitalSignature'], ['digitalSignature', 'keyCertSign']]),
      extendedKeyUsage: ['clientAuth'],
    })
    const leaf = await client.issue('client-a', leafOptions)
    return { anchors: [root.pem], intermediates: [issuing.pem, client.pem], peer: leaf.pem }
  },
  rsa: async (random) => {
    const key = random.pick<KeyKind>([
      'RSA-2048',
      'RSA-3072',
      'RSA-2048-e3',
      'RSA-1024',
      'RSA-4096',
    ])
    const root = await issueCa('Root CA', { key })
    const issuing = await root.issueCa('Issuing CA', { key })
    const leaf = await issuing.issue('client-a', {
      ...leafOptions,
      key: random.pick<KeyKind>(['P-256', 'RSA-2048']),
      signatureScheme: random.pick([
        { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
        { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512' },
        { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-1' },
        { name: 'RSASSA-PSS', hash: 'SHA-256', saltLength: 32 },
        { name: 'RSASSA-PSS', hash: 'SHA-384', saltLength: 48 },
        { name: 'RSASSA-PSS', hash: 'SHA-256', saltLength: 20 },
      ]),
    })
    return { anchors: [root.pem], intermediates: [issuing.pem], peer: leaf.pem }
  },
  curves: async (random) => {
    const kinds = ['P-256', 'P-384', 'P-521', 'Ed25519', 'Ed448', 'secp256k1'] as const
    const root = await issueCa('Root CA', { key: random.pick(kinds) })
    const issuing = await root.issueCa('Issuing CA', { key: random.pick(kinds) })
    const leaf = await issuing.issue('client-a', { ...leafOptions, key: random.pick(kinds) })
    return { anchors: [root.pem], intermediates: [issuing.pem], peer: leaf.pem }
  },
}

/** What every peer accepts: pyca wants a SAN in a client certificate. */
export const leafOptions: CertificateOptions = {
  subjectAltName: [{ dns: 'client-a.example.com' }],
}

function maybePathLength(random: Random): CertificateOptions {
  return random.chance(60)
    ? {}
    : { basicConstraints: { cA: true, pathLenConstraint: random.below(4) } }
}

function closing(random: Random): CertificateOptions {
  return random.chance(50)
    ? {}
    : random.pick<CertificateOptions>([
        { notAfter: new Date('2025-01-01T00:00:00Z') },
        { keyUsage: ['cRLSign'] },
        { basicConstraints: { cA: false } },
        { basicConstraints: { cA: true, pathLenConstraint: 0 } },
        { signingKey: 'P-256' },
        { nameConstraints: { permitted: [{ dns: 'other.example' }] } },
        { extendedKeyUsage: ['serverAuth'] },
      ])
}
