/** A source under test: on loopback, with the clock of the test PKI running on from `testTime`, closed after the test. @module */

import { createServer, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { WantedStatus } from '../../../src/revocation/provider.ts'
import {
  createRevocationSource,
  type RevocationEvent,
  type RevocationSource,
  type RevocationSourceOptions,
} from '../../../src/revocation.ts'
import {
  type CertificateAuthority,
  type Responder,
  startResponder,
  testTime,
} from '../../../src/testing/index.ts'
import type { Certificate } from '../../../src/x509/certificate.ts'

export interface Watched extends RevocationSource {
  readonly events: readonly RevocationEvent[]
}

export function sourceWith(options: RevocationSourceOptions): Watched {
  const events: RevocationEvent[] = []
  const source = createRevocationSource({
    allowAddresses: ['loopback'],
    now: runningClock(),
    refresh: { minimum: 60_000 },
    onEvent: (event) => events.push(event),
    ...options,
  })
  onTestFinished(() => source.close())
  return Object.assign(source, { events })
}

/** Begins at `testTime`. */
export function runningClock(offset = 0): () => Date {
  const begin = performance.now()
  return () => new Date((testTime + offset) * 1000 + (performance.now() - begin))
}

export async function respondWith(
  routes: NonNullable<Parameters<typeof startResponder>[0]>['routes'] & object,
): Promise<Responder> {
  const responder = await startResponder({ routes })
  onTestFinished(() => responder.close())
  return responder
}

/** A server that says what it likes, or nothing. Returned is its port. */
export async function rawServer(talk: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    talk(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

export function wantedOf(
  certificate: Certificate,
  ca: CertificateAuthority,
  wanted: Partial<WantedStatus> = {},
): WantedStatus {
  const { subject: name, subjectPublicKeyInfo } = ca.tbsCertificate
  const issuer = { name, subjectPublicKeyInfo, certificate: ca }
  return { certificate, issuer, crl: true, ocsp: true, ...wanted }
}

export async function eventually(what: () => boolean, milliseconds = 10_000): Promise<void> {
  const end = performance.now() + milliseconds
  while (!what()) {
    if (performance.now() > end) throw new Error(`not within ${milliseconds} ms: ${what}`)
    await pause(10)
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
}

/** Facts of the failures so far. */
export function failuresOf({ events }: Watched): readonly object[] {
  return events.flatMap((event) => (event.type === 'failed' ? [event.failure] : []))
}

export function typesOf({ events }: Watched): readonly string[] {
  return events.map(({ type }) => type)
}

/** `cRLDistributionPoints` with one point. */
export function pointsTo(...uris: readonly string[]) {
  return { cRLDistributionPoints: [{ names: uris.map((uri) => ({ uri })) }] }
}
