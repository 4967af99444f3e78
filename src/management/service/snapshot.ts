/** What an API proxy is as it is stored now: the snapshot that a deployment would put in force. @module */

import { parseIssuerAcl } from '../../acl/index.ts'
import { formatAcl } from '../../acl/text.ts'
import {
  checkSnapshot,
  describeDeploymentFailure,
  hashOf,
  type Snapshot,
} from '../../deployment/index.ts'
import { usabilityFailure } from '../../deployment/snapshot.ts'
import { apiProxyOf } from './api-proxy-document.ts'
import type { ApiProxyRow, Db } from './lookups.ts'
import { policiesOf, policyLists } from './policies.ts'
import { settingsFor } from './settings.ts'

export interface Candidate {
  readonly snapshot: Snapshot
  readonly hash: string
  /** Why it cannot be deployed anywhere, and what to do about it; absent: it can. */
  readonly problem: string | undefined
}

/** The same snapshot, and hash, as long as nothing of the proxy changes. */
export async function candidateOf(db: Db, proxy: ApiProxyRow): Promise<Candidate> {
  const { hosts, basePath, upstream, tls } = apiProxyOf(proxy)
  const { trustStore, issuerAcl, revocation } = await settingsFor(db, proxy.id, proxy.project_id)
  const { apiProxy } = policyLists(proxy.name, await policiesOf(db, proxy.id))
  const snapshot: Snapshot = {
    version: 1,
    project: proxy.project_name,
    apiProxy: proxy.name,
    hosts: [...hosts].sort(),
    basePath,
    upstream,
    policies: apiProxy,
    trustAnchors: trustStore?.anchors ?? [],
    intermediates: trustStore?.intermediates ?? [],
    // Comments and blanks are no change of what is in force.
    issuerAcl: issuerAcl === undefined ? null : formatAcl(parseIssuerAcl(issuerAcl.acl)),
    revocation: revocation ?? null,
  }
  return { snapshot, hash: hashOf(snapshot), problem: problemOf(snapshot, tls) }
}

function problemOf(snapshot: Snapshot, tls: boolean): string | undefined {
  if (!tls) {
    return 'The API proxy has no TLS, and without it no client presents a certificate: set tls to true'
  }
  const {
    requestPolicyList = [],
    responsePolicyList = [],
    errorPolicyList = [],
  } = snapshot.policies
  const policies = [...requestPolicyList, ...responsePolicyList, ...errorPolicyList] as readonly {
    readonly name: string
    readonly validateCertificate: boolean
    readonly validateACLForIssuer: boolean
  }[]
  const validating = policies.find(({ validateCertificate }) => validateCertificate)
  if (validating !== undefined && snapshot.trustAnchors.length === 0) {
    return (
      `Policy ${validating.name} has validateCertificate, but there are no trust anchors: ` +
      'upload a trust store to the project or the API proxy, or set validateCertificate to false'
    )
  }
  const listed = policies.find(({ validateACLForIssuer }) => validateACLForIssuer)
  if (listed !== undefined && snapshot.issuerAcl === null) {
    return (
      `Policy ${listed.name} has validateACLForIssuer, but there is no issuer ACL: ` +
      'configure one for the project or the API proxy, or set validateACLForIssuer to false'
    )
  }
  const checked = checkSnapshot(snapshot)
  const failure = checked.ok ? usabilityFailure(snapshot) : checked.failure
  return failure === undefined
    ? undefined
    : `Gateways would refuse it: ${describeDeploymentFailure(failure)}`
}
