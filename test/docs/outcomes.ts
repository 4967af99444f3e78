/** What happens when, as code: each row of the tables about revocation is one entry here, and its cells are what a validation says. @module */

import { parseTrustAnchors, type Verdict } from '../../src/index.ts'
import { parseCrls, parseOcspResponses } from '../../src/revocation.ts'
import { type ValidateOptionsSync, validateClientCertificateSync } from '../../src/sync.ts'
import {
  type CertificateOptions,
  type CrlOptions,
  issueCa,
  type OcspResponseOptions,
  testTime,
} from '../../src/testing/index.ts'

/** What stands beside the good list of the root, and the rule, without `onUnknown`. */
interface Given {
  readonly client?: CertificateOptions
  readonly issuing?: CertificateOptions
  readonly crls?: readonly unknown[]
  readonly ocsp?: readonly { readonly der: Uint8Array }[]
  readonly rule?: object
  readonly perIssuer?: object
}

type Lab = Awaited<ReturnType<typeof labOf>>
type Scenario = (lab: Lab) => Promise<Given>

const day = 86_400
const past = { thisUpdate: testTime - 9 * day, nextUpdate: testTime - 2 * day }
const stale = { onStale: { allowFor: 3 * day } }

/** A root with a good list, an issuing CA and a client. */
async function labOf(client: CertificateOptions = {}, issuing: CertificateOptions = {}) {
  const root = await issueCa('Root CA')
  const ca = await root.issueCa('Issuing CA', issuing)
  const target = await ca.issue('client-a', client)
  const list = async (options: CrlOptions = {}) => (await ca.issueCrl(options)).der
  const delta = async (options: CrlOptions = {}) => (await ca.issueDeltaCrl(options)).der
  const answer = (options: Partial<OcspResponseOptions>) =>
    ca.issueOcspResponse({ responses: [target], ...options })
  return { root, ca, target, list, delta, answer }
}

const onHold = (lab: Lab) =>
  ({
    revoked: [{ serialNumber: lab.target.tbsCertificate.serialNumber, reason: 'certificateHold' }],
  }) as const
const released = (lab: Lab) =>
  ({
    revoked: [{ serialNumber: lab.target.tbsCertificate.serialNumber, reason: 'removeFromCRL' }],
  }) as const

