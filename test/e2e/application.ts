/** The application behind a proxy: Express with our middleware, which says whom it let in. @module */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { type DecisionEvent, type GuardOptions, mtls } from '../../src/http/express.ts'

export interface Application {
  readonly port: number
  readonly events: readonly DecisionEvent[]
  readonly update: (options: GuardOptions) => void
  stop(): Promise<void>
}

/** Answers `{"subject"}` of whom it let in. */
export async function startApplication(options: GuardOptions): Promise<Application> {
  const events: DecisionEvent[] = []
  const withHook = (one: GuardOptions): GuardOptions => ({
    ...one,
    hooks: { decision: (event) => events.push(event) },
  })
  const guard = mtls(withHook(options))
  const app = express()
  app.use(guard)
  app.use((request, response) => {
    response.json({ subject: request.clientCertificate?.identity?.subject ?? null })
  })
  const server = createServer({ maxHeaderSize: 128 * 1024 }, app)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    port: (server.address() as AddressInfo).port,
    events,
    update: (other) => guard.update(withHook(other)),
    stop: () =>
      new Promise((stopped) => {
        server.close(() => stopped())
        server.closeAllConnections()
      }),
  }
}
