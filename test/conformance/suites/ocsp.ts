/** OCSP responses: for one certificate, for a path that is taken as it stands, for an issuer alone. @module */
import { encodeBase64 } from '../../../src/base/base64.ts'
import type { Effect, Steps } from '../../../src/effect/effect.ts'
import { algorithmPolicy } from '../../../src/path/algorithms.ts'
import type { Finding, StatusContext } from '../../../src/revocation/context.ts'
import { buildOcspRequest } from '../../../src/revocation/ocsp-request.ts'
import { ocspStatus } from '../../../src/revocation/ocsp-status.ts'
import { parseOcspResponses } from '../../../src/revocation/responses.ts'
import type { StatusIssuer } from '../../../src/revocation/status.ts'
import type { Certificate } from '../../../src/x509/certificate.ts'
import { parseCertificate } from '../../../src/x509/parse-certificate.ts'
import type { Driver } from '../drivers.ts'
import { bytesOf } from '../inputs.ts'
import { bothDrivers, type Case, compared, type Outcome, type Suite } from '../suite.ts'

/** All DER is base64. */
type OcspCase =
  | {
      readonly id: string
      readonly kind: 'single-response'
      readonly response: string
      readonly cert: string
      readonly issuer: string
      /** What a client should send. */
      readonly request: string
      readonly time: string
      readonly max_age_seconds: number
      readonly expected: { readonly status: Finding['status']; readonly response: string }
    }
  | {
      readonly id: string
      readonly kind: 'path'
      readonly trust_anchor: string
      /** At most one. */
      readonly intermediates: readonly string[]
      readonly target: string
      readonly responses: readonly string[]
      readonly time: string
      readonly expected: {
        readonly valid: boolean
        readonly failure_at?: 'target' | 'intermediate'
        readonly reason?: string
      }
    }
  | {
      readonly id: string
      readonly kind: 'response-issuer'
      readonly response: string
      readonly issuer: string
      readonly time: string
      readonly expected: { readonly valid: boolean; readonly reason?: string }
    }
type CaseOf<K> = Extract<OcspCase, { readonly kind: K }>

export const ocsp: Suite = {
  name: 'ocsp',
  file: 'ocsp.json',
  drivers: bothDrivers,
  profiles: ['interoperable'],
  recognises: ({ cases }) => cases?.[0]?.kind !== undefined,
  read: ({ cases }) => (cases as unknown as readonly OcspCase[]).map(readCase),
}

function readCase(one: OcspCase): Case {
  return {
    id: one.id,
    run: (driver) => {
      if (one.kind === 'single-response') return judgeSingle(one, driver)
      return one.kind === 'path' ? judgePath(one, driver) : judgeIssuer(one, driver)
    },
  }
}

async function judgeSingle(one: CaseOf<'single-response'>, driver: Driver): Promise<Outcome> {
  const issuer = issuerOf(certificateOf(one.issuer))
  const parsed = parseCertificate(bytesOf(one.cert))
  const expected = { ...one.expected, request: one.request }
  if (!parsed.ok) {
    const { code } = parsed.failure
    return compared(expected, { status: 'unknown', response: code, request: '' }, code)
  }
  const context = contextAt(one.time, { maxAge: one.max_age_seconds })
  const finding = await statusOf(driver, parsed.value, issuer, [one.response], context)
  const request = await driver.run(buildOcspRequest(parsed.value, issuer))
  const { status } = finding
  const response = detailOf(finding)
  return compared(expected, { status, response, request: encodeBase64(request) }, codesOf(finding))
}

/** How far it got, in the words of the suite. */
function detailOf(finding: Finding): string {
  if (finding.status !== 'unknown') return 'provided'
  const [code = ''] = finding.problems.map((problem) => problem.code)
  return details.get(code) ?? 'provided'
}

const details: ReadonlyMap<string, string> = new Map([
  ['ocsp-missing', 'no-matching-response'],
  ['ocsp-other-certificate', 'no-matching-response'],
  ['ocsp-type-unknown', 'bad-response'],
  ['ocsp-error', 'bad-response'],
  ['ocsp-unknown-critical-extension', 'unknown-critical-extension'],
  ['ocsp-not-yet-valid', 'bad-date'],
  ['ocsp-expired', 'bad-date'],
  ['ocsp-too-old', 'bad-date'],
  ['ocsp-produced-at', 'bad-produced-at'],
])

