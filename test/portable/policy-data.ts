/** Makes the cases of policies.ts and guards.ts: issues their clients, and asks Node what each of them comes to. @module */
import { parseIssuerAcl } from '../../src/acl/index.ts'
import * as library from '../../src/index.node.ts'
import { evaluatePipelineSync, evaluatePolicySync } from '../../src/policy.ts'
import { createPki, testTime } from '../../src/testing/index.ts'
import {
  codeOf,
  outcomeText,
  type PolicyCase,
  type PolicyData,
  presented,
  readTrust,
} from './policies.ts'

/** Before anybody was asked. */
type World = Pick<PolicyData, 'trust' | 'clients'>
type Case = Omit<PolicyCase, 'byNode' | 'time'> & { readonly time?: number }

export async function makePolicyData(): Promise<PolicyData> {
  const pki = await createPki()
  const { issuing, client, root } = pki
  const foreign = await createPki({ organization: 'Foreign' })
  const other = await root.issueCa('CN=Other Issuing CA,O=Example')
  const clerk = await issuing.issue('CN=clerk,O=Example', {
    subjectAltName: [{ uri: 'spiffe://example.org/clerk' }],
  })
  // By every clock, also that of a server.
  const expired = await issuing.issue('CN=client-c,O=Example', { notAfter: 1_600_000_000 })
  const forged = Uint8Array.from(client.der)
  // Inside the last number of the signature.
  forged[forged.length - 4]! ^= 1
  const data: World = {
    trust: {
      anchorsPem: pki.anchorsPem,
      intermediatesPem: pki.intermediatesPem,
      issuerAcl: 'allow dn "CN=Example Issuing CA,O=Example"',
    },
    clients: {
      good: pki.chainPem,
      clerk: clerk.chainPem,
      foreign: foreign.chainPem,
      otherIssuer: (await other.issue('CN=client-b,O=Example')).chainPem,
      expired: expired.chainPem,
      forged: [...forged],
      none: undefined,
      junk: [1, 2, 3],
    },
  }
  return { ...data, cases: cases.map((one) => answeredByNode(one, data)), proxy: policies }
}

/** What Node does not see as expected is no measure for others. */
function answeredByNode(one: Case, { trust, clients }: World): PolicyCase {
  const { client, policy, policies = [], request, time = testTime, expected } = one
  if (!(client in clients)) throw new Error(`no client ${client}`)
  const facts = {
    ...readTrust(trust, { library, acl: { parseIssuerAcl } }),
    ...request,
    certificate: presented(clients[client]),
    time: new Date(time * 1000),
  }
  const outcome = policy ? evaluatePolicySync(policy, facts) : evaluatePipelineSync(policies, facts)
  if (codeOf(outcome) !== expected) {
    throw new Error(`${client}: Node answers ${codeOf(outcome)}, not ${expected}`)
  }
  return { ...one, time, byNode: outcomeText(outcome) }
}

const type = 'policy-auth-mtls'

/** The switches, both on first. */
const switches = [
  { type },
  { type, validateACLForIssuer: false },
  { type, validateCertificate: false },
  { type, validateCertificate: false, validateACLForIssuer: false },
]

const underSwitches: readonly (readonly [client: string, ...codes: readonly string[]])[] = [
  ['good', 'allowed', 'allowed', 'allowed', 'allowed'],
  ['clerk', 'allowed', 'allowed', 'allowed', 'allowed'],
  ['foreign', 'issuer-unknown', 'issuer-unknown', 'issuer-not-allowed', 'allowed'],
  ['otherIssuer', 'issuer-not-allowed', 'allowed', 'issuer-not-allowed', 'allowed'],
  ['expired', 'certificate-expired', 'certificate-expired', 'allowed', 'allowed'],
  ['forged', 'signature-invalid', 'signature-invalid', 'allowed', 'allowed'],
  ['none', ...Array<string>(4).fill('certificate-missing')],
  ['junk', ...Array<string>(4).fill('input-unrecognized')],
]

const reports = {
  targetScope: 'ENDPOINT',
  targetEndpoint: '/reports/{day}',
  targetEndpointHTTPMethod: 'GET',
}
const whoEver = { type, validateACLForIssuer: false }

/** Something of everything that a policy list may hold. */
const policies = {
  name: 'portable',
  requestPolicyList: [
    { type, name: 'reports', ...reports, clientAcl: 'allow attributes CN=client-a' },
    { type, name: 'all' },
    { type, name: 'planned', mode: 'report', clientAcl: 'allow san-uri spiffe://example.org/*' },
    { type, name: 'off', active: false, clientAcl: 'allow attributes CN=nobody' },
  ],
  responsePolicyList: [{ ...whoEver, name: 'answers' }],
  errorPolicyList: [{ ...whoEver, name: 'errors', mode: 'report' }],
}

const inPipelines: readonly Omit<Case, 'policies'>[] = [
  { client: 'good', request: { path: '/' }, expected: 'allowed' },
  { client: 'good', request: { path: '/reports/monday' }, expected: 'allowed' },
  { client: 'clerk', request: { path: '/' }, expected: 'allowed' },
  { client: 'clerk', request: { path: '/reports/monday' }, expected: 'client-not-allowed' },
  { client: 'clerk', request: { path: '//Reports/%6Donday/?a' }, expected: 'client-not-allowed' },
  {
    client: 'clerk',
    request: { path: '/reports/monday', method: 'HEAD' },
    expected: 'client-not-allowed',
  },
  { client: 'clerk', request: { path: '/reports/monday', method: 'POST' }, expected: 'allowed' },
  { client: 'good', request: { path: '/x/../reports/a' }, expected: 'request-target-ambiguous' },
  { client: 'good', request: { path: '/reports%2fa' }, expected: 'request-target-ambiguous' },
  { client: 'otherIssuer', request: { pipeline: 'REQUEST' }, expected: 'issuer-not-allowed' },
  { client: 'otherIssuer', request: { pipeline: 'RESPONSE' }, expected: 'allowed' },
  { client: 'foreign', request: { pipeline: 'RESPONSE' }, expected: 'issuer-unknown' },
  { client: 'foreign', request: { pipeline: 'ERROR' }, expected: 'allowed' },
  { client: 'none', request: {}, expected: 'certificate-missing' },
  { client: 'good', time: 2_524_607_999, expected: 'allowed' },
  { client: 'good', time: 2_524_608_000, expected: 'certificate-expired' },
  { client: 'good', time: 1_577_836_799, expected: 'certificate-not-yet-valid' },
]

const cases: readonly Case[] = [
  ...underSwitches.flatMap(([client, ...codes]) =>
    codes.map((expected, index): Case => ({ client, policy: switches[index]!, expected })),
  ),
  ...inPipelines.map((one): Case => ({ ...one, policies })),
]
