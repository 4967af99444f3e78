/**
 * Sends many clients through one guard, in a process of its own, so that the memory is nobody else's: `cache-child.ts COUNT`, with
 * `--expose-gc`. Prints one line of JSON, a `CacheFound`.
 * @module
 */

import type { Connection, HttpRequest } from '../src/http/request.ts'
import { issueCa } from '../src/testing/index.ts'
import { loadSubject } from './bundle.ts'
import { clientOptions, validity } from './material.ts'
import { QuickIssuer } from './quick-issuer.ts'
import { connectionWith, nginxLines, proxyAddress, requestOn, trust } from './requests.ts'

export interface CacheFound {
  /** One for each tenth of the clients. */
  readonly blocks: readonly Block[]
  readonly expiry: Expiry
  /** Answers that were not as they should be, in words. */
  readonly wrong: readonly string[]
}

interface Block {
  /** Octets of heap and buffers after a collection of garbage, beyond those before the first client. */
  readonly heldBytes: number
  readonly residentBytes: number
  /** Microseconds of both decisions about a client, the mean. */
  readonly us: number
}

interface Expiry {
  readonly decisions: number
  /** Of those, by an outcome or a verdict that was kept. */
  readonly remembered: number
  /** Let in after the last second of the certificate. */
  readonly late: number
}

/** Clients that are connected at the same time. */
const openConnections = 1000
/** Fewer than are kept at least. */
const lastOnes = 1000

const count = Number(process.argv[2])
const subject = await loadSubject()
const root = await issueCa('Root', validity)
const issuing = await root.issueCa('Issuing CA 1', validity)
const proxy = connectionWith(proxyAddress)
const issuer = await QuickIssuer.under(issuing)
const open: Connection[] = []
const wrong = new Set<string>()

const blocks = await fill()
const expiry = await expire()
console.log(JSON.stringify({ blocks, expiry, wrong: [...wrong] } satisfies CacheFound))

/** Both ways into one guard: whoever comes from elsewhere, and without a header, is known by the handshake. */
function newGuard() {
  return subject.createNodeGuard({
    policy: { type: 'policy-auth-mtls', validateACLForIssuer: false },
    trustAnchors: subject.parseTrustAnchors(root.der),
    intermediates: subject.parseIntermediates(issuing.der),
    source: subject.fallback(subject.nginx({ trust }), subject.tls()),
  })
}

type Guard = ReturnType<typeof newGuard>

function byHeader(der: Uint8Array): HttpRequest {
  return requestOn(proxy, nginxLines(der))
}

/** With the CA, as clients present it, so that the verdict is another than that by the header. */
function connectionOf(der: Uint8Array): Connection {
  return connectionWith('203.0.113.7', [der, issuing.der])
}

function settled(): { readonly held: number; readonly resident: number } {
  for (let i = 0; i < 3; i++) globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { held: heapUsed + external, resident: rss }
}

async function fill(): Promise<readonly Block[]> {
  // What the code itself takes once it has run is no cache.
  await send(newGuard(), 200)
  const guard = newGuard()
  const idle = settled()
  const found: Block[] = []
  for (let tenth = 1; tenth <= 10; tenth++) {
    const us = await send(guard, count / 10)
    const { held, resident } = settled()
    found.push({ heldBytes: held - idle.held, residentBytes: resident - idle.resident, us })
    console.error(`caches: ${(count / 10) * tenth} clients`)
  }
  return found
}

/** New clients, each by a header and by a connection; every tenth is followed by two who must be refused. */
async function send(guard: Guard, clients: number): Promise<number> {
  const last: (readonly [der: Uint8Array, outcome: unknown])[] = []
  let nanoseconds = 0n
  for (let i = 0; i < clients; i++) {
    const der = issuer.next()
    const connection = connectionOf(der)
    const requests = [byHeader(der), requestOn(connection)] as const
    open[i % openConnections] = connection
    const begin = process.hrtime.bigint()
    const [header, handshake] = [await guard.decide(requests[0]), await guard.decide(requests[1])]
    nanoseconds += process.hrtime.bigint() - begin
    if (!header.allowed) wrong.add(`by header: ${header.code}`)
    if (!handshake.allowed) wrong.add(`by connection: ${handshake.code}`)
    last[i % lastOnes] = [der, header.outcome]
    if (i % 10 !== 0) continue
    const forged = der.slice()
    forged[forged.length - 1] = (forged.at(-1) as number) ^ 1
    const refused = await guard.decide(byHeader(forged))
    if (refused.code !== 'signature-invalid') wrong.add(`forged: ${refused.code}`)
    const cut = await guard.decide(requestOn(connectionOf(der.subarray(0, -1))))
    if (cut.verdict?.ok !== false || !('offset' in cut.verdict.failure)) {
      wrong.add(`cut: ${cut.code}`)
    }
  }
  for (const [der, outcome] of last) {
    if ((await guard.decide(byHeader(der))).outcome !== outcome)
      wrong.add('the last ones are not known')
  }
  return Number(nanoseconds) / 1000 / clients
}

/** Certificates that end in a few seconds, asked about again and again while the clock goes on, and once more when it is set back. */
async function expire(): Promise<Expiry> {
  let clock = Date.now()
  Date.now = () => clock
  const begin = Math.floor(clock / 1000)
  const guard = newGuard()
  const clients = []
  for (let i = 0; i < Math.min(count / 100, 1000); i++) {
    const notAfter = begin + 1 + (i % 10)
    const { der } = await issuing.issueBytes(`client-${i}`, { ...clientOptions(i), notAfter })
    const connection = connectionOf(der)
    const requests = [
      () => byHeader(der),
      () => requestOn(connection),
      () => requestOn(connectionOf(der)),
    ]
    const first = [await guard.decide(byHeader(der)), await guard.decide(requestOn(connection))]
    clients.push({ notAfter, requests, verdicts: new Set(first.map(({ verdict }) => verdict)) })
  }
  let decisions = 0
  let remembered = 0
  let late = 0
  for (const second of [...Array.from({ length: 13 }, (_, i) => i), 0]) {
    const time = begin + second
    clock = time * 1000 + 999
    for (const { notAfter, requests, verdicts } of clients) {
      for (const request of requests) {
        const { allowed, code, verdict } = await guard.decide(request())
        decisions++
        if (allowed && verdicts.has(verdict)) remembered++
        if (allowed && time > notAfter) late++
        if (!allowed && time <= notAfter) wrong.add(`before its end: ${code}`)
        if (!allowed && code !== 'certificate-expired') wrong.add(`after its end: ${code}`)
      }
    }
  }
  return { decisions, remembered, late }
}
