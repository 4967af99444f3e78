/** What one API proxy is in one environment: immutable, named by the hash of its canonical form. @module */

import { parseIssuerAcl } from '../acl/text.ts'
import { decodeBase64, encodeBase64 } from '../base/base64.ts'
import { failed, type Result, success } from '../base/result.ts'
import { parseIntermediates } from '../client/intermediates.ts'
import type { Misuse } from '../client/misuse.ts'
import { parseTrustAnchors } from '../client/trust-anchors.ts'
import { identityFields } from '../http/identity-headers.ts'
import { type PipelineDocuments, parsePipelines, pipelineNames } from '../policy/pipelines.ts'
import type { PolicyInvalid, PolicyProblem } from '../policy/problem.ts'
import { rulesOf, type Trust } from '../policy/trust.ts'
import { parseCertificate } from '../x509/parse-certificate.ts'
import { canonicalJson } from './canonical.ts'
import type { DeploymentFailure } from './failure.ts'
import { DocumentFields, namePattern, nameWords, readDocument } from './fields.ts'
import { readJson } from './json.ts'
import { type Place, readPlaceFields } from './place.ts'

export interface Snapshot extends Place {
  readonly version: 1
  readonly project: string
  readonly apiProxy: string
  readonly upstream: Upstream
  readonly policies: PipelineDocuments
  /** Base64 of DER. */
  readonly trustAnchors: readonly string[]
  /** Base64 of DER. */
  readonly intermediates: readonly string[]
  /** Text form. `null`: none is configured. */
  readonly issuerAcl: string | null
  /** `null`: revocation is not checked. */
  readonly revocation: RevocationSettings | null
}

export interface Upstream {
  /** `http:` or `https:`, with a path prefix or none. */
  readonly url: string
  /** Until the response's head. */
  readonly timeoutMs: number
  /** Of a request; 413 above. */
  readonly maxBodyBytes: number
  /** Name of a header → what it says of the client, as `identityHeaders` of a guard. */
  readonly identityHeaders: Readonly<Record<string, string>>
}

/** Where answers about revocation come from, and what follows from none. CRLs that were uploaded are live data. */
export interface RevocationSettings {
  readonly mode: 'crl' | 'ocsp' | 'crl-or-ocsp'
  readonly onUnknown: 'deny' | 'allow'
  readonly depth: 'path' | 'target'
  /** Of CRLs. */
  readonly urls: readonly string[]
  /** Whether the lists that certificates name are fetched. */
  readonly distributionPoints: boolean
  /** `aia`: the one that each certificate names; a URL; `null` with mode `crl`. */
  readonly responder: string | null
  /** Addresses within private networks that may be asked. */
  readonly allowAddresses: readonly string[]
}

export const defaultUpstream: Omit<Upstream, 'url'> = {
  timeoutMs: 30_000,
  maxBodyBytes: 10_485_760,
  identityHeaders: {},
}

export const defaultRevocation: RevocationSettings = {
  mode: 'crl',
  onUnknown: 'deny',
  depth: 'path',
  urls: [],
  distributionPoints: false,
  responder: null,
  allowAddresses: [],
}

/**
 * Reads a snapshot from the bytes that its hash is of: only the canonical form is one. Policies, certificates and ACL are parsed, so
 * that what cannot be used never comes into force.
 *
 * @param bytes - UTF-8 of the canonical JSON, or its text.
 */
export function readSnapshot(bytes: Uint8Array | string): Result<Snapshot, DeploymentFailure> {
  const json = readJson(bytes, maxSnapshotBytes)
  if (!json.ok) return json
  const read = checkSnapshot(json.value.value)
  if (!read.ok) return read
  return canonicalJson(read.value) === json.value.text
    ? read
    : failed({ code: 'document-not-canonical', path: '' })
}

/** As {@link readSnapshot}, of data that are not bytes yet: for whoever makes a snapshot. */
export function checkSnapshot(value: unknown): Result<Snapshot, DeploymentFailure> {
  const read = readDocument(value, readFields)
  if (!read.ok) return read
  const failure =
    policiesFailure(read.value.policies) ??
    certificatesFailure('trustAnchors', read.value.trustAnchors, 'trust-anchor-unreadable') ??
    certificatesFailure('intermediates', read.value.intermediates, 'intermediate-unreadable') ??
    aclFailure(read.value.issuerAcl)
  return failure === undefined ? success(read.value) : failed(failure)
}

/** What policies are held against, without revocation: that is live. */
export function trustOf({
  trustAnchors,
  intermediates,
  issuerAcl,
}: Pick<Snapshot, 'trustAnchors' | 'intermediates' | 'issuerAcl'>): Trust {
  return {
    ...(trustAnchors.length === 0 ? {} : { trustAnchors: parseTrustAnchors(trustAnchors) }),
    ...(intermediates.length === 0 ? {} : { intermediates: parseIntermediates(intermediates) }),
    ...(issuerAcl === null ? {} : { issuerAcl: parseIssuerAcl(issuerAcl) }),
  }
}

