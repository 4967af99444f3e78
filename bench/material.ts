/** Certificates for the benchmarks: a root, an issuing CA and distinct clients, issued outside the clock. @module */

import {
  type CertificateAuthority,
  type CertificateOptions,
  generateKey,
  issueCa,
  type KeyKind,
} from '../src/testing/index.ts'

/** The clock of every benchmark. */
export const benchTime: Date = new Date('2026-06-01T00:00:00Z')
export const validity = {
  notBefore: Date.UTC(2026, 0, 1) / 1000,
  notAfter: Date.UTC(2036, 0, 1) / 1000,
}

export interface Material {
  readonly kind: KeyKind
  readonly root: CertificateAuthority
  readonly issuing: CertificateAuthority
  /** DER, all distinct. */
  readonly leaves: readonly Uint8Array[]
  /** The last leaf's twin, signed by a key that is not the issuer's. */
  readonly forged: Uint8Array
}

/** Clients as enterprises issue them: three-part names, key identifiers, usages, two alternative names, a CRL address. */
export async function issueMaterial(kind: KeyKind, count: number): Promise<Material> {
  const root = await issueCa('Root', { ...options('Root'), key: kind })
  const issuing = await root.issueCa('Issuing CA 1', {
    ...options('Issuing CA 1'),
    key: kind,
    basicConstraints: { cA: true, pathLenConstraint: 0 },
  })
  const leaves: Uint8Array[] = []
  for (let i = 0; i < count; i++) {
    // EC keys are cheap, so each client has its own; RSA keys are shared, and no validator can tell.
    const key = kind.startsWith('P-') ? await generateKey(kind) : kind
    const leaf = await issuing.issueBytes(`client-${i}`, { ...clientOptions(i), key })
    leaves.push(leaf.der)
  }
  const twin = { ...clientOptions(count - 1), key: kind, signingKey: kind }
  const { der: forged } = await issuing.issueBytes(`client-${count - 1}`, twin)
  return { kind, root, issuing, leaves, forged }
}

function options(commonName: string): CertificateOptions {
  return {
    subject: [
      { type: 'C', value: 'TR' },
      { type: 'O', value: 'Example Bank A.S.' },
      { type: 'CN', value: commonName },
    ],
    ...validity,
  }
}

export function clientOptions(index: number): CertificateOptions {
  return {
    ...options(`client-${index}`),
    // Real serial numbers are random and long: RFC 5280 §4.1.2.2 asks for it.
    serialNumber: crypto
      .getRandomValues(new Uint8Array(16))
      .map((octet, i) => (i === 0 ? (octet & 0x3f) | 0x40 : octet)),
    basicConstraints: { cA: false },
    subjectAltName: [{ dns: 'client.example' }, { uri: 'spiffe://example/ns/a/sa/b' }],
    cRLDistributionPoints: [{ uri: 'http://crl.example/issuing-1.crl' }],
  }
}

/** DER of self-signed CA certificates, each of a name of its own; they share few keys, which nobody imports. */
export async function issueAnchors(count: number): Promise<readonly Uint8Array[]> {
  const anchors: Uint8Array[] = []
  for (let i = 0; i < count; i++) {
    anchors.push((await issueCa(`Root ${i}`, { ...options(`Root ${i}`), key: 'P-256' })).der)
  }
  return anchors
}

export interface HostileInput {
  readonly root: Uint8Array
  readonly intermediates: readonly Uint8Array[]
  readonly leaf: Uint8Array
}

/** CAs of one name with keys of their own, each signed by the next two, in a ring; none by the anchor of that name. */
export async function issueMesh(count: number): Promise<HostileInput> {
  const bare = { ...options('Mesh'), authorityKeyIdentifier: 'absent' } as const
  const cas: CertificateAuthority[] = []
  for (let i = 0; i < count; i++) {
    cas.push(await issueCa('Mesh', { ...bare, key: await generateKey('P-256') }))
  }
  const intermediates: Uint8Array[] = []
  for (const [i, ca] of cas.entries()) {
    for (const step of [1, 2]) {
      const signer = cas[(i + step) % count] as CertificateAuthority
      intermediates.push((await signer.crossSign(ca, bare)).der)
    }
  }
  const [first] = cas as [CertificateAuthority]
  const { der: leaf } = await first.issueBytes('client', { ...clientOptions(0), ...client0 })
  const root = await issueCa('Mesh', { ...bare, key: await generateKey('P-256') })
  return { root: root.der, intermediates, leaf }
}

/** Intermediates of the issuer's name under other keys, all signed by the anchor. */
export async function issuePool(count: number): Promise<HostileInput> {
  const root = await issueCa('Root', options('Root'))
  const pool: Uint8Array[] = []
  for (let i = 0; i < count; i++) {
    const ca = await root.issueCa('Issuing CA', {
      ...options('Issuing CA'),
      key: await generateKey('P-256'),
    })
    pool.push(ca.der)
  }
  const real = await root.issueCa('Issuing CA', {
    ...options('Issuing CA'),
    key: await generateKey('P-256'),
  })
  const { der: leaf } = await real.issueBytes('client', { ...clientOptions(0), ...client0 })
  return { root: root.der, intermediates: pool, leaf }
}

/** Nothing that would rank the right key first. */
const client0 = { authorityKeyIdentifier: 'absent' } as const
