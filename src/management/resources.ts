/** What the management API takes and gives, as the client sees it. @module */

import type { KillEntryJson, RevocationSettings, Upstream } from '../deployment/index.ts'
import type { HttpMethod } from '../policy/endpoint.ts'
import type { PipelineName } from '../policy/pipelines.ts'
import type { StoredPolicy } from './service/policy-body.ts'
import type { Right } from './service/rights.ts'

export type { HttpMethod, KillEntryJson, PipelineName, RevocationSettings, Right, Upstream }

/** A policy as the document has it, with its additions. */
export type PolicyDocument = Partial<StoredPolicy> & { readonly type: 'policy-auth-mtls' }

/** As the document has it. */
export interface OperationMetadata {
  readonly targetScope: 'ALL' | 'ENDPOINT'
  readonly targetEndpoint?: string
  readonly targetEndpointHTTPMethod?: HttpMethod
  readonly targetPipeline: PipelineName
  /** Default true. */
  readonly deploy?: boolean
  /** Default empty: every environment that runs the API proxy. */
  readonly deployTargetEnvironmentNameList?: readonly string[]
  /** From 1 within pipeline, scope and endpoint. `null`: last for a new policy, its place for a known one. */
  readonly order?: number | null
}

export interface PolicyRequest {
  readonly operationMetadata: OperationMetadata
  /** Where it is read it has its name and place; they may stay, if they are those of the path and of `operationMetadata`. */
  readonly policy: PolicyDocument & Partial<Omit<PolicyResource, keyof StoredPolicy>>
}

export interface ListedPolicy extends StoredPolicy {
  readonly name: string
  /** Of scope ENDPOINT only. */
  readonly targetScope?: 'ENDPOINT'
  readonly targetEndpoint?: string
  readonly targetEndpointHTTPMethod?: HttpMethod
}

export interface PolicyLists {
  readonly apiProxy: {
    readonly name: string
    readonly requestPolicyList: readonly ListedPolicy[]
    readonly responsePolicyList: readonly ListedPolicy[]
    readonly errorPolicyList: readonly ListedPolicy[]
  }
}

/** One policy with its place. */
export interface PolicyResource extends ListedPolicy {
  readonly targetPipeline: PipelineName
  readonly order: number
}

export interface EnvironmentResult {
  readonly environmentName: string
  readonly success: boolean
  readonly message: string
}

export interface DeploymentResult {
  /** False when any environment failed. */
  readonly success: boolean
  readonly deploymentResults: readonly EnvironmentResult[]
}

export interface Project {
  readonly name: string
  readonly description: string
}

export interface Environment {
  readonly name: string
}

export interface Endpoint {
  readonly path: string
  readonly method: HttpMethod
}

export interface ApiProxy {
  readonly name: string
  /** Lower-case host names, or `*` alone: every host that no other proxy names. */
  readonly hosts: readonly string[]
  /** Path below which the proxy answers; `/` is everything. */
  readonly basePath: string
  readonly upstream: Upstream
  /** Policies are deployed only to a proxy with TLS. */
  readonly tls: boolean
  /** Where policies of scope ENDPOINT may stand; empty: anywhere. */
  readonly endpoints: readonly Endpoint[]
  /** Names of the environments that run the proxy. */
  readonly environments: readonly string[]
}

/** What has a default may be left out. */
export interface ApiProxyRequest {
  /** As in the path. */
  readonly name?: string
  readonly hosts?: readonly string[]
  readonly basePath?: string
  readonly upstream: { readonly url: string } & Partial<Upstream>
  readonly tls?: boolean
  readonly endpoints?: readonly Endpoint[]
  readonly environments?: readonly string[]
}

export interface CertificateSummary {
  readonly subject: string
  readonly issuer: string
  /** RFC 3339. */
  readonly notBefore: string
  readonly notAfter: string
  /** Of the DER, hexadecimal. */
  readonly sha256: string
  /** Base64 of the DER. */
  readonly der: string
}

export interface TrustStore {
  readonly anchors: readonly CertificateSummary[]
  readonly intermediates: readonly CertificateSummary[]
}

/** PEM with any number of certificates, base64 of DER, PKCS #7 as PEM or base64; or several of these, and of what was read. */
export interface TrustStoreRequest {
  readonly anchors: string | readonly (string | CertificateSummary)[]
  readonly intermediates?: string | readonly (string | CertificateSummary)[]
}

export interface IssuerAclResource {
  /** The text form. */
  readonly acl: string
}