/**
 * Whether the parts of a snapshot go together: a policy that validates wants trust anchors, one that looks at the issuer an ACL. The
 * inactive ones as well: a guard will not start without.
 *
 * @param snapshot - One that {@link checkSnapshot} has let pass.
 */
export function usabilityFailure(snapshot: Snapshot): DeploymentFailure | undefined {
  const { lists } = parsePipelines(snapshot.policies)
  try {
    rulesOf(
      pipelineNames.flatMap((name) => lists[name]),
      trustOf(snapshot),
    )
    return undefined
  } catch (error) {
    const { code, message, option } = error as Partial<Misuse> & { readonly option?: string }
    if (code !== 'option-missing' && code !== 'trust-anchors-missing') throw error
    return { code: 'snapshot-unusable', path: option ?? '', expected: message ?? '' }
  }
}

/** What is wrong with settings of revocation, field by field; for whoever stores them. */
export function checkRevocation(value: unknown): Result<RevocationSettings, DeploymentFailure> {
  return readDocument(value, readRevocation)
}

export function checkUpstream(value: unknown): Result<Upstream, DeploymentFailure> {
  return readDocument(value, readUpstream)
}

function readFields(value: unknown, path: string, problems: PolicyProblem[]): Snapshot {
  const fields = new DocumentFields(value, path, problems)
  const snapshot: Snapshot = {
    version: fields.fixed('version', 1),
    project: fields.text('project', namePattern, nameWords),
    apiProxy: fields.text('apiProxy', namePattern, nameWords),
    ...readPlaceFields(fields),
    upstream: fields.object('upstream', readUpstream),
    policies: fields.object('policies', readPolicies),
    trustAnchors: fields.texts('trustAnchors', 10_000, anyText, base64Words),
    intermediates: fields.texts('intermediates', 10_000, anyText, base64Words),
    issuerAcl: fields.nullableText('issuerAcl', anyText, 'a text'),
    revocation: fields.nullable('revocation', readRevocation),
  }
  fields.done()
  return snapshot
}

function readUpstream(value: unknown, path: string, problems: PolicyProblem[]): Upstream {
  const fields = new DocumentFields(value, path, problems)
  const upstream = {
    url: fields.text('url', anyText, urlWords),
    timeoutMs: fields.count('timeoutMs', 1, 3_600_000),
    maxBodyBytes: fields.count('maxBodyBytes', 0, 1_099_511_627_776),
    identityHeaders: fields.object('identityHeaders', readHeaders),
  }
  if (!isUpstreamUrl(upstream.url)) fields.problem('url', urlWords)
  fields.done()
  return upstream
}

function readHeaders(
  value: unknown,
  path: string,
  problems: PolicyProblem[],
): Readonly<Record<string, string>> {
  const fields = new DocumentFields(value, path, problems)
  const headers: Record<string, string> = Object.create(null)
  for (const name of isObject(value) ? Object.keys(value) : []) {
    headers[name] = fields.oneOf(name, identityFields)
    if (!headerPattern.test(name)) fields.problem(name, 'the name of a header')
    else if (isOfMessage(name)) fields.problem(name, ofMessageWords)
  }
  fields.done()
  return { ...headers }
}

/** Its fields; the documents in it are for `parsePipelines`. */
function readPolicies(value: unknown, path: string, problems: PolicyProblem[]): PipelineDocuments {
  const fields = new DocumentFields(value, path, problems)
  const name = fields.optionalText('name', anyText, 'a text')
  const lists = {
    requestPolicyList: fields.list('requestPolicyList', 10_000, readObject),
    responsePolicyList: fields.list('responsePolicyList', 10_000, readObject),
    errorPolicyList: fields.list('errorPolicyList', 10_000, readObject),
  }
  fields.done()
  return name === undefined ? lists : { name, ...lists }
}

function readObject(value: unknown, path: string, problems: PolicyProblem[]): object {
  if (isObject(value)) return value
  problems.push({ path, problem: 'invalid', expected: 'an object' })
  return {}
}

