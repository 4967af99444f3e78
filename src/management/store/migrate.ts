/** Brings the schema of a store up to date. @module */
import { type Kysely, sql, type Transaction } from 'kysely'
import { migrations, type Types } from './migrations.ts'
import type { Schema } from './schema.ts'
import { StoreTooNew } from './store.ts'

/**
 * Runs the migrations that are missing, each in one transaction with its number. Many may call it at once: transactions wait for each
 * other, and each looks at the number again. What a crash interrupted was undone, and is run by the next call.
 *
 * @returns The schema that the store has now.
 * @throws {StoreTooNew} When a newer version of the program has written it; nothing was changed.
 */
export async function migrate(
  transaction: <T>(work: (trx: Transaction<Schema>) => Promise<T>) => Promise<T>,
  types: Types,
  known: typeof migrations = migrations,
): Promise<number> {
  for (;;) {
    const done = await transaction(async (trx) => {
      const found = await schemaVersion(trx, types)
      if (found > known.length) throw new StoreTooNew(found, known.length)
      const next = known[found]
      if (!next) return found
      for (const statement of next(types)) await sql.raw(statement).execute(trx)
      await trx
        .insertInto('meta')
        .values({ key, value: String(found + 1) })
        .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: String(found + 1) }))
        .execute()
      return undefined
    })
    if (done !== undefined) return done
  }
}

async function schemaVersion(db: Kysely<Schema>, { text, table }: Types): Promise<number> {
  await sql
    .raw(
      `create table if not exists meta (key ${text} primary key, value ${text} not null) ${table}`,
    )
    .execute(db)
  const row = await db.selectFrom('meta').select('value').where('key', '=', key).executeTakeFirst()
  return row ? Number(row.value) : 0
}

const key = 'schema-version'
