/** Puts a snapshot or live data in force: numbered, signed and told to gateways, all within the caller's transaction. @module */

import { createPublicKey } from 'node:crypto'
import { sql, type Transaction } from 'kysely'
import { failed, type Result, success } from '../../base/result.ts'
import { canonicalJson, hashOf, sha256Hex } from '../../deployment/canonical.ts'
import type { DeploymentFailure } from '../../deployment/failure.ts'
import { publicKeyText, type SigningKey } from '../../deployment/keys.ts'
import {
  checkLiveData,
  type KillEntryJson,
  type LiveData,
  maxLiveBytes,
} from '../../deployment/live.ts'
import {
  type LiveUse,
  liveLimits,
  liveUseOf,
  overProjectLimit,
  overSharedLimit,
  type Written,
} from '../../deployment/live-limits.ts'
import { type Pointer, type Signed, signDocument } from '../../deployment/pointer.ts'
import { checkSnapshot, type Snapshot, usabilityFailure } from '../../deployment/snapshot.ts'
import { type PlacedProxy, stateExcessOf, stateUseOf } from '../../deployment/state-limits.ts'
import { type PlaceOfSnapshot, Places } from '../service/places.ts'
import type { OwnerKind, PointerTable, Schema } from '../store/schema.ts'
import type { Store } from '../store/store.ts'
import { placedProxies, signSet } from './sets.ts'
import { demandSigner, SigningKeyReplaced, signerKey } from './signer.ts'

export interface PublisherOptions {
  readonly store: Pick<Store, 'notify'>
  readonly signingKey: Pick<SigningKey, 'privateKey'>
  /** Default: of its own. */
  readonly places?: Places | undefined
  /** Default: the system's clock. */
  readonly now?: (() => Date) | undefined
}

export interface Publication {
  readonly environmentId: string
  readonly apiProxyId: string
  /** `null`: the proxy is undeployed. */
  readonly snapshot: Snapshot | null
}

/** What is in force now. */
export interface Published {
  /** Of the environment. */
  readonly environment: string
  readonly hash: string | null
  readonly sequence: number
}

/**
 * All work inside a transaction of the store and do nothing outside it, so that it may be run again. All throw `SigningKeyReplaced` when
 * another manager has taken over with another key.
 */
export interface Publisher {
  /** Says that there is nothing in an environment that is new. */
  readonly publishEmpty: (trx: Transaction<Schema>, environmentId: string) => Promise<void>
  /**
   * Writes the snapshot, moves the environment's pointer, and renews the live data where the set of running proxies changed. Rows of
   * `deployments` are the caller's.
   *
   * @returns A failure for a snapshot that gateways would refuse; nothing was written then. `undefined` as value: there was nothing to
   * undeploy.
   */
  readonly publishSnapshot: (
    trx: Transaction<Schema>,
    publication: Publication,
  ) => Promise<Result<Published | undefined, DeploymentFailure>>
  /**
   * Renews the live data of one environment from the rows of `crls` and `kill_entries`.
   *
   * @param grown - Project that has more than before: it is held against what it may have. What others have is no reason to refuse it, as
   * long as it keeps within what is guaranteed to each; and nothing is for who takes something away.
   * @returns `undefined` as value: they are as they were.
   */
  readonly publishLive: (
    trx: Transaction<Schema>,
    environmentId: string,
    grown?: string,
  ) => Promise<Result<Published | undefined, DeploymentFailure>>
  /**
   * {@link publishLive} for every environment in which the project, or the proxy, runs: after each change of its CRLs or kill list.
   *
   * @returns What is in force in each of them, changed or not.
   */
  readonly publishLiveOf: (
    trx: Transaction<Schema>,
    kind: OwnerKind,
    ownerId: string,
    change?: 'grows' | 'shrinks',
  ) => Promise<Result<readonly Published[], DeploymentFailure>>
}

