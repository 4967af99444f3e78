/** Clients of one small PKI, and policies to hold them against. @module */

import { parseIssuerAcl } from '../../src/acl/index.ts'
import type { IssuerAcl, TrustAnchors } from '../../src/index.node.ts'
import { parseTrustAnchors } from '../../src/index.node.ts'
import { createPki, type Pki, testTime } from '../../src/testing/index.ts'

export const type = 'policy-auth-mtls'

export const time: Date = new Date(testTime * 1000)

export interface World {
  readonly pki: Pki
  readonly trustAnchors: TrustAnchors
  readonly intermediates: string
  /** Allows the issuing CA. */
  readonly issuerAcl: IssuerAcl
  /** What clients present. */
  readonly clients: Readonly<Record<ClientName, string | Uint8Array | undefined>>
}

export type ClientName = 'good' | 'foreign' | 'otherIssuer' | 'expired' | 'forged' | 'none' | 'junk'

export async function createWorld(): Promise<World> {
  const pki = await createPki()
  const foreign = await createPki({ organization: 'Foreign' })
  const other = await pki.root.issueCa('Other Issuing CA')
  const otherClient = await other.issue('client-b')
  const expired = await pki.issuing.issue('client-c', {
    notBefore: testTime - 2000,
    notAfter: testTime - 1000,
  })
  const forged = new Uint8Array(pki.client.der)
  // Inside the last number of the signature.
  forged[forged.length - 4] = (forged.at(-4) ?? 0) ^ 1
  return {
    pki,
    trustAnchors: parseTrustAnchors(pki.anchorsPem),
    intermediates: pki.intermediatesPem,
    issuerAcl: parseIssuerAcl('allow dn "CN=Example Issuing CA,O=Example"'),
    clients: {
      good: pki.chainPem,
      foreign: foreign.chainPem,
      otherIssuer: otherClient.chainPem,
      expired: expired.chainPem,
      forged,
      none: undefined,
      junk: new Uint8Array([1, 2, 3]),
    },
  }
}
