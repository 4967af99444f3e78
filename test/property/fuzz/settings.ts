/** The options under which inputs are judged: some codes need one beside the octets. @module */

import { createHash } from 'node:crypto'
import { clientAclFromJson, issuerAclFromJson } from '../../../src/acl/index.ts'
import { type Prepared, prepareOptions, type ValidateOptions } from '../../../src/client/options.ts'
import { parseTrustAnchors } from '../../../src/client/trust-anchors.ts'
import { parseCrls } from '../../../src/revocation/crls.ts'
import { createKillList } from '../../../src/revocation/kill-list.ts'
import { type CertificateAuthority, issueCa } from '../../../src/testing/index.ts'
import { poolKey } from '../../../src/testing/keys.ts'
import { forgeCa, forgeRoot, type Signer } from '../forge.ts'

/**
 * - `default`, `rfc5280`: the profiles
 * - `dangerous`: SHA-1, DSA, short RSA keys
 * - `acl`: issuer and client ACL
 * - `unverified`: `validateCertificate` is false, with an ACL that denies by key
 * - `server`: a server is expected under a name
 * - `policy`: an explicit policy is required
 * - `killed`: a kill list, by key and by issuer
 * - `revocation`: the list of one CA, and none of another
 */
export type SettingName =
  | 'default'
  | 'rfc5280'
  | 'dangerous'
  | 'acl'
  | 'unverified'
  | 'server'
  | 'policy'
  | 'killed'
  | 'revocation'

export const root: Signer = forgeRoot('CN=Root CA,O=Example', poolKey('P-256', 0))
export const issuing: Signer = forgeCa(root, 'CN=Issuing CA,O=Example', poolKey('P-256', 1))
export const denied: Signer = forgeCa(root, 'CN=Denied CA,O=Example', poolKey('P-256', 2))
export const unlisted: Signer = forgeCa(root, 'CN=Unlisted CA,O=Example', poolKey('P-256', 3))
/** An anchor that could be a client. */
export const bareRoot: Signer = forgeRoot('CN=Bare Root,O=Example', poolKey('P-256', 4), {
  keyUsage: 'absent',
})
/** A CA that is no anchor. */
export const foreign: Signer = forgeRoot('CN=Foreign CA,O=Example', poolKey('P-256', 5))

/** A CA on the kill list, and a client's key that is on it too. */
export const killedCa: Signer = forgeCa(root, 'CN=Killed CA,O=Example', poolKey('P-256', 6))
export const killedKey = poolKey('P-256', 62)

/** An anchor whose list has `bulkSerialNumber` 0 to `revokedCount` - 1; an anchor without a list. */
export const revokedCount = 64
const listing = await issueCa('Listing CA', { key: 'P-256#7' })
export const listingCa: Signer = signerOf(listing)
export const silentCa: Signer = signerOf(await issueCa('Silent CA', { key: 'P-256#40' }))

function signerOf({ tbsCertificate, key, der }: CertificateAuthority): Signer {
  const { keyIdentifier = new Uint8Array(0) } = tbsCertificate.extensions.subjectKeyIdentifier ?? {}
  return { name: tbsCertificate.subject.der, key, der, keyIdentifier }
}

export const policyA = '1.3.6.1.4.1.32473.1'

const issuerAcl = issuerAclFromJson([
  { effect: 'allow', match: { dn: 'CN=Issuing CA,O=Example' }, at: 'issuer' },
  { effect: 'deny', match: { dn: 'CN=Denied CA,O=Example' }, at: 'path' },
])
const clientAcl = clientAclFromJson([
  { effect: 'allow', match: { attributes: { O: 'Example' } } },
  { effect: 'deny', match: { attributes: { OU: 'Denied' } } },
])
const denyingByKey = issuerAclFromJson([
  { effect: 'allow', match: { dn: 'CN=Issuing CA,O=Example' }, at: 'issuer' },
  { effect: 'deny', match: { spkiSha256: '00'.repeat(32) }, at: 'issuer' },
])

const killList = createKillList([
  {
    spkiSha256: createHash('sha256').update(killedKey.publicKey).digest('hex'),
    note: 'a key that leaked',
  },
  { issuer: 'CN=Killed CA,O=Example' },
])
const crls = parseCrls((await listing.issueCrl({ entries: revokedCount })).der)

const trustAnchors = parseTrustAnchors([root.der, bareRoot.der])

const options: { readonly [N in SettingName]: ValidateOptions } = {
  default: { trustAnchors },
  rfc5280: { trustAnchors, profile: 'rfc5280' },
  dangerous: {
    trustAnchors,
    algorithms: {
      dangerouslyAllowSha1: true,
      dangerouslyAllowDsa: true,
    },
  },
  acl: { trustAnchors, issuerAcl, clientAcl },
  unverified: { validateCertificate: false, issuerAcl: denyingByKey },
  server: {
    trustAnchors,
    purpose: 'serverAuth',
    expectedPeerNames: [{ kind: 'DNS', value: 'server.example.com' }],
  },
  policy: { trustAnchors, initialExplicitPolicy: true, userInitialPolicySet: [policyA] },
  killed: { trustAnchors, killList },
  revocation: {
    trustAnchors: parseTrustAnchors([listingCa.der, silentCa.der]),
    revocation: { mode: 'crl', crls },
  },
}

export const settings: { readonly [N in SettingName]: Prepared } = Object.fromEntries(
  Object.entries(options).map(([name, one]) => [name, prepareOptions(one)]),
) as { readonly [N in SettingName]: Prepared }
