/**
 * A program that writes until it is killed: `writer.ts URL RUN`. It prints `opening`, and after each commit the number of the pair of
 * projects that it wrote, `RUN-NUMBER-a` and `RUN-NUMBER-b`. Each pair is written by two statements of one transaction.
 *
 * With `once` after that it only opens the store and ends.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { openStore } from '../../../src/management/store/open.ts'
import { StoreUnavailable } from '../../../src/management/store/store.ts'

const [url = '', run = '', once] = process.argv.slice(2)
process.stdout.write('opening\n')
// Several make the schema at once; one that writes has the store for itself.
const store = await openStore(once === 'once' ? { url, dangerouslyShared: true } : { url })
if (once === 'once') {
  await store.close()
} else {
  let next = 0
  const write = async (): Promise<never> => {
    for (;;) {
      const pair = next++
      try {
        await store.transaction(async (trx) => {
          for (const half of ['a', 'b']) {
            const name = `${run}-${pair}-${half}`
            await trx
              .insertInto('projects')
              .values({ id: name, name, description: 'x'.repeat(pair % 5000), version: 1 })
              .execute()
          }
          await store.notify(trx, 'production')
        })
        process.stdout.write(`${pair}\n`)
      } catch (error) {
        // The database was killed; this program goes on when it is back.
        if (!(error instanceof StoreUnavailable)) throw error
        await sleep(20)
      }
    }
  }
  await Promise.all([write(), write(), write()])
}
