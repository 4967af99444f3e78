/** What all requests share. @module */

import type { GatewayOutcome } from '../channel/reports.ts'
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
  /** As `settle`, for CRLs and kill list entries of a project. */
  readonly settleLive: (
    announced: readonly AnnouncedLive[],
    project: string,
  ) => Promise<readonly EnvironmentResult[]>
  /** Requests with an Idempotency-Key that are not answered yet. */
  readonly running: Map<string, Promise<Answer>>
}

/** Live data of an environment under their number. */
export interface AnnouncedLive {
  readonly environment: string
  readonly sequence: number
}

/** @param waitMs - At most, for all environments together. */
export function settler(
  channel: Channel,
  waitMs: number,
  metrics: ManagementMetrics | undefined,
): Pick<Manager, 'settle' | 'settleLive'> {
  return {
    settle: async (stored) =>
      await Promise.all(
        stored.map(async ({ environmentName, success, message, sequence }) => {
          const result =
            sequence === undefined
              ? { environmentName, success, message }
              : {
                  environmentName,
                  ...said(await channel.waitForReports(environmentName, sequence, waitMs), waitMs, {
                    done: 'Deployment successful',
                    unheard: 'Deployment successful',
                  }),
                }
          metrics?.deployed(result.success)
          return result
        }),
      ),
    settleLive: async (announced, project) =>
      await Promise.all(
        announced.map(async ({ environment, sequence }) => {
          const outcomes = await channel.waitForLive(environment, sequence, project, waitMs)
          const words = { done: 'In force', unheard: 'Stored' }
          return { environmentName: environment, ...said(outcomes, waitMs, words) }
        }),
      ),
  }
}

/** What gateways said, in words. */
function said(
  outcomes: readonly GatewayOutcome[],
  waitMs: number,
  words: { readonly done: string; readonly unheard: string },
): Omit<EnvironmentResult, 'environmentName'> {
  if (outcomes.length === 0) {
    const message = `${words.unheard}; no gateway is connected, it takes effect when one is`
    return { success: true, message }
  }
  const refused = outcomes.filter(({ outcome }) => outcome === 'problem')
  const silent = outcomes.filter(({ outcome }) => outcome === 'not-in-time')
  if (refused.length === 0 && silent.length === 0) return { success: true, message: words.done }
  const texts = [
    ...refused.map((one) => `gateway ${one.gateway} refused it: ${one.code}, ${one.message}`),
    ...silent.map((one) => `gateway ${one.gateway} has not answered within ${waitMs / 1000} s`),
  ]
  const shown = texts.slice(0, maxShown).join('; ')
  const more = texts.length > maxShown ? `; and ${texts.length - maxShown} more` : ''
  return {
    success: false,
    message: `Stored, but not in force on ${texts.length} of ${outcomes.length} gateways: ${shown}${more}`,
  }
}

const maxShown = 5
