/** Decisions as hooks are told of them. @module */
import type { DecisionEvent } from '../../../src/http/event.ts'
import type { Verdict } from '../../../src/index.ts'
import { createPki, type IssuedCertificate, testTime } from '../../../src/testing/index.ts'
import { decide } from '../../client/support.ts'

export const now: number = testTime * 1000

export function eventOf(fields: Partial<DecisionEvent> = {}): DecisionEvent {
  return {
    version: 1,
    type: 'decision',
    id: '8c0d6f0e-5f6b-4f39-9a6a-1d1b0f6f5a11',
    time: now,
    outcome: 'allowed',
    status: 200,
    code: undefined,
    policy: 'partners',
    endpoint: { path: '/orders', method: 'GET' },
    method: 'GET',
    target: '/orders?secret=1',
    source: 'tls',
    isRemembered: false,
    milliseconds: 0.3,
    wouldRefuse: [],
    details: undefined,
    verdict: undefined,
    asserted: undefined,
    error: undefined,
    ...fields,
  }
}

export const refused: DecisionEvent = eventOf({
  outcome: 'refused',
  status: 401,
  code: 'certificate-missing',
  policy: 'partners',
})

export const wouldRefuse: DecisionEvent = eventOf({
  outcome: 'would-refuse',
  code: 'certificate-expired',
  policy: 'trial',
  wouldRefuse: [
    { policy: 'trial', code: 'certificate-expired' },
    { policy: 'second trial', code: 'issuer-not-allowed' },
  ],
})

const pki = await createPki()

/** Of a client that the CA of the test PKI issued for. */
export async function verdictOf(
  options: Parameters<typeof pki.issuing.issue>[1] = {},
): Promise<Verdict> {
  return verdictOn(await pki.issuing.issue('client-a', options))
}

export function verdictOn(client: IssuedCertificate, anchorsPem: string = pki.anchorsPem): Verdict {
  return decide(client.chainPem, anchorsPem, { time: new Date(now) })
}

/** Characters that end a label, a line or a name somewhere. */
export const oddSubject = 'evil"} 1\n# HELP x\\ {subject="ünïcode",} 日本 \u2028 ;|$(id)'
