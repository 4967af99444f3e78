/**
 * Deployments that were stored and never answered for, since their manager was ended in between: what gateways report about them is asked
 * by the next manager that starts, and by those that run.
 *
 * @module
 */

import { openDeployments, writeResults } from '../service/deployments.ts'
import { StoreUnavailable } from '../store/store.ts'
import type { Manager } from './manager.ts'

/**
 * Begins with all that there are, once gateways have had time to come back; then looks from time to time for what another manager has left.
 *
 * @param waitMs - For which a request waits: who has made a deployment is given that and some more.
 * @returns Ends it; what it waits for is left to the next one.
 */
export function settleOpenDeployments(
  { store, settle, now, onError }: Pick<Manager, 'store' | 'settle' | 'now' | 'onError'>,
  waitMs: number,
): () => void {
  let isEnded = false
  let isBusy = false
  const look = async (before: Date): Promise<void> => {
    if (isBusy) return
    isBusy = true
    try {
      const open = await openDeployments(store.db, before)
      if (open.length === 0 || isEnded) return
      const results = await settle(open)
      if (isEnded) return
      await writeResults(store.db, open, results)
    } catch (error) {
      // The store is away, or was closed under us: they stay open, and are found again.
      if (!isEnded && !(error instanceof StoreUnavailable)) onError(error)
    } finally {
      isBusy = false
    }
  }
  // Whoever else still waits for one of these comes to the same result.
  const before = new Date(now().getTime() + 1)
  const first = setTimeout(() => void look(before), comeBackMs)
  first.unref()
  const timer = setInterval(() => {
    void look(new Date(now().getTime() - waitMs - patienceMs))
  }, lookAgainMs)
  timer.unref()
  return () => {
    isEnded = true
    clearTimeout(first)
    clearInterval(timer)
  }
}

/** Longer than a gateway waits before it tries again. */
const comeBackMs = 5000
const lookAgainMs = 30_000
const patienceMs = 10_000