export function createPublisher({
  store,
  signingKey,
  places = new Places(),
  now = () => new Date(),
}: PublisherOptions): Publisher {
  const publicKey = publicKeyText(createPublicKey(signingKey.privateKey))

  async function publishEmpty(trx: Transaction<Schema>, environmentId: string): Promise<void> {
    await demandSigner(trx, publicKey)
    await publishSet(trx, environmentId)
  }

  async function publishSet(
    trx: Transaction<Schema>,
    environmentId: string,
    placed?: readonly PlacedProxy[],
  ): Promise<void> {
    await signSet(trx, environmentId, { signingKey, places, now }, placed)
  }

  /** The transaction holds the row from here on: numbers are committed in their order. */
  async function nextSequence(
    trx: Transaction<Schema>,
    environmentId: string,
  ): Promise<{ readonly name: string; readonly sequence: number }> {
    const row = await trx
      .updateTable('environments')
      .set((expression) => ({ sequence: expression('sequence', '+', 1) }))
      .where('id', '=', environmentId)
      .returning(({ selectFrom }) => [
        'name',
        'sequence',
        selectFrom('meta').select('value').where('key', '=', signerKey).as('signer'),
      ])
      .executeTakeFirstOrThrow()
    if (row.signer !== null && row.signer !== publicKey) throw new SigningKeyReplaced()
    return { name: row.name, sequence: Number(row.sequence) }
  }

  async function publishSnapshot(
    trx: Transaction<Schema>,
    { environmentId, apiProxyId, snapshot }: Publication,
  ): ReturnType<Publisher['publishSnapshot']> {
    const before = await trx
      .selectFrom('pointers')
      .select(['hash', 'sequence', 'signed'])
      .where('environment_id', '=', environmentId)
      .where('api_proxy_id', '=', apiProxyId)
      .executeTakeFirst()
    const isRunning = before !== undefined && before.hash !== null
    if (snapshot === null && !isRunning) return success(undefined)
    const failure = snapshot === null ? undefined : failureOf(snapshot)
    if (failure !== undefined) return failed(failure)
    const hash = snapshot === null ? null : await writeSnapshot(trx, snapshot)
    // It never changes, so that it may be remembered even if the transaction is undone.
    if (hash !== null && snapshot !== null) places.note(hash, snapshot)
    // The names under which gateways know it, whatever has become of the proxy since.
    const { project, apiProxy } =
      snapshot ?? (JSON.parse(before?.signed as string) as Signed<Pointer>).document
    const { name, sequence } = await nextSequence(trx, environmentId)
    const signed = signDocument(
      {
        version: 1,
        kind: 'pointer',
        environment: name,
        project,
        apiProxy,
        hash,
        sequence,
        issuedAt: now().toISOString(),
      },
      signingKey,
    )
    const point = async (
      row: Pick<PointerTable, 'hash' | 'sequence' | 'signed'>,
    ): Promise<void> => {
      await trx
        .insertInto('pointers')
        .values({ environment_id: environmentId, api_proxy_id: apiProxyId, ...row })
        .onConflict((conflict) =>
          conflict.columns(['environment_id', 'api_proxy_id']).doUpdateSet(row),
        )
        .execute()
    }
    await point({ hash, sequence, signed: JSON.stringify(signed) })
    /** The transaction may go on without this: nothing points to what was refused. */
    const pointBack = async (): Promise<void> => {
      if (before !== undefined) await point(before)
      else {
        await trx
          .deleteFrom('pointers')
          .where('environment_id', '=', environmentId)
          .where('api_proxy_id', '=', apiProxyId)
          .execute()
      }
    }
    const placed = await placedProxies(trx, environmentId, places)
    // Who is above a limit that is new can still take something away, and deploy again where it is.
    if (snapshot !== null && placeOctets(snapshot) > (await placeOctetsOf(trx, before?.hash))) {
      const excess = stateExcessOf(project, stateUseOf(placed))
      if (excess !== undefined) {
        await pointBack()
        return failed({ code: 'document-too-large', path: '', ...excess })
      }
    }
    let isSetSigned = false
    if (isRunning !== (hash !== null)) {
      const grown = hash === null ? undefined : project
      const live = await publishLive(trx, environmentId, grown, placed)
      if (!live.ok) {
        await pointBack()
        return live
      }
      isSetSigned = live.value !== undefined
    }
    if (!isSetSigned) await publishSet(trx, environmentId, placed)
    await store.notify(trx, name)
    return success({ environment: name, hash, sequence })
  }

  async function placeOctetsOf(
    trx: Transaction<Schema>,
    hash: string | null | undefined,
  ): Promise<number> {
    const [place] = hash == null ? [] : await places.of(trx, [hash])
    return place === undefined ? 0 : placeOctets(place)
  }

  /** @param placed - As for the set. */
  async function publishLive(
    trx: Transaction<Schema>,
    environmentId: string,
    grown?: string,
    placed?: readonly PlacedProxy[],
  ): ReturnType<Publisher['publishLive']> {
    const environment = await trx
      .selectFrom('environments')
      .select('name')
      .where('id', '=', environmentId)
      .executeTakeFirstOrThrow()
    const { data, body, uses } = await liveDataOf(trx, environmentId, environment.name)
    const excess = grown === undefined ? undefined : excessOf(grown, environment.name, uses)
    if (excess !== undefined) return failed(excess)
    const checked = checkLiveData(data)
    if (!checked.ok) return checked
    if (Buffer.byteLength(body) > maxLiveBytes) {
      return failed({ code: 'document-too-large', path: '', maximum: maxLiveBytes })
    }
    const hash = sha256Hex(body)
    const before = await trx
      .selectFrom('live_states')
      .select('hash')
      .where('environment_id', '=', environmentId)
      .executeTakeFirst()
    if (before?.hash === hash) return success(undefined)
    const { name, sequence } = await nextSequence(trx, environmentId)
    const signed = signDocument(
      {
        version: 1,
        kind: 'live',
        environment: name,
        hash,
        sequence,
        issuedAt: now().toISOString(),
      },
      signingKey,
    )
    const row = { hash, sequence, signed: JSON.stringify(signed), body }
    await trx
      .insertInto('live_states')
      .values({ environment_id: environmentId, ...row })
      .onConflict((conflict) => conflict.column('environment_id').doUpdateSet(row))
      .execute()
    await publishSet(trx, environmentId, placed)
    await store.notify(trx, name)
    return success({ environment: name, hash, sequence })
  }

  async function publishLiveOf(
    trx: Transaction<Schema>,
    kind: OwnerKind,
    ownerId: string,
    change: 'grows' | 'shrinks' = 'grows',
  ): ReturnType<Publisher['publishLiveOf']> {
    const all: Published[] = []
    const project = await projectOf(trx, kind, ownerId)
    for (const environmentId of await environmentsRunning(trx, kind, ownerId)) {
      const published = await publishLive(
        trx,
        environmentId,
        change === 'grows' ? project : undefined,
      )
      if (!published.ok) return published
      all.push(published.value ?? (await publishedLive(trx, environmentId)))
    }
    return success(all)
  }

  return { publishEmpty, publishSnapshot, publishLive, publishLiveOf }
}

