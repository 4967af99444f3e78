/** What all requests share. @module */

import type { Channel } from '../channel/routes.ts'
import type { EnvironmentResult } from '../resources.ts'
import type { Deployer, StoredDeployment } from '../service/deployments.ts'
import type { Store } from '../store/store.ts'
import type { Answer } from './answer.ts'
import type { ManagementMetrics } from './metrics.ts'

export interface Manager {
  readonly store: Store
  readonly deployer: Deployer
  readonly now: () => Date
  /** Told of what went wrong after the answer was settled. */
  readonly onError: (error: unknown) => void
  /** Waits for the gateways that are connected. */
  readonly settle: (stored: readonly StoredDeployment[]) => Promise<readonly EnvironmentResult[]>
  /** Requests with an Idempotency-Key that are not answered yet. */
  readonly running: Map<string, Promise<Answer>>
}

/** @param waitMs - At most, for all environments together. */
export function settler(
  channel: Channel,
  waitMs: number,
  metrics: ManagementMetrics | undefined,
): Manager['settle'] {
  return async (stored) =>
    await Promise.all(
      stored.map(async (one) => {
        const result = await settleOne(channel, one, waitMs)
        metrics?.deployed(result.success)
        return result
      }),
    )
}

async function settleOne(
  channel: Channel,
  { environmentName, success, message, sequence }: StoredDeployment,
  waitMs: number,
): Promise<EnvironmentResult> {
  if (sequence === undefined) return { environmentName, success, message }
  const outcomes = await channel.waitForReports(environmentName, sequence, waitMs)
  if (outcomes.length === 0) {
    return {
      environmentName,
      success: true,
      message: 'Deployment successful; no gateway is connected, it takes effect when one is',
    }
  }
  const refused = outcomes.filter(({ outcome }) => outcome === 'problem')
  const silent = outcomes.filter(({ outcome }) => outcome === 'not-in-time')
  if (refused.length === 0 && silent.length === 0) {
    return { environmentName, success: true, message: 'Deployment successful' }
  }
  const texts = [
    ...refused.map((one) => `gateway ${one.gateway} refused it: ${one.code}, ${one.message}`),
    ...silent.map((one) => `gateway ${one.gateway} has not answered within ${waitMs / 1000} s`),
  ]
  const shown = texts.slice(0, maxShown).join('; ')
  const more = texts.length > maxShown ? `; and ${texts.length - maxShown} more` : ''
  return {
    environmentName,
    success: false,
    message: `Stored, but not in force on ${texts.length} of ${outcomes.length} gateways: ${shown}${more}`,
  }
}

const maxShown = 5
