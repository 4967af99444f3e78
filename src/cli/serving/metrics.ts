/** Where metrics of a process go. @module */

import type { Registry } from 'prom-client'

export interface Metrics {
  readonly client: typeof import('prom-client')
  readonly register: Registry
}

/** A registry of its own, with what Node tells of the process. */
export async function newRegistry(): Promise<Metrics> {
  const { default: client } = await import('prom-client')
  const register = new client.Registry()
  client.collectDefaultMetrics({ register })
  return { client, register }
}
