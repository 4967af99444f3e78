/** The options under which inputs are judged: some codes need one beside the octets. @module */

import { clientAclFromJson, issuerAclFromJson } from '../../../src/acl/index.ts'
import { type Prepared, prepareOptions, type ValidateOptions } from '../../../src/client/options.ts'
import { parseTrustAnchors } from '../../../src/client/trust-anchors.ts'
import { poolKey } from '../../../src/testing/keys.ts'
import { forgeCa, forgeRoot, type Signer } from '../forge.ts'

/**
 * - `default`, `rfc5280`: the profiles
 * - `dangerous`: SHA-1, DSA, short RSA keys
 * - `acl`: issuer and client ACL
 * - `unverified`: `validateCertificate` is false, with an ACL that denies by key
 * - `server`: a server is expected under a name
 * - `policy`: an explicit policy is required
 */
export type SettingName =
  | 'default'
  | 'rfc5280'
  | 'dangerous'
  | 'acl'
  | 'unverified'
  | 'server'
  | 'policy'

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
}

export const settings: { readonly [N in SettingName]: Prepared } = Object.fromEntries(
  Object.entries(options).map(([name, one]) => [name, prepareOptions(one)]),
) as { readonly [N in SettingName]: Prepared }