function readRevocation(
  value: unknown,
  path: string,
  problems: PolicyProblem[],
): RevocationSettings {
  const fields = new DocumentFields(value, path, problems)
  const settings: RevocationSettings = {
    mode: fields.oneOf('mode', ['crl', 'ocsp', 'crl-or-ocsp']),
    onUnknown: fields.oneOf('onUnknown', ['deny', 'allow']),
    depth: fields.oneOf('depth', ['path', 'target']),
    urls: fields.texts('urls', 256, httpUrl, 'a URL of http or https'),
    distributionPoints: fields.flag('distributionPoints'),
    responder: fields.nullableText('responder', responderPattern, 'aia or a URL of http or https'),
    allowAddresses: fields.texts('allowAddresses', 256, addressPattern, 'an address or a range'),
  }
  const { mode, urls, responder, distributionPoints } = settings
  for (const [index, url] of urls.entries()) {
    if (!isPlainUrl(url)) fields.problem(`urls[${index}]`, revocationUrlWords)
  }
  if (responder !== null && responder !== 'aia' && !isPlainUrl(responder)) {
    fields.problem('responder', `aia or ${revocationUrlWords}`)
  }
  // What has no effect is believed to have one.
  if (mode === 'crl' && responder !== null) fields.problem('responder', 'null with mode crl')
  if (mode !== 'crl' && responder === null) {
    fields.problem('responder', `aia or a URL with mode ${mode}`)
  }
  if (mode === 'ocsp' && urls.length > 0) fields.problem('urls', 'none with mode ocsp')
  if (mode === 'ocsp' && distributionPoints) {
    fields.problem('distributionPoints', 'false with mode ocsp')
  }
  fields.done()
  return settings
}

function policiesFailure(policies: PipelineDocuments): DeploymentFailure | undefined {
  try {
    parsePipelines(policies)
    return undefined
  } catch (error) {
    if (codeOf(error) !== 'policy-invalid') throw error
    const { problems } = error as PolicyInvalid
    const path = `policies.${problems[0]?.path ?? ''}`
    return { code: 'policies-invalid', path, problems }
  }
}

function certificatesFailure(
  field: string,
  list: readonly string[],
  code: 'trust-anchor-unreadable' | 'intermediate-unreadable',
): DeploymentFailure | undefined {
  const index = list.findIndex((text) => {
    const der = decodeBase64(text)
    // White space between the digits would be another form of the same certificate.
    return der === undefined || encodeBase64(der) !== text || !parseCertificate(der).ok
  })
  return index < 0 ? undefined : { code, path: `${field}[${index}]` }
}

function aclFailure(text: string | null): DeploymentFailure | undefined {
  if (text === null) return undefined
  try {
    parseIssuerAcl(text)
    return undefined
  } catch (error) {
    if (codeOf(error) !== 'acl-invalid') throw error
    const expected = (error as TypeError).message
    return { code: 'issuer-acl-invalid', path: 'issuerAcl', expected }
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof TypeError ? (error as { readonly code?: unknown }).code : undefined
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * What frames a message, belongs to one connection, or says which way it came: the gateway writes these itself, and with a second one no
 * request would be answered, or one would be taken for two. Cookies are the client's and stay. Written as some servers read names: see `src/http/strip.ts`.
 */
function isOfMessage(name: string): boolean {
  return ofMessage.test(name.toLowerCase().replace(/[^a-z\d-]/g, '-'))
}

/** A password in a URL would be seen by everybody who reads a snapshot; a query would be lost when the request's own is set. */
export function isUpstreamUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password, search, hash } = new URL(text)
  const isHttp = protocol === 'http:' || protocol === 'https:'
  return isHttp && username + password + search + hash === '' && !/[?#\s]/.test(text)
}

/** A password in it would be in every snapshot, export, log and answer, and no gateway would use it. */
function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { username, password } = new URL(text)
  return username === '' && password === ''
}

/** Local limit: room for ten thousand trust anchors. */
export const maxSnapshotBytes = 33_554_432
const urlWords = 'a URL of http or https without user, query and fragment'
const revocationUrlWords = 'a URL of http or https without user'
const httpUrl = /^https?:\/\/[^\s]{1,2000}$/
const responderPattern = /^(?:aia|https?:\/\/[^\s]{1,2000})$/
const addressPattern = /^[0-9A-Fa-f:.]{2,45}(?:\/\d{1,3})?$/
const headerPattern = /^[!#$%&'*+.^`|~\w-]{1,128}$/
/** RFC 9110 §7.2, §7.6 and §8.6, RFC 9112 §6.1, RFC 7239 §4. Who a client is may be said in `X-Forwarded-Client-…` and `X-Forwarded-Tls-…`. */
const ofMessage =
  /^(?:host|connection|keep-alive|proxy-.*|upgrade|te|trailers?|http2-settings|content-length|transfer-encoding|expect|max-forwards|via|cookie|forwarded|x-forwarded(?:-(?!client-|tls-).*)?|x-request-id)$/
const ofMessageWords = 'the name of a header that the gateway does not write itself'
const anyText = /^[\s\S]*$/
const base64Words = 'base64 of DER'