/** With the names: a project may have got a longer one. */
function placeOctets({ project, apiProxy, hosts, basePath }: PlaceOfSnapshot): number {
  return Buffer.byteLength(JSON.stringify({ project, apiProxy, hosts, basePath }))
}

function failureOf(snapshot: Snapshot): DeploymentFailure | undefined {
  const checked = checkSnapshot(snapshot)
  return checked.ok ? usabilityFailure(snapshot) : checked.failure
}

async function writeSnapshot(trx: Transaction<Schema>, snapshot: Snapshot): Promise<string> {
  const hash = hashOf(snapshot)
  await trx
    .insertInto('snapshots')
    .values({ hash, body: canonicalJson(snapshot) })
    .onConflict((conflict) => conflict.column('hash').doNothing())
    .execute()
  return hash
}

/** Identifiers of the environments in which a proxy, or any proxy of a project, is deployed. */
export async function environmentsRunning(
  trx: Transaction<Schema>,
  kind: OwnerKind,
  ownerId: string,
): Promise<readonly string[]> {
  const rows = await trx
    .selectFrom('pointers')
    .innerJoin('api_proxies', 'api_proxies.id', 'pointers.api_proxy_id')
    .select('pointers.environment_id')
    .distinct()
    .where('pointers.hash', 'is not', null)
    .where(kind === 'project' ? 'api_proxies.project_id' : 'api_proxies.id', '=', ownerId)
    .orderBy('pointers.environment_id')
    .execute()
  return rows.map((row) => row.environment_id)
}

async function projectOf(
  trx: Transaction<Schema>,
  kind: OwnerKind,
  ownerId: string,
): Promise<string | undefined> {
  const projects = trx.selectFrom('projects').select('projects.name')
  const row = await (kind === 'project'
    ? projects.where('projects.id', '=', ownerId)
    : projects
        .innerJoin('api_proxies', 'api_proxies.project_id', 'projects.id')
        .where('api_proxies.id', '=', ownerId)
  ).executeTakeFirst()
  return row?.name
}