export interface Crl {
  readonly sha256: string
  readonly issuer: string
  readonly thisUpdate: string
  readonly nextUpdate: string | null
  readonly octets: number
}

export interface KillEntry {
  readonly id: string
  readonly createdAt: string
  readonly entry: KillEntryJson
}

/** What gateways said of a change of CRLs or of a kill list, in each environment in which it counts. */
export interface LiveResult {
  /** False: somewhere it is stored, and not known to be in force. */
  readonly success: boolean
  readonly liveResults: readonly EnvironmentResult[]
}

export interface KillEntryAdded extends KillEntry {
  readonly liveResult: LiveResult
}

export interface CrlsAdded {
  readonly crls: readonly Crl[]
  readonly liveResult: LiveResult
}

export interface DeploymentStatus {
  readonly environmentName: string
  /** Of the snapshot in force; null: none. */
  readonly hash: string | null
  readonly sequence: number | null
  readonly revision: number | null
  /** What is stored differs from what is in force. */
  readonly redeployRequired: boolean
  /** Why what is stored cannot be deployed; absent: it can. */
  readonly problem?: string
}

export interface Deployment {
  readonly revision: number
  readonly kind: 'deploy' | 'rollback' | 'undeploy'
  readonly hash: string | null
  readonly sequence: number | null
  readonly createdAt: string
  readonly actor: string
  readonly success: boolean
  readonly message: string
}

export interface Difference {
  /** Such as `policies.requestPolicyList[0].active`. */
  readonly path: string
  /** Absent: not there. */
  readonly running?: unknown
  readonly stored?: unknown
}

export interface DeploymentDifference {
  readonly environmentName: string
  readonly runningHash: string | null
  readonly storedHash: string | null
  readonly problem?: string
  readonly differences: readonly Difference[]
}

export interface Token {
  readonly name: string
  readonly rights: readonly Right[]
  readonly createdAt: string
  readonly expiresAt: string | null
  readonly revokedAt: string | null
  readonly lastUsedAt: string | null
}

export interface TokenRequest {
  readonly rights: readonly Right[]
  /** RFC 3339. Absent or null: it does not expire. */
  readonly expiresAt?: string | null
}

/** The only time that the token itself is shown. */
export interface NewToken extends Token {
  readonly token: string
}

export interface AuditRecord {
  readonly id: string
  readonly at: string
  readonly actor: string
  readonly action: string
  readonly target: string
  readonly detail: unknown
}

export interface EvaluateRequest {
  /** What the client presents, its own certificate first: PEM, base64 of DER, or a list of these. Absent: nothing. */
  readonly certificate?: string | readonly string[]
  /** RFC 3339. Absent: now. */
  readonly time?: string
  readonly method?: string
  readonly path?: string
}

export interface DescribedFailure {
  readonly code: string
  /** RFC and section, or `local …`. */
  readonly source: string
  readonly message: string
  /** What would let the request pass. */
  readonly remedy: string
}

export interface Evaluation {
  readonly allowed: boolean
  /** False: the policy is for other requests than this one. */
  readonly applies: boolean
  readonly status?: number
  readonly failure?: DescribedFailure
  readonly identity?: {
    readonly subject: string
    readonly issuer: string
    readonly serialNumber: string
    readonly fingerprint: string
    readonly spkiSha256: string
  }
  readonly warnings: readonly string[]
  readonly trace: readonly {
    readonly pipeline: PipelineName
    readonly policy: string
    readonly targetScope: 'ALL' | 'ENDPOINT'
    readonly result: 'passed' | 'refused' | 'would-refuse' | 'skipped'
    readonly failure?: DescribedFailure
  }[]
}

/** One project as a file; no tokens, and nothing about what is deployed. */
export interface ProjectExport {
  readonly version: 1
  readonly project: Project
  readonly settings: ExportedSettings
  readonly apiProxies: readonly ExportedProxy[]
}

export interface ExportedSettings {
  /** Base64 of DER. */
  readonly trustStore?: {
    readonly anchors: readonly string[]
    readonly intermediates: readonly string[]
  }
  readonly issuerAcl?: string
  readonly revocation?: RevocationSettings
  /** Base64 of DER. */
  readonly crls: readonly string[]
  readonly killList: readonly KillEntryJson[]
}

export interface ExportedProxy extends ApiProxy {
  readonly policies: Omit<PolicyLists['apiProxy'], 'name'>
  readonly settings: ExportedSettings
}