/** By the first cell of the row. */
export const outcomes: Readonly<Record<string, Scenario>> = {
  'a current list of its issuer does not name it': async ({ list }) => ({ crls: [await list()] }),
  'there is no list of its issuer': async () => ({ crls: [] }),
  'the list cannot be read': async ({ list }) => ({ crls: [(await list()).subarray(1)] }),
  'the list is past its nextUpdate': async ({ list }) => ({ crls: [await list(past)] }),
  'the same, within `allowFor`': async ({ list }) => ({ crls: [await list(past)], rule: stale }),
  'the same, beyond `allowFor`': async ({ list }) => ({
    crls: [await list(past)],
    rule: { onStale: { allowFor: day } },
  }),
  'the list is of the future': async ({ list }) => ({
    crls: [await list({ thisUpdate: testTime + 1 })],
  }),
  'the list is older than `maxAge`': async ({ list }) => ({
    crls: [await list()],
    rule: { maxAge: 3_599 },
  }),
  'the list has no nextUpdate, and there is no `maxAge`': async ({ list }) => ({
    crls: [await list({ nextUpdate: 'absent' })],
  }),
  'the list has no nextUpdate, and is within `maxAge`': async ({ list }) => ({
    crls: [await list({ nextUpdate: 'absent' })],
    rule: { maxAge: 3_600 },
  }),
  'the signature of the list is wrong': async ({ list }) => ({
    crls: [await list({ signingKey: 'P-256#9' })],
  }),
  'a list whose signature is wrong names it': async ({ list, target }) => ({
    crls: [await list({ signingKey: 'P-256#9', revoked: [target] })],
  }),
  'the key usage of its issuer lacks cRLSign': async () => {
    const issuing: CertificateOptions = { keyUsage: ['keyCertSign'] }
    const { list } = await labOf({}, issuing)
    return { issuing, crls: [await list()] }
  },
  'the list is for CA certificates, or for another distribution point': async ({ list }) => ({
    crls: [
      await list({ issuingDistributionPoint: { onlyContainsCACerts: true } }),
      await list({ issuingDistributionPoint: { uri: 'http://crl.example/other' } }),
    ],
  }),
  'the list is for some reasons only': async ({ list }) => ({
    crls: [await list({ issuingDistributionPoint: { onlySomeReasons: ['keyCompromise'] } })],
  }),
  'the list has a critical extension that nobody knows': async ({ list }) => ({
    crls: [
      await list({
        rawExtensions: [{ oid: '1.2.3', critical: true, value: Uint8Array.of(5, 0) }],
      }),
    ],
  }),
  'there is a delta list without its base': async ({ delta }) => ({
    crls: [await delta({ baseCRLNumber: 7 })],
  }),
  'there is an expired delta beside a current list': async ({ list, delta }) => ({
    crls: [await list(), await delta(past)],
  }),
  'the list of another CA is missing, expired or forged': async ({ list }) => {
    const other = await issueCa('Other CA')
    return { crls: [await list(), (await other.issueCrl(past)).der] }
  },
  'a current list of its issuer names it': async ({ list, target }) => ({
    crls: [await list({ revoked: [target] })],
  }),
  'an old list names it, whatever a newer one says': async ({ list, target }) => ({
    crls: [await list({ ...past, revoked: [target] }), await list()],
  }),
  'a list of its issuer names it that is for others': async ({ list, target }) => ({
    crls: [
      await list(),
      await list({
        revoked: [target],
        issuingDistributionPoint: { uri: 'http://crl.example/other' },
      }),
    ],
  }),
  'so many lists name it that a limit ends their judging': async ({ list, target }) => {
    const crls: Uint8Array[] = [await list({ revoked: [target] })]
    for (let i = 0; i < 101; i++) {
      crls.push(await list({ revoked: [target], signingKey: 'P-256#9', cRLNumber: 100 + i }))
    }
    return { crls }
  },
  'it is on hold': async (lab) => ({ crls: [await lab.list(onHold(lab))] }),
  'it was on hold in an older list, and a newer complete one does not name it': async (lab) => ({
    crls: [await lab.list({ ...past, ...onHold(lab) }), await lab.list()],
  }),
  'it is on hold, and a delta of that list says removeFromCRL': async (lab) => ({
    crls: [await lab.list(onHold(lab)), await lab.delta(released(lab))],
  }),
  'a complete list says removeFromCRL': async (lab) => ({
    crls: [await lab.list(released(lab))],
  }),
  'it has noRevAvail': async () => ({ client: { noRevAvail: 'present' }, crls: [] }),
  'it has noRevAvail, and a list names it all the same': async () => {
    const client: CertificateOptions = { noRevAvail: 'present' }
    const { list, target } = await labOf(client)
    return { client, crls: [await list({ revoked: [target] })] }
  },
  'its issuer has mode `none` in `perIssuer`': async () => ({
    crls: [],
    perIssuer: { 'CN=Issuing CA': { mode: 'none' } },
  }),
  'a CA above it is revoked': async ({ root, ca, list }) => ({
    crls: [await list(), (await root.issueCrl({ revoked: [ca] })).der],
  }),
  'there is no list about a CA above it': async ({ list }) => ({
    crls: [await list()],
    rule: { withoutRoot: true },
  }),
  'the same, with depth `target`': async ({ list }) => ({
    crls: [await list()],
    rule: { withoutRoot: true, depth: 'target' },
  }),

  'a current response says good': async ({ answer }) => ({ ocsp: [await answer({})] }),
  'there is no response': async () => ({ ocsp: [] }),
  'the responder answered an error, as tryLater': async ({ answer }) => ({
    ocsp: [await answer({ responseStatus: 'tryLater' })],
  }),
  'the responder does not know the certificate': async ({ answer, target }) => ({
    ocsp: [
      await answer({}),
      await answer({ responses: [{ certificate: target, certStatus: 'unknown' }] }),
    ],
  }),
  'the response is about a certificate of another CA': async ({ target }) => {
    const other = await issueCa('Other CA', { key: 'P-256#9' })
    const { serialNumber } = target.tbsCertificate
    return { ocsp: [await other.issueOcspResponse({ responses: [{ serialNumber }] })] }
  },
  'the response is past its nextUpdate': async ({ answer }) => ({ ocsp: [await answer(past)] }),
  'the response is, within `allowFor`': async ({ answer }) => ({
    ocsp: [await answer(past)],
    rule: stale,
  }),
  'the response is of the future': async ({ answer }) => ({
    ocsp: [await answer({ thisUpdate: testTime + 1 })],
  }),
  'the signature of the response is wrong': async ({ answer }) => ({
    ocsp: [await answer({ signingKey: 'P-256#9' })],
  }),
  'whoever signed it has no certificate of the CA for it': async ({ ca, answer }) => ({
    ocsp: [await answer({ signer: await ca.issue('Somebody') })],
  }),
  'its responder is revoked': async ({ ca, list, answer }) => {
    const signer = await ca.issueOcspResponder('Responder', { ocspNoCheck: 'absent' })
    return { ocsp: [await answer({ signer })], crls: [await list({ ...past, revoked: [signer] })] }
  },
  'a response says revoked, current or run out': async ({ answer, target }) => ({
    ocsp: [
      await answer({ ...past, responses: [{ certificate: target, certStatus: 'revoked' }] }),
      await answer({}),
    ],
  }),

  'one of list and response is good, the other is missing': async ({ list }) => ({
    crls: [await list()],
    ocsp: [],
  }),
  'one of list and response says revoked, the other good': async ({ answer, list, target }) => ({
    crls: [await list({ revoked: [target] })],
    ocsp: [await answer({})],
  }),
  'neither list nor response counts': async ({ list }) => ({ crls: [await list(past)], ocsp: [] }),
}

