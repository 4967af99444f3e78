/**
 * One seed for every property test, so that a failure in CI is the failure at the desk. `SLOW=1` takes a new seed and
 * many more runs; `FC_SEED` repeats one of those.
 *
 * @module
 */
import fc from 'fast-check'

const slow = process.env.SLOW === '1'
const seed = process.env.FC_SEED === undefined ? undefined : Number(process.env.FC_SEED)

fc.configureGlobal(
  slow
    ? { numRuns: 5_000, ...(seed === undefined ? {} : { seed }) }
    : { numRuns: 100, seed: seed ?? 20_261_123 },
)
