/** Waiting for what is being fetched, no longer than the caller wants. @module */

import type { AsyncHandlers } from '../effect/effect.ts'

/** The async answer to `wait`: the platform's timer, cleared when everything has settled before. */
export const waitForAll: AsyncHandlers['wait'] = ({ until, milliseconds }) =>
  new Promise((resolve) => {
    const begin = performance.now()
    const end = (): void => resolve(performance.now() - begin)
    const timer = setTimeout(end, milliseconds)
    // What was rejected has settled too; what it says is learned from what is there afterwards.
    void Promise.allSettled(until).then(() => {
      clearTimeout(timer)
      end()
    })
  })
