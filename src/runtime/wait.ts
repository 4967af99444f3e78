/** Waiting for what is being fetched, no longer than the caller wants. @module */

import type { AsyncHandlers } from '../effect/effect.ts'

/** The async answer to `wait`: the platform's timer, cleared when everything has settled before. */
export const waitForAll: AsyncHandlers['wait'] = ({ until, milliseconds }) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds, undefined)
    // What was rejected has settled too; what it says is learned from what is there afterwards.
    void Promise.allSettled(until).then(() => {
      clearTimeout(timer)
      resolve(undefined)
    })
  })
