/**
 * What every store promises, over SQLite and PostgreSQL.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { sql } from 'kysely'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { migrate } from '../../../src/management/store/migrate.ts'
import {
  type Migration,
  migrations,
  postgresTypes,
  sqliteTypes,
} from '../../../src/management/store/migrations.ts'
import { openStore } from '../../../src/management/store/open.ts'
import { type Store, StoreConflict } from '../../../src/management/store/store.ts'
import { bundleProgram, startStores } from './stores.ts'

const tested = await startStores('the store over PostgreSQL')
afterAll(() => tested.remove(), 60_000)

const project = (name: string) => ({ id: crypto.randomUUID(), name, description: '', version: 1 })
const environment = (name: string) => ({ id: crypto.randomUUID(), name, sequence: 0 })
const codeOf = (error: unknown) => (error as { code?: unknown }).code

/** The code with which `promise` rejects. */
async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => 'resolved', codeOf)
}

describe.each(tested.stores)('the store over $kind', ({ kind, missing, createUrl }) => {
  describe.skipIf(missing)('here', async () => {
    const url = missing ? '' : await createUrl()
    const store = missing ? (undefined as unknown as Store) : await openStore({ url })
    afterAll(() => store?.close())

    const names = async (prefix: string): Promise<string[]> =>
      (
        await store.db
          .selectFrom('projects')
          .select('name')
          .where('name', 'like', `${prefix}%`)
          .orderBy('name')
          .execute()
      ).map(({ name }) => name)

    test('says which it is', () => {
      expect(store.kind).toBe(kind)
    })

    test('gives back what it was given: text, numbers, null and bytes', async () => {
      const der = Uint8Array.from({ length: 256 }, (_, index) => index)
      const row = {
        id: crypto.randomUUID(),
        owner_kind: 'project' as const,
        owner_id: 'p',
        issuer: "CN=Ünïcode '; drop table crls; -- 漢字 🔑",
        this_update: '2026-01-01T00:00:00.000Z',
        next_update: null,
        sha256: 'ab'.repeat(32),
        der,
      }
      await store.db.insertInto('crls').values(row).execute()
      const found = await store.db
        .selectFrom('crls')
        .selectAll()
        .where('id', '=', row.id)
        .executeTakeFirstOrThrow()
      expect({ ...found, der: [...found.der] }).toEqual({ ...row, der: [...der] })
      expect(found.der).toBeInstanceOf(Uint8Array)
    })

    test('numbers up to 2^53 are numbers, and so are counts and sums', async () => {
      const big = { ...environment('big'), sequence: Number.MAX_SAFE_INTEGER - 1 }
      await store.db.insertInto('environments').values(big).execute()
      const found = await store.db
        .selectFrom('environments')
        .select((e) => ['sequence', e.fn.countAll<number>().as('count')])
        .select((e) => e.fn.sum<number>('sequence').as('sum'))
        .where('id', '=', big.id)
        .groupBy('sequence')
        .executeTakeFirstOrThrow()
      expect(found).toEqual({ sequence: big.sequence, count: 1, sum: big.sequence })
    })

    test('sorts text by its bytes', async () => {
      for (const name of ['sort-ä', 'sort-Z', 'sort-a', 'sort-_', 'sort-É', 'sort-B']) {
        await store.db.insertInto('projects').values(project(name)).execute()
      }
      const sorted = ['sort-B', 'sort-Z', 'sort-_', 'sort-a', 'sort-É', 'sort-ä']
      expect(await names('sort-')).toEqual(sorted)
    })

    test('says how many rows a statement changed, and returns those it is asked for', async () => {
      const one = project('changes-1')
      const inserted = await store.db
        .insertInto('projects')
        .values([one, project('changes-2')])
        .returning(['name', 'version'])
        .execute()
      expect(inserted).toEqual([
        { name: 'changes-1', version: 1 },
        { name: 'changes-2', version: 1 },
      ])
      const update = (version: number) =>
        store.db
          .updateTable('projects')
          .set({ version: version + 1 })
          .where('id', '=', one.id)
          .where('version', '=', version)
          .executeTakeFirst()
      expect((await update(1)).numUpdatedRows).toBe(1n)
      expect((await update(1)).numUpdatedRows).toBe(0n)
      const { numDeletedRows } = await store.db
        .deleteFrom('projects')
        .where('name', 'like', 'changes-%')
        .executeTakeFirst()
      expect(numDeletedRows).toBe(2n)
    })

    test('a name that is taken is a conflict, and so is a reference to nothing', async () => {
      await store.db.insertInto('projects').values(project('taken')).execute()
      const again = store.db.insertInto('projects').values(project('taken')).execute()
      await expect(again).rejects.toBeInstanceOf(StoreConflict)
      expect(await rejection(again)).toBe('store-unique')
      const proxy = { id: 'x', project_id: 'nothing', name: 'x', document: '{}', version: 1 }
      const orphan = store.db.insertInto('api_proxies').values(proxy).execute()
      expect(await rejection(orphan)).toBe('store-reference')
      const without = { ...project('without'), description: null as unknown as string }
      const incomplete = store.db.insertInto('projects').values(without).execute()
      expect(await rejection(incomplete)).toBe('store-constraint')
    })

    test('a proxy and its policies go with their project', async () => {
      const parent = project('cascade')
      await store.db.insertInto('projects').values(parent).execute()
      const proxy = { id: 'proxy', project_id: parent.id, name: 'p', document: '{}', version: 1 }
      await store.db.insertInto('api_proxies').values(proxy).execute()
      const policy = {
        id: 'policy',
        api_proxy_id: proxy.id,
        name: 'n',
        pipeline: 'REQUEST',
        scope: 'ALL',
        endpoint: null,
        method: null,
        position: 0,
        document: '{}',
        version: 1,
      }
      await store.db.insertInto('policies').values(policy).execute()
      const twice = { ...policy, id: 'other', pipeline: 'ERROR' }
      const same = store.db.insertInto('policies').values(twice).execute()
      expect(await rejection(same)).toBe('store-unique')
      await store.db.deleteFrom('projects').where('id', '=', parent.id).execute()
      expect(await store.db.selectFrom('policies').selectAll().execute()).toEqual([])
    })

    test('text with U+0000 is refused by both', async () => {
      const nul = store.db.insertInto('projects').values(project('nul\0')).execute()
      expect(await rejection(nul)).toBe('store-text-nul')
    })

    test('a statement that is wrong is an error of its own, and the next one runs', async () => {
      const code = await rejection(sql`select nothing from nowhere`.execute(store.db))
      expect(code).toBe(kind === 'sqlite' ? 'SQLITE_ERROR' : '42P01')
      expect(await names('never')).toEqual([])
    })

    describe('a transaction', () => {
      test('is all or nothing', async () => {
        const failure = new Error('of the work')
        const work = store.transaction(async (trx) => {
          await trx.insertInto('projects').values(project('undone-1')).execute()
          await trx.insertInto('projects').values(project('undone-2')).execute()
          throw failure
        })
        await expect(work).rejects.toBe(failure)
        expect(await names('undone')).toEqual([])
      })

      test('sees what it wrote, and nobody else does before it commits', async () => {
        await store.transaction(async (trx) => {
          await trx.insertInto('projects').values(project('unseen')).execute()
          const own = await trx
            .selectFrom('projects')
            .select('name')
            .where('name', '=', 'unseen')
            .execute()
          expect(own).toHaveLength(1)
          expect(await names('unseen')).toEqual([])
        })
        expect(await names('unseen')).toEqual(['unseen'])
      })

      test('once a statement of it failed, nothing of it stays, though the work goes on', async () => {
        await store.db.insertInto('projects').values(project('half-taken')).execute()
        const work = store.transaction(async (trx) => {
          await trx.insertInto('projects').values(project('half-new')).execute()
          const taken = trx.insertInto('projects').values(project('half-taken')).execute()
          expect(await rejection(taken)).toBe('store-unique')
        })
        expect(await rejection(work)).toBe('store-unique')
        expect(await names('half')).toEqual(['half-taken'])
      })

      test('of 40 that raise one number at once, none is lost', async () => {
        const counted = environment('counted')
        await store.db.insertInto('environments').values(counted).execute()
        const other = await openStore({ url, dangerouslyShared: true })
        const raise = async (by: Store): Promise<number> =>
          by.transaction(async (trx) => {
            const { sequence } = await trx
              .selectFrom('environments')
              .select('sequence')
              .where('id', '=', counted.id)
              .executeTakeFirstOrThrow()
            await trx
              .updateTable('environments')
              .set({ sequence: sequence + 1 })
              .where('id', '=', counted.id)
              .execute()
            return sequence + 1
          })
        const given = await Promise.all(
          Array.from({ length: 40 }, (_, index) => raise(index % 2 ? store : other)),
        )
        expect(given.sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
        await other.close()
      })

      test('of two who change one version, one finds it changed', async () => {
        const row = project('version')
        await store.db.insertInto('projects').values(row).execute()
        const change = (description: string): Promise<string> =>
          store.transaction(async (trx) => {
            const { version } = await trx
              .selectFrom('projects')
              .select('version')
              .where('id', '=', row.id)
              .executeTakeFirstOrThrow()
            if (version !== 1) return 'changed'
            await trx
              .updateTable('projects')
              .set({ description, version: 2 })
              .where('id', '=', row.id)
              .execute()
            return description
          })
        const results = await Promise.all([change('first'), change('second')])
        expect(results.sort()).toEqual(['changed', expect.stringMatching(/first|second/u)])
      })

      test('takes its turn', async () => {
        const order: number[] = []
        await Promise.all(
          [1, 2, 3, 4, 5].map((turn) =>
            store.transaction(async (trx) => {
              order.push(turn)
              await trx.selectFrom('projects').select('id').limit(1).execute()
              order.push(turn)
            }),
          ),
        )
        expect(order).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
      })

      test('takes statements at once, and warns of nothing', async () => {
        const warnings: unknown[] = []
        const warn = (warning: unknown) => warnings.push(warning)
        process.on('warning', warn)
        const rows = Array.from({ length: 10 }, (_, index) => project(`at-once-${index}`))
        await store.transaction(async (trx) => {
          await Promise.all(rows.map((row) => trx.insertInto('projects').values(row).execute()))
        })
        process.off('warning', warn)
        expect(await names('at-once')).toHaveLength(10)
        expect(warnings).toEqual([])
      })

      test('is not waited for by those who read', async () => {
        await store.transaction(async (trx) => {
          await trx.insertInto('projects').values(project('reader')).execute()
          await Promise.all(Array.from({ length: 20 }, () => names('reader')))
        })
      })

      test('in a transaction, or a write past it, is misuse and not a deadlock', async () => {
        const nested = store.transaction(() => store.transaction(async () => {}))
        expect(await rejection(nested)).toBe('store-transaction-nested')
        const past = store.transaction(async (trx) => {
          await trx.insertInto('projects').values(project('past-1')).execute()
          await store.db.insertInto('projects').values(project('past-2')).execute()
        })
        expect(await rejection(past)).toBe('store-transaction-nested')
        expect(await names('past')).toEqual([])
      })

      test('that takes too long is undone, and the next one runs', async () => {
        const hasty = await openStore({ url, transactionMs: 150, dangerouslyShared: true })
        let late: Promise<unknown> | undefined
        const work = hasty.transaction(async (trx) => {
          await trx.insertInto('projects').values(project('late-1')).execute()
          await new Promise((resolve) => setTimeout(resolve, 400))
          late = rejection(trx.insertInto('projects').values(project('late-2')).execute())
        })
        await expect(work).rejects.toMatchObject({
          code: 'store-unavailable',
          reason: 'transaction-timeout',
          outcome: 'not-written',
        })
        await hasty.transaction(async (trx) => {
          await trx.insertInto('projects').values(project('late-3')).execute()
        })
        await vi.waitFor(() => expect(late).toBeDefined())
        expect(await late).not.toBe('resolved')
        expect(await names('late')).toEqual(['late-3'])
        await hasty.close()
      })

      test('that is over takes no more statements', async () => {
        let straggler: Promise<unknown> | undefined
        await store.transaction(async (trx) => {
          await trx.selectFrom('projects').select('id').limit(1).execute()
          straggler = new Promise((resolve) => setTimeout(resolve, 30)).then(() =>
            rejection(trx.insertInto('projects').values(project('straggler')).execute()),
          )
        })
        expect(await straggler).not.toBe('resolved')
        expect(await names('straggler')).toEqual([])
      })
    })

    describe('a notice', () => {
      const heard: string[] = []
      const stop = store?.onChange((name) => heard.push(name))
      afterAll(() => stop?.())

      test('comes after the commit, once for an environment', async () => {
        const before: string[] = []
        await store.transaction(async (trx) => {
          await trx.insertInto('projects').values(project('notice')).execute()
          await store.notify(trx, 'production')
          await store.notify(trx, 'staging')
          await store.notify(trx, 'production')
          before.push(...heard)
        })
        await vi.waitFor(() => expect(heard).toContain('staging'))
        expect(before).toEqual([])
        expect(heard).toEqual(['production', 'staging'])
      })

      test('does not come when nothing was written', async () => {
        heard.length = 0
        const work = store.transaction(async (trx) => {
          await store.notify(trx, 'undone')
          throw new Error('of the work')
        })
        expect(await rejection(work)).toBeUndefined()
        await store.transaction((trx) => store.notify(trx, 'done'))
        await vi.waitFor(() => expect(heard).toEqual(['done']))
      })

      test('finds what it is about', async () => {
        let found: Promise<string[]> | undefined
        const end = store.onChange(() => {
          found = names('about')
        })
        await store.transaction(async (trx) => {
          await trx.insertInto('projects').values(project('about')).execute()
          await store.notify(trx, 'production')
        })
        await vi.waitFor(() => expect(found).toBeDefined())
        expect(await found).toEqual(['about'])
        end()
      })

      test('no longer comes to those who do not want it', async () => {
        let count = 0
        const listener = () => {
          count++
        }
        const [first, second] = [store.onChange(listener), store.onChange(listener)]
        await store.transaction((trx) => store.notify(trx, 'production'))
        await vi.waitFor(() => expect(count).toBe(2))
        first()
        await store.transaction((trx) => store.notify(trx, 'production'))
        await vi.waitFor(() => expect(count).toBe(3))
        second()
        heard.length = 0
        await store.transaction((trx) => store.notify(trx, 'production'))
        await vi.waitFor(() => expect(heard).toHaveLength(1))
        expect(count).toBe(3)
      })

      test('is of a transaction of this store', async () => {
        const foreign = store.db.transaction().execute((trx) => store.notify(trx, 'production'))
        await expect(foreign).rejects.toBeInstanceOf(TypeError)
      })
    })

    describe('the schema', () => {
      const types = kind === 'sqlite' ? sqliteTypes : postgresTypes
      const version = async (of: Store) =>
        (await of.db.selectFrom('meta').select('value').executeTakeFirstOrThrow()).value

      test('is made once by eight processes that start at once', async () => {
        const program = await bundleProgram('writer', tested.folder)
        const fresh = await createUrl()
        const codes = await Promise.all(
          Array.from({ length: 8 }, async () => {
            const child = spawn(process.execPath, [program, fresh, 'x', 'once'], {
              stdio: ['ignore', 'ignore', 'inherit'],
            })
            return (await once(child, 'exit'))[0]
          }),
        )
        expect(codes).toEqual(Array.from({ length: 8 }, () => 0))
        const opened = await openStore({ url: fresh })
        expect(await version(opened)).toBe(String(migrations.length))
        await opened.close()
      })

      test('of a newer program is refused and stays', async () => {
        const fresh = await createUrl()
        const first = await openStore({ url: fresh })
        await first.db.updateTable('meta').set({ value: '999' }).execute()
        await first.close()
        await expect(openStore({ url: fresh })).rejects.toMatchObject({
          code: 'store-too-new',
          found: 999,
          known: migrations.length,
        })
      })

      test('a migration that fails leaves nothing, and the next one finishes it', async () => {
        const opened = await openStore({ url: await createUrl() })
        const good: Migration = ({ text, table }) => [`create table extra (id ${text}) ${table}`]
        const bad: Migration = (words) => [...good(words), 'create table extra (id text)']
        const failed = migrate(opened.transaction, types, [...migrations, good, bad])
        expect(await rejection(failed)).not.toBe('resolved')
        expect(await version(opened)).toBe(String(migrations.length + 1))
        const next: Migration = () => ["insert into extra values ('x')"]
        const done = await migrate(opened.transaction, types, [...migrations, good, next])
        expect(done).toBe(migrations.length + 2)
        const { rows } = await sql`select id from extra`.execute(opened.db)
        expect(rows).toEqual([{ id: 'x' }])
        await opened.close()
      })
    })

    test('opens again with everything in it', async () => {
      await store.db.insertInto('projects').values(project('kept')).execute()
      const again = await openStore({ url, dangerouslyShared: true })
      const found = await again.db
        .selectFrom('projects')
        .select('name')
        .where('name', '=', 'kept')
        .execute()
      expect(found).toHaveLength(1)
      await again.close()
      await again.close()
    })

    test('closing waits for what has begun', async () => {
      const closing = await openStore({ url, dangerouslyShared: true })
      const work = closing.transaction(async (trx) => {
        await trx.insertInto('projects').values(project('closing-1')).execute()
        await trx.insertInto('projects').values(project('closing-2')).execute()
      })
      await Promise.all([work, closing.close()])
      expect(await names('closing')).toEqual(['closing-1', 'closing-2'])
    })

    test('who asks a store that is closed hears that it is away', async () => {
      const closed = await openStore({ url, dangerouslyShared: true })
      await closed.close()
      const away = { code: 'store-unavailable', reason: 'closed', outcome: 'not-written' }
      const read = closed.db.selectFrom('projects').select('name').execute()
      await expect(read).rejects.toMatchObject(away)
      const write = closed.db.insertInto('projects').values(project('closed')).execute()
      await expect(write).rejects.toMatchObject(away)
      await expect(closed.transaction(async () => 1)).rejects.toMatchObject(away)
      expect(await names('closed')).toEqual([])
    })
  })
})

test.each([
  '',
  'store.sqlite',
  'mysql://user:secret-word@host/db',
  'file:',
  'file::memory:',
  'file://host/path?secret-word',
  'postgres://user:secret-word@[::::]/db',
  'postgres://user:secret-word@host:port/db',
])('a URL that is none is misuse, and is not in the error: %s', async (url) => {
  const error: unknown = await openStore({ url }).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(TypeError)
  expect(codeOf(error)).toBe('store-url-invalid')
  const { message, stack } = error as Error
  expect(JSON.stringify([message, stack, error])).not.toContain('secret-word')
})
