/** A small PKI with fresh keys, as files: one client that may come in, and one of each kind that may not. @module */

import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  type CertificateAuthority,
  generateKey,
  type IssuedBytes,
  issueCa,
  type KeyKind,
} from '../testing/index.ts'
import { UsageError } from './io.ts'

export interface DemoClient {
  /** Below the folder. */
  readonly file: string
  /** A few words: what it is. */
  readonly what: string
  /** What `check` says: a failure code; absent: accepted. */
  readonly code?: string
}

/** Below the folder. */
export const demoFiles = {
  anchors: 'ca.pem',
  intermediates: 'intermediates.pem',
  issuerAcl: 'issuers.acl',
  clientAcl: 'clients.acl',
  crls: 'crls',
} as const

export const demoClients: readonly DemoClient[] = [
  { file: 'clients/client-a.pem', what: 'a good client' },
  { file: 'clients/expired.pem', what: 'expired', code: 'certificate-expired' },
  { file: 'clients/foreign.pem', what: 'of a CA that nobody trusts', code: 'issuer-unknown' },
  {
    file: 'clients/partner.pem',
    what: 'of a trusted CA that the ACL leaves out',
    code: 'issuer-not-allowed',
  },
  { file: 'clients/forged.pem', what: 'with a forged signature', code: 'signature-invalid' },
  { file: 'clients/revoked.pem', what: 'revoked, say the CRLs', code: 'certificate-revoked' },
]

export interface DemoPkiOptions {
  /** The O of all names. */
  readonly organization: string
  readonly key: KeyKind
}

/**
 * Issues the PKI into `folder`.
 *
 * @returns The names of the files, below the folder.
 * @throws UsageError with code `folder-not-empty`, unless `force`.
 */
export async function writeDemoPki(
  folder: string,
  now: Date,
  { organization, key: kind }: DemoPkiOptions,
  force: boolean,
): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true })
  if (!force && (await readdir(folder)).length > 0) {
    throw new UsageError(
      'folder-not-empty',
      `the folder ${folder} is not empty`,
      'name another folder, or overwrite with --force',
    )
  }
  const key = () => generateKey(kind)
  const named = (cn: string, o = organization) => [
    { type: 'O', value: o },
    { type: 'CN', value: cn },
  ]
  const today = Math.floor(now.getTime() / 1000)
  const years = (count: number) => ({ notBefore: today - hour, notAfter: today + count * year })
  const ca = { basicConstraints: { cA: true, pathLenConstraint: 0 }, ...years(5) }
  const rootName = `${organization} Root CA`
  const root = await issueCa(rootName, {
    subject: named(rootName),
    key: await key(),
    ...years(10),
  })
  const below = async (from: CertificateAuthority, cn: string, o = organization) =>
    from.issueCa(cn, { subject: named(cn, o), key: await key(), ...ca })
  const issuing = await below(root, `${organization} Issuing CA`)
  const partner = await below(root, `${organization} Partner CA`)
  const foreignRoot = await issueCa('Foreign Root CA', {
    subject: named('Foreign Root CA', 'Foreign'),
    key: await key(),
    ...years(10),
  })
  const foreign = await below(foreignRoot, 'Foreign Issuing CA', 'Foreign')

  const client = async (from: CertificateAuthority, cn: string, more: object = {}) =>
    from.issueBytes(cn, {
      subject: named(cn),
      key: await key(),
      ...years(1),
      serialNumber: serialNumber(),
      subjectAltName: [{ uri: `spiffe://example.org/${cn}` }],
      ...more,
    })
  const revokedSerial = serialNumber()
  const yesterday = { notBefore: today - 90 * day, notAfter: today - day }
  const clients: Readonly<Record<string, IssuedBytes>> = {
    'client-a': await client(issuing, 'client-a'),
    expired: await client(issuing, 'client-expired', yesterday),
    foreign: await client(foreign, 'client-foreign'),
    partner: await client(partner, 'client-partner'),
    forged: await client(issuing, 'client-forged', { signingKey: await key() }),
    revoked: await client(issuing, 'client-revoked', { serialNumber: revokedSerial }),
  }
  const updates = { thisUpdate: today - hour, nextUpdate: today + 90 * day }
  const lost = { serialNumber: revokedSerial, revocationDate: today - 2 * day }
  const server = await client(issuing, 'server', {
    extendedKeyUsage: ['serverAuth'],
    subjectAltName: [{ dns: 'localhost' }],
  })

  const files: Record<string, string> = {
    [demoFiles.anchors]: root.pem,
    [demoFiles.intermediates]: issuing.pem + partner.pem,
    [demoFiles.issuerAcl]: issuerAclText(organization),
    [demoFiles.clientAcl]: clientAclText,
    'crls/root-ca.crl': (await root.issueCrl(updates)).pem,
    'crls/issuing-ca.crl': (
      await issuing.issueCrl({ ...updates, revoked: [{ ...lost, reason: 'keyCompromise' }] })
    ).pem,
    'crls/partner-ca.crl': (await partner.issueCrl(updates)).pem,
    'server.pem': server.chainPem,
    'keys/server.key': server.privateKeyPem,
    'keys/root-ca.key': root.privateKeyPem,
    'keys/issuing-ca.key': issuing.privateKeyPem,
  }
  for (const [name, issued] of Object.entries(clients)) {
    files[`clients/${name}.pem`] = issued.chainPem
    files[`keys/${name}.key`] = issued.privateKeyPem
  }
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name)
    await mkdir(dirname(path), { recursive: true })
    const mode = name.startsWith('keys/') ? 0o600 : 0o644
    await writeFile(path, text, { mode })
    // The mode counts only for a new file.
    if (force) await chmod(path, mode)
  }
  return Object.keys(files).sort()
}

/** Positive, 64 bits of it random: RFC 5280 §4.1.2.2 wants them unique, and demo PKIs are issued again. */
function serialNumber(): Uint8Array {
  const octets = globalThis.crypto.getRandomValues(new Uint8Array(9))
  octets[0] = 0x40 | ((octets[0] as number) & 0x3f)
  return octets
}

function issuerAclText(organization: string): string {
  const name = organization.replace(/["+,;<>\\=#]/g, '\\$&').replaceAll('"', '""')
  return `# Which CAs may issue client certificates. One entry a line; what no entry allows is refused, and deny wins.
allow dn "CN=${name} Issuing CA,O=${name}"
`
}

const clientAclText = `# Which clients may come in, by their own certificate.
allow san-uri spiffe://example.org/*
deny  attributes CN=client-b   note "left the company"
`
const hour = 3600
const day = 86_400
const year = 365 * day
