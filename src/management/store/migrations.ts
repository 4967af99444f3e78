/**
 * What makes the schema, step by step. A migration that was released is never changed: another one follows it.
 *
 * @module
 */

/** The words in which the two databases differ. */
export interface Types {
  /** Sorted and compared by bytes. */
  readonly text: string
  /** Of 64 bits. */
  readonly integer: string
  readonly bytes: string
  /** After the columns of a table. */
  readonly table: string
}

export const sqliteTypes: Types = {
  text: 'text',
  integer: 'integer',
  bytes: 'blob',
  table: 'strict',
}

export const postgresTypes: Types = {
  text: 'text collate "C"',
  integer: 'bigint',
  bytes: 'bytea',
  table: '',
}

/** Statements of one migration. */
export type Migration = (types: Types) => readonly string[]

/** In order: the first makes schema 1. Each runs in one transaction. */
export const migrations: readonly Migration[] = [
  ({ text, integer, bytes, table }) => [
    `create table projects (
      id ${text} primary key,
      name ${text} not null unique,
      description ${text} not null,
      version ${integer} not null
    ) ${table}`,
    `create table environments (
      id ${text} primary key,
      name ${text} not null unique,
      sequence ${integer} not null
    ) ${table}`,
    `create table api_proxies (
      id ${text} primary key,
      project_id ${text} not null references projects (id) on delete cascade,
      name ${text} not null,
      document ${text} not null,
      version ${integer} not null,
      unique (project_id, name)
    ) ${table}`,
    `create table policies (
      id ${text} primary key,
      api_proxy_id ${text} not null references api_proxies (id) on delete cascade,
      name ${text} not null,
      pipeline ${text} not null,
      scope ${text} not null,
      endpoint ${text},
      method ${text},
      position ${integer} not null,
      document ${text} not null,
      version ${integer} not null,
      unique (api_proxy_id, name)
    ) ${table}`,
    `create table settings (
      owner_kind ${text} not null,
      owner_id ${text} not null,
      kind ${text} not null,
      document ${text} not null,
      version ${integer} not null,
      primary key (owner_kind, owner_id, kind)
    ) ${table}`,
    `create table crls (
      id ${text} primary key,
      owner_kind ${text} not null,
      owner_id ${text} not null,
      issuer ${text} not null,
      this_update ${text} not null,
      next_update ${text},
      sha256 ${text} not null,
      der ${bytes} not null,
      unique (owner_kind, owner_id, sha256)
    ) ${table}`,
    'create index crls_sha256 on crls (sha256)',
    `create table kill_entries (
      id ${text} primary key,
      owner_kind ${text} not null,
      owner_id ${text} not null,
      entry ${text} not null,
      created_at ${text} not null,
      expires ${text}
    ) ${table}`,
    'create index kill_entries_owner on kill_entries (owner_kind, owner_id)',
    `create table snapshots (
      hash ${text} primary key,
      body ${text} not null
    ) ${table}`,
    `create table pointers (
      environment_id ${text} not null references environments (id) on delete cascade,
      api_proxy_id ${text} not null,
      hash ${text} references snapshots (hash),
      sequence ${integer} not null,
      signed ${text} not null,
      primary key (environment_id, api_proxy_id)
    ) ${table}`,
    'create index pointers_hash on pointers (hash)',
    `create table live_states (
      environment_id ${text} primary key references environments (id) on delete cascade,
      hash ${text} not null,
      sequence ${integer} not null,
      signed ${text} not null,
      body ${text} not null
    ) ${table}`,
    `create table deployments (
      id ${text} primary key,
      environment_id ${text} not null references environments (id) on delete cascade,
      api_proxy_id ${text} not null,
      revision ${integer} not null,
      hash ${text},
      sequence ${integer},
      created_at ${text} not null,
      actor ${text} not null,
      kind ${text} not null,
      success ${integer} not null,
      message ${text} not null,
      unique (environment_id, api_proxy_id, revision)
    ) ${table}`,
    'create index deployments_proxy on deployments (api_proxy_id, created_at)',
    `create table gateways (
      environment_id ${text} not null references environments (id) on delete cascade,
      name ${text} not null,
      seen_at ${text} not null,
      report ${text} not null,
      primary key (environment_id, name)
    ) ${table}`,
    `create table tokens (
      id ${text} primary key,
      name ${text} not null,
      hash ${text} not null unique,
      rights ${text} not null,
      created_at ${text} not null,
      expires_at ${text},
      revoked_at ${text},
      last_used_at ${text}
    ) ${table}`,
    `create table audit (
      id ${text} primary key,
      at ${text} not null,
      actor ${text} not null,
      action ${text} not null,
      target ${text} not null,
      detail ${text} not null
    ) ${table}`,
    'create index audit_at on audit (at, id)',
    `create table idempotency (
      key ${text} not null,
      token_id ${text} not null,
      request_hash ${text} not null,
      status ${integer} not null,
      body ${text} not null,
      created_at ${text} not null,
      primary key (key, token_id)
    ) ${table}`,
    'create index idempotency_created_at on idempotency (created_at)',
  ],
  ({ integer }) => [
    // Older managers that go on beside newer ones know of no other rows.
    `alter table deployments add column settled ${integer} not null default 1`,
    'create index deployments_open on deployments (created_at) where settled = 0',
  ],
  ({ text, integer, table }) => [
    `create table environment_sets (
      environment_id ${text} primary key references environments (id) on delete cascade,
      sequence ${integer} not null,
      signed ${text} not null
    ) ${table}`,
  ],
]
