/** Signs what an environment consists of, after each change and in its transaction: gateways believe no pointer beside it. @module */

import type { Transaction } from 'kysely'
import type { SigningKey } from '../../deployment/keys.ts'
import { type Pointer, type Signed, signDocument } from '../../deployment/pointer.ts'
import type { SetEntry } from '../../deployment/set.ts'
import type { PlacedProxy } from '../../deployment/state-limits.ts'
import type { Places } from '../service/places.ts'
import type { Schema } from '../store/schema.ts'

export interface SetSigner {
  readonly signingKey: Pick<SigningKey, 'privateKey'>
  readonly places: Places
  readonly now: () => Date
}

/**
 * Under the number that the environment has by now; one that is new has 0.
 *
 * @param placed - Of {@link placedProxies}, when the transaction that has the environment's row has read them already.
 */
export async function signSet(
  trx: Transaction<Schema>,
  environmentId: string,
  { signingKey, places, now }: SetSigner,
  placed?: readonly PlacedProxy[],
): Promise<void> {
  // Changes nothing but who comes next: whoever publishes in this environment waits until this is committed.
  const { name: environment, sequence } = await trx
    .updateTable('environments')
    .set(({ ref }) => ({ sequence: ref('sequence') }))
    .where('id', '=', environmentId)
    .returning(['name', 'sequence'])
    .executeTakeFirstOrThrow()
  const live = await trx
    .selectFrom('live_states')
    .select(['hash', 'sequence'])
    .where('environment_id', '=', environmentId)
    .executeTakeFirst()
  const proxies = placed ?? (await placedProxies(trx, environmentId, places))
  const signed = signDocument(
    {
      version: 1,
      kind: 'set',
      environment,
      sequence: Number(sequence),
      issuedAt: now().toISOString(),
      proxies: proxies.map(({ entry }) => entry),
      live: live === undefined ? null : { hash: live.hash, sequence: Number(live.sequence) },
    },
    signingKey,
  )
  const row = { sequence: Number(sequence), signed: JSON.stringify(signed) }
  await trx
    .insertInto('environment_sets')
    .values({ environment_id: environmentId, ...row })
    .onConflict((conflict) => conflict.column('environment_id').doUpdateSet(row))
    .execute()
}

/** In the order of their numbers. A proxy that is made again under its name has the row that it had. */
export async function placedProxies(
  trx: Transaction<Schema>,
  environmentId: string,
  places: Places,
): Promise<readonly PlacedProxy[]> {
  const rows = await trx
    .selectFrom('pointers')
    .select(['hash', 'sequence', 'signed'])
    .where('environment_id', '=', environmentId)
    .orderBy('sequence')
    .execute()
  const running = rows.filter(({ hash }) => hash !== null)
  const found = await places.of(
    trx,
    running.flatMap(({ hash }) => hash ?? []),
  )
  // Of rows that the schema keeps: a place under the wrong proxy would be worse than none.
  if (found.length !== running.length) throw new Error('a pointer names no snapshot')
  const placeOf = new Map(running.map(({ sequence }, index) => [Number(sequence), found[index]]))
  return rows.map((row) => {
    const { project, apiProxy } = (JSON.parse(row.signed) as Signed<Pointer>).document
    const sequence = Number(row.sequence)
    const at = placeOf.get(sequence)
    const place = at === undefined ? null : { hosts: at.hosts, basePath: at.basePath }
    const entry: SetEntry = { project, apiProxy, hash: row.hash, sequence, place }
    return { entry, pointerOctets: Buffer.byteLength(row.signed) }
  })
}

/** Environments in which a version that signs no sets was the last to change something, or that it made. */
export async function environmentsWithoutSet(trx: Transaction<Schema>): Promise<readonly string[]> {
  const rows = await trx
    .selectFrom('environments')
    .leftJoin('environment_sets', 'environment_sets.environment_id', 'environments.id')
    .select('environments.id')
    .where(({ eb, exists, or, selectFrom }) =>
      or([
        eb('environment_sets.environment_id', 'is', null),
        exists(
          selectFrom('pointers')
            .select('pointers.sequence')
            .whereRef('pointers.environment_id', '=', 'environments.id')
            .whereRef('pointers.sequence', '>', 'environment_sets.sequence'),
        ),
        exists(
          selectFrom('live_states')
            .select('live_states.sequence')
            .whereRef('live_states.environment_id', '=', 'environments.id')
            .whereRef('live_states.sequence', '>', 'environment_sets.sequence'),
        ),
      ]),
    )
    .execute()
  return rows.map(({ id }) => id)
}