/** Live data that are as they were: where something runs, there are some. */
async function publishedLive(trx: Transaction<Schema>, environmentId: string): Promise<Published> {
  return await trx
    .selectFrom('live_states')
    .innerJoin('environments', 'environments.id', 'live_states.environment_id')
    .select(['environments.name as environment', 'live_states.hash', 'live_states.sequence'])
    .where('live_states.environment_id', '=', environmentId)
    .executeTakeFirstOrThrow()
}

/** Why the project may not have so much. */
function excessOf(
  project: string,
  environment: string,
  uses: ReadonlyMap<string, LiveUse>,
): DeploymentFailure | undefined {
  const code = 'live-data-too-large'
  const own = overProjectLimit(uses.get(project) ?? {})
  if (own !== undefined) {
    return { code, path: '', of: own, whose: 'project', maximum: liveLimits[own].perProject }
  }
  const shared = overSharedLimit(project, uses)
  if (shared === undefined) return undefined
  const maximum = liveLimits[shared].shared
  return { code, path: environment, of: shared, whose: 'environment', maximum }
}

/** Everything that the running proxies and their projects have, in an order of its own: equal rows have an equal hash. */
async function liveDataOf(
  trx: Transaction<Schema>,
  environmentId: string,
  environment: string,
): Promise<{
  readonly data: LiveData
  /** In canonical form. */
  readonly body: string
  /** By project. */
  readonly uses: ReadonlyMap<string, LiveUse>
}> {
  const running = await trx
    .selectFrom('pointers')
    .innerJoin('api_proxies', 'api_proxies.id', 'pointers.api_proxy_id')
    .innerJoin('projects', 'projects.id', 'api_proxies.project_id')
    .select([
      'api_proxies.id as proxyId',
      'api_proxies.name as apiProxy',
      'projects.id as projectId',
      'projects.name as project',
    ])
    .where('pointers.environment_id', '=', environmentId)
    .where('pointers.hash', 'is not', null)
    .execute()
  const scopes = new Map<string, Scope>()
  for (const { proxyId, apiProxy, projectId, project } of running) {
    scopes.set(`proxy ${proxyId}`, { project, apiProxy })
    scopes.set(`project ${projectId}`, { project, apiProxy: null })
  }
  const lists = await trx
    .selectFrom('crls')
    .select(['owner_kind', 'owner_id', 'sha256', sql<number>`length(der)`.as('octets')])
    .execute()
  const entries = await trx
    .selectFrom('kill_entries')
    .select(['owner_kind', 'owner_id', 'entry', 'expires'])
    .execute()
  const scoped = <R extends { readonly owner_kind: OwnerKind; readonly owner_id: string }, T>(
    rows: readonly R[],
    read: (row: R) => T,
  ): Written<T & Scope>[] =>
    sorted(
      rows.flatMap((row) => {
        const scope = scopes.get(`${row.owner_kind} ${row.owner_id}`)
        return scope === undefined ? [] : [{ ...scope, ...read(row) }]
      }),
    )
  const crls = scoped(lists, ({ sha256 }) => ({ sha256 }))
  const killList = scoped(entries, killEntryOf)
  const octets = new Map(lists.map((one) => [one.sha256, Number(one.octets)]))
  // Written once: there may be a great many.
  const frame = canonicalJson({ version: 1, environment, crls: [], killList: [] })
  const list = (items: readonly Written<unknown>[]): string =>
    `[${items.map(({ text }) => text).join()}]`
  return {
    data: {
      version: 1,
      environment,
      crls: crls.map(({ item }) => item),
      killList: killList.map(({ item }) => item),
    },
    body: frame
      .replace('"crls":[]', () => `"crls":${list(crls)}`)
      .replace(/"killList":\[\](?=,"version":1\}$)/, () => `"killList":${list(killList)}`),
    uses: liveUseOf({ crls, killList }, (sha256) => octets.get(sha256) ?? 0),
  }
}

interface Scope {
  readonly project: string
  readonly apiProxy: string | null
}

function killEntryOf(row: { readonly entry: string; readonly expires: string | null }): {
  readonly entry: KillEntryJson
} {
  const entry = JSON.parse(row.entry) as KillEntryJson
  return row.expires === null ? { entry } : { entry: { expires: row.expires, ...entry } }
}

function sorted<T>(items: readonly T[]): Written<T>[] {
  const written = items.map((item) => ({ item, text: canonicalJson(item) }))
  return written.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
}