/** Every certificate of the path of which there is a response must be good by it. */
async function judgePath(one: CaseOf<'path'>, driver: Driver): Promise<Outcome> {
  const path = [one.target, ...one.intermediates, one.trust_anchor].map(certificateOf)
  const { valid, failure_at, reason } = one.expected
  const expected = valid ? { valid } : { valid, failure_at, reason }
  for (const [index, certificate] of path.slice(0, -1).entries()) {
    const issuer = issuerOf(path[index + 1] as Certificate)
    const context = contextAt(one.time)
    const finding = await statusOf(driver, certificate, issuer, one.responses, context)
    if (finding.status === 'good' || codesOf(finding) === 'ocsp-missing') continue
    const at = index === 0 ? 'target' : 'intermediate'
    const actual = { valid: false, failure_at: at, reason: reasonOf(finding, reason) }
    return compared(expected, actual, codesOf(finding))
  }
  return compared(expected, { valid: true })
}

/** About any certificate: one of the issuer with the serial number that the response names, whatever its status. */
async function judgeIssuer(one: CaseOf<'response-issuer'>, driver: Driver): Promise<Outcome> {
  const issuer = certificateOf(one.issuer)
  const { responses } = parseOcspResponses(bytesOf(one.response))
  const [single] = responses[0]?.basic?.responses ?? []
  if (single === undefined) throw new Error('a response without an answer')
  const { tbsCertificate } = issuer
  const certificate: Certificate = {
    ...issuer,
    tbsCertificate: {
      ...tbsCertificate,
      issuer: tbsCertificate.subject,
      serialNumber: single.certID.serialNumber,
    },
  }
  // The suite does not ask whether the answer has run out.
  const context = contextAt(one.time, { staleFor: Number.POSITIVE_INFINITY })
  const finding = await statusOf(driver, certificate, issuerOf(issuer), [one.response], context)
  const { valid, reason } = one.expected
  const expected = valid ? { valid } : { valid, reason }
  if (finding.status !== 'unknown') return compared(expected, { valid: true })
  const actual = { valid: false, reason: reasonOf(finding, reason) }
  return compared(expected, actual, codesOf(finding))
}

/** The suite's reason where one of our problems is what it means; otherwise our codes. */
function reasonOf(finding: Finding, expected: string | undefined): string | undefined {
  const codes = codesOf(finding)
  const meant = reasons.get(expected ?? '') ?? []
  return meant.some((code) => codes.split(' ').includes(code)) ? expected : codes
}

const otherCertificate = ['ocsp-other-certificate']
const reasons: ReadonlyMap<string, readonly string[]> = new Map([
  ['bad-signature', ['ocsp-signature']],
  ['responder-not-found', ['ocsp-responder-unknown']],
  ['issuer-name-hash', otherCertificate],
  ['issuer-key-hash', otherCertificate],
  ['issuer-wrong-name', otherCertificate],
  ['issuer-wrong-key', otherCertificate],
  // Another key in the certificate is another key hash, or a certificate that the CA did not sign.
  ['responder-not-valid', ['ocsp-responder-not-authorized', 'ocsp-responder-unknown']],
  ['stale', ['ocsp-expired']],
])

function codesOf(finding: Finding): string {
  if (finding.status !== 'unknown') return finding.status
  return finding.problems.map(({ code }) => code).join(' ')
}

async function statusOf(
  driver: Driver,
  certificate: Certificate,
  issuer: StatusIssuer,
  responses: readonly string[],
  context: StatusContext,
): Promise<Finding> {
  const parsed = parseOcspResponses(responses.map(bytesOf))
  const finding = await driver.run(ocspStatus(certificate, issuer, parsed, context, isNotRevoked))
  if (finding.status !== 'unknown' || parsed.unreadable.length === 0) return finding
  return { ...finding, problems: [{ code: 'ocsp-error', responseStatus: 'unreadable' }] }
}

/** The suite has no status of responders' own certificates. */
function* isNotRevoked(): Steps<boolean> {
  yield* noQuestions
  return false
}

const noQuestions: readonly Effect[] = []

/** As old as the responses are: SHA-1, and keys of 1024 bits. */
function contextAt(
  time: string,
  rule: Partial<Pick<StatusContext, 'maxAge' | 'staleFor'>> = {},
): StatusContext {
  return {
    time: Date.parse(time) / 1000,
    clockTolerance: 0,
    maxAge: undefined,
    staleFor: 0,
    algorithms: algorithmPolicy({ dangerouslyAllowSha1: true, dangerouslyMinimumRsaBits: 1024 }),
    profile: 'interoperable',
    budget: { signatures: 100 },
    ...rule,
  }
}

function certificateOf(base64: string): Certificate {
  const parsed = parseCertificate(bytesOf(base64))
  if (!parsed.ok) throw new Error(`unreadable: ${parsed.failure.code}`)
  return parsed.value
}

/** Trusted as it stands. */
function issuerOf(certificate: Certificate): StatusIssuer {
  const { subject: name, subjectPublicKeyInfo } = certificate.tbsCertificate
  return { name, subjectPublicKeyInfo, certificate }
}