/** The second and the third cell: what follows with `onUnknown: 'deny'`, and with `'allow'`. */
export async function cellsOf(scenario: Scenario): Promise<readonly [string, string]> {
  const given = await scenario(await labOf())
  const { root, target } = await labOf(given.client, given.issuing)
  const { withoutRoot, ...rule } = { withoutRoot: false, ...given.rule }
  const lists = given.crls as readonly Uint8Array[] | undefined
  const rootLists = withoutRoot ? [] : [(await root.issueCrl()).der]
  const all = given.ocsp === undefined ? 'crl' : lists === undefined ? 'ocsp' : 'crl-or-ocsp'
  // The root has no responder here: its list is what there is about the issuing CA.
  const perIssuer = { 'CN=Root CA': { mode: 'crl' }, ...given.perIssuer }
  // Anew for each verdict: what is remembered of signatures costs nothing the next time.
  const material = () => ({
    crls: parseCrls([...rootLists, ...(lists ?? [])]),
    ...(given.ocsp === undefined
      ? {}
      : { ocspResponses: parseOcspResponses(given.ocsp.map(({ der }) => der)) }),
  })
  const verdict = (onUnknown: 'deny' | 'allow'): Verdict => {
    const revocation = { ...rule, mode: all, perIssuer, onUnknown, ...material() }
    const options = {
      trustAnchors: parseTrustAnchors(root),
      time: new Date(testTime * 1000),
      revocation,
    } as unknown as ValidateOptionsSync
    return validateClientCertificateSync(target.chainPem, options)
  }
  const [deny, allow] = [cell(verdict('deny')), cell(verdict('allow'))]
  return [deny, deny === allow ? 'the same' : allow]
}

function cell(verdict: Verdict): string {
  if (verdict.ok) return ['let in', ...unique(verdict.warnings)].join(', ')
  const { failure } = verdict
  if (failure.code !== 'revocation-unknown') return `\`${failure.code}\``
  return `\`${failure.code}\`: ${unique(failure.problems).join(', ')}`
}

function unique(list: readonly { readonly code: string }[]): readonly string[] {
  return [...new Set(list.map(({ code }) => `\`${code}\``))]
}
