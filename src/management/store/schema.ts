/**
 * Tables of the store, the same in SQLite and PostgreSQL. Identifiers are UUIDs as text, times RFC 3339 text in UTC (`Date.toISOString`),
 * JSON is text, flags are 0 and 1, bytes are `Uint8Array`. Text sorts by its UTF-8 bytes in both.
 *
 * @module
 */

import type { Generated } from 'kysely'

/** 0 is no, 1 is yes: SQLite has no boolean. */
export type Flag = 0 | 1

/** Who holds a trust store, an ACL, CRLs or kill list entries. */
export type OwnerKind = 'project' | 'proxy'

export interface Schema {
  readonly meta: MetaTable
  readonly projects: ProjectTable
  readonly environments: EnvironmentTable
  readonly api_proxies: ApiProxyTable
  readonly policies: PolicyTable
  readonly settings: SettingTable
  readonly crls: CrlTable
  readonly kill_entries: KillEntryTable
  readonly snapshots: SnapshotTable
  readonly pointers: PointerTable
  readonly live_states: LiveStateTable
  readonly environment_sets: EnvironmentSetTable
  readonly deployments: DeploymentTable
  readonly gateways: GatewayTable
  readonly tokens: TokenTable
  readonly audit: AuditTable
  readonly idempotency: IdempotencyTable
}

/** What the store knows about itself: `schema-version`, a decimal; `signing-key`, the public key that signed its pointers. */
export interface MetaTable {
  key: string
  value: string
}

export interface ProjectTable {
  id: string
  /** Unique. */
  name: string
  description: string
  /** Raised by every write, from 1: the ETag. */
  version: number
}

export interface EnvironmentTable {
  id: string
  /** Unique. */
  name: string
  /** The last number given to a pointer or live pointer of this environment; 0: none yet. Never falls. */
  sequence: number
}

export interface ApiProxyTable {
  id: string
  /** Goes with its project. */
  project_id: string
  /** Unique in its project. */
  name: string
  /** JSON: hosts, base path, upstream, TLS, endpoints, environments. */
  document: string
  version: number
}

export interface PolicyTable {
  id: string
  /** Goes with its proxy. */
  api_proxy_id: string
  /** Unique in its proxy. */
  name: string
  pipeline: string
  scope: string
  /** Of the scope ENDPOINT; `null` for all of the proxy. */
  endpoint: string | null
  /** Of the endpoint, when it is one by method. */
  method: string | null
  /** Order in its pipeline and scope, from 0; not unique, so that a policy can move. */
  position: number
  /** JSON, as the API takes and gives it. */
  document: string
  version: number
}

/** Unique by owner and kind. */
export interface SettingTable {
  owner_kind: OwnerKind
  owner_id: string
  kind: 'trustStore' | 'issuerAcl' | 'revocation'
  /** JSON. */
  document: string
  version: number
}

/** Unique by owner and `sha256`. */
export interface CrlTable {
  id: string
  owner_kind: OwnerKind
  owner_id: string
  /** Name of the issuer in text form. */
  issuer: string
  this_update: string
  next_update: string | null
  /** Of `der`, 64 hex digits in lower case. */
  sha256: string
  der: Uint8Array
}

export interface KillEntryTable {
  id: string
  owner_kind: OwnerKind
  owner_id: string
  /** JSON of the entry. */
  entry: string
  created_at: string
  /** `null`: never. */
  expires: string | null
}

/** Immutable, by content. */
export interface SnapshotTable {
  /** SHA-256 of `body` in UTF-8, 64 hex digits in lower case. */
  hash: string
  /** Canonical JSON. */
  body: string
}

/** One for a proxy in an environment. It outlives its proxy, so that gateways learn that the proxy has gone. */
export interface PointerTable {
  /** Goes with its environment. */
  environment_id: string
  /** May name a proxy that is no more. */
  api_proxy_id: string
  /** A row of `snapshots`; `null`: undeployed. */
  hash: string | null
  sequence: number
  /** JSON of the signed pointer. */
  signed: string
}

/** One for an environment. */
export interface LiveStateTable {
  /** Goes with its environment. */
  environment_id: string
  /** SHA-256 of `body`, as in `snapshots`. */
  hash: string
  sequence: number
  /** JSON of the signed live pointer. */
  signed: string
  /** Canonical JSON of the live data. */
  body: string
}

/** One for an environment: what it consists of, as it was when it changed last. */
export interface EnvironmentSetTable {
  /** Goes with its environment. */
  environment_id: string
  /** That of the environment at the time. */
  sequence: number
  /** JSON of the signed set. */
  signed: string
}

/** History; a row outlives its proxy. */
export interface DeploymentTable {
  id: string
  /** Goes with its environment. */
  environment_id: string
  /** May name a proxy that is no more. */
  api_proxy_id: string
  /** Unique by environment and proxy, from 1. */
  revision: number
  /** What was put in force; `null`: nothing. */
  hash: string | null
  /** Of the pointer; `null` when it failed before it had one. */
  sequence: number | null
  created_at: string
  /** Name of the token, or of the command that did it. */
  actor: string
  kind: 'deploy' | 'rollback' | 'undeploy'
  success: Flag
  message: string
  /** 0: gateways have not been heard; whoever finds it later asks what they report. */
  settled: Generated<Flag>
}

/** One for a gateway in an environment. */
export interface GatewayTable {
  /** Goes with its environment. */
  environment_id: string
  name: string
  seen_at: string
  /** JSON of its last report. */
  report: string
}

export interface TokenTable {
  id: string
  name: string
  /** SHA-256 of the token, 64 hex digits in lower case; the token itself is nowhere. Unique. */
  hash: string
  /** JSON. */
  rights: string
  created_at: string
  /** `null`: never. */
  expires_at: string | null
  revoked_at: string | null
  last_used_at: string | null
}

export interface AuditTable {
  id: string
  at: string
  actor: string
  action: string
  target: string
  /** JSON. */
  detail: string
}

/** Unique by key and token. */
export interface IdempotencyTable {
  key: string
  token_id: string
  request_hash: string
  /** Of the answer that was given. */
  status: number
  /** Body of that answer. */
  body: string
  created_at: string
}
