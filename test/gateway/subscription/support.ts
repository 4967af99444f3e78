/** A subscriber in a folder of its own, with everything that it was told. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createSubscription,
  type StateResult,
  type SubscribedState,
  type Subscription,
  type SubscriptionAlarm,
  type SubscriptionOptions,
} from '../../../src/gateway/subscription/index.ts'
import { environment, token } from '../../management/channel/support.ts'

export interface TestSubscriber {
  readonly subscription: Subscription
  readonly folder: string
  readonly states: readonly SubscribedState[]
  readonly alarms: readonly SubscriptionAlarm[]
  /** API proxies of the last state with their numbers. */
  readonly runs: () => Readonly<Record<string, number>>
  readonly codes: () => readonly string[]
}

export async function makeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'mtls-policy-subscriber-'))
}

export function subscribe(
  folder: string,
  manager: { readonly url: string; readonly publicKey: string },
  options: Partial<SubscriptionOptions> & {
    readonly result?: (state: SubscribedState) => StateResult | undefined
  } = {},
): TestSubscriber {
  const states: SubscribedState[] = []
  const alarms: SubscriptionAlarm[] = []
  const { result = () => undefined, ...rest } = options
  const subscription = createSubscription({
    managerUrl: manager.url,
    publicKey: manager.publicKey,
    token,
    environment,
    gateway: 'gw-1',
    folder,
    onState: (state) => {
      states.push(state)
      return result(state)
    },
    onAlarm: (alarm) => alarms.push(alarm),
    times: { pollMs: 100, firstRetryMs: 20, maxRetryMs: 200, answerMs: 2000, graceMs: 100 },
    ...rest,
  })
  return {
    subscription,
    folder,
    states,
    alarms,
    runs: () =>
      Object.fromEntries(
        states.at(-1)?.proxies.map(({ snapshot, sequence }) => [snapshot.apiProxy, sequence]) ?? [],
      ),
    codes: () => [...new Set(alarms.map(({ code }) => code))].sort(),
  }
}

export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  milliseconds = 5000,
): Promise<void> {
  const end = Date.now() + milliseconds
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`not in time: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
}
