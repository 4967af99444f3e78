/** A gateway that runs what its manager deploys. @module */

import type { Registry } from 'prom-client'
import { createGateway, type Gateway, type ListenerOptions } from '../../gateway/index.ts'
import { createSubscription, type Subscription } from '../../gateway/subscription/index.ts'
import type { Logger } from './logger.ts'
import { type Metrics, newRegistry } from './metrics.ts'

export interface RunGatewayOptions {
  readonly environment: string
  readonly managerUrl: string
  readonly token: string | (() => string)
  /** Name of this gateway. */
  readonly name: string
  /** PEM. */
  readonly publicKey: string
  readonly folder: string
  /** CAs of the manager, PEM; `undefined`: those that Node trusts. */
  readonly ca: string | undefined
  readonly listeners: readonly ListenerOptions[]
  readonly logger: Logger
  /** Default: one of its own. */
  readonly metrics?: Metrics
}

export interface RunningGateway {
  readonly gateway: Gateway
  readonly subscription: Subscription
  readonly registry: Registry
  /** Whether it ends what is under way, and should get nothing more. */
  readonly isDraining: () => boolean
  /** Ends what is under way, within 30 seconds. */
  readonly stop: () => Promise<void>
}

/** Opens the listeners, and follows the manager; what is on disk is in force until it answers. */
export async function runGateway(options: RunGatewayOptions): Promise<RunningGateway> {
  const { environment, managerUrl, token, name, publicKey, folder, ca, listeners, logger } = options
  const { client, register: registry } = options.metrics ?? (await newRegistry())
  const alarms = new client.Counter({
    name: 'mtls_policy_gateway_alarms_total',
    help: 'What the manager sent and was refused, or could not be had',
    labelNames: ['code'],
    registers: [registry],
  })
  const gateway = await createGateway({
    listeners,
    logger,
    metrics: { client, register: registry },
  })
  try {
    const subscription = createSubscription({
      managerUrl,
      token,
      environment,
      gateway: name,
      publicKey,
      folder,
      ca,
      onState: (state) => gateway.apply(state),
      onAlarm: (alarm) => {
        alarms.inc({ code: alarm.code })
        logger.warn({ ...alarm }, 'alarm: what is in force stays')
      },
    })
    const lastContact = new client.Gauge({
      name: 'mtls_policy_gateway_manager_contact_seconds',
      help: 'Unix time of the last answer of the manager',
      registers: [registry],
      collect() {
        this.set(Math.floor((subscription.status().lastContact ?? 0) / 1000))
      },
    })
    void lastContact
    let isDraining = false
    return {
      gateway,
      subscription,
      registry,
      isDraining: () => isDraining,
      stop: async () => {
        isDraining = true
        await gateway.drain()
        await subscription.close()
      },
    }
  } catch (error) {
    await gateway.close()
    throw error
  }
}
