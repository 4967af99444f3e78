/** Shapes of the API for its OpenAPI document; those of requests are also what bodies are held against. @module */

import { z } from '@hono/zod-openapi'
import { httpMethods } from '../../policy/endpoint.ts'
import { oneOfWords } from '../../policy/fields.ts'
import { newNameWords } from '../service/names.ts'
import { type FieldProblem, invalid } from '../service/refusal.ts'
import { isWritableTime, writableTimeWords } from '../service/times.ts'

/**
 * @throws Refusal `invalid` with every bad field.
 */
export function checked<T>(schema: z.ZodType, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data as T
  throw invalid(parsed.error.issues.flatMap((issue) => problemsOf(issue, value)))
}

function problemsOf(issue: z.core.$ZodIssue, value: unknown): readonly FieldProblem[] {
  const path = pathText(issue.path)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: pathText([...issue.path, key]),
      problem: 'unknown-field',
      expected: 'no such field',
    }))
  }
  const isMissing = issue.path.length > 0 && partOf(value, issue.path) === undefined
  return [{ path, problem: isMissing ? 'missing' : 'invalid', expected: wordsOf(issue) }]
}

/** In words of ours; those of a schema stand beside it. */
function wordsOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return typeWords[issue.expected] ?? issue.expected
    case 'too_small':
      return bounded('least', issue.origin, issue.minimum)
    case 'too_big':
      return bounded('most', issue.origin, issue.maximum)
    case 'invalid_value':
      return oneOfWords(issue.values)
    case 'invalid_format':
      return issue.format === 'datetime' ? 'a time such as 2026-11-23T22:00:00Z' : issue.message
    default:
      return issue.message
  }
}

function bounded(which: 'least' | 'most', origin: string, bound: number | bigint): string {
  const plural = Number(bound) === 1 ? '' : 's'
  if (origin === 'string') return `a text of at ${which} ${bound} character${plural}`
  if (origin === 'array') return `a list of at ${which} ${bound} item${plural}`
  return `a number of at ${which} ${bound}`
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

function partOf(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (part, key) =>
      typeof part === 'object' && part !== null && Object.hasOwn(part, key)
        ? (part as Readonly<Record<PropertyKey, unknown>>)[key]
        : undefined,
    value,
  )
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`
    return text === '' ? String(key) : `${text}.${String(key)}`
  }, '')
}

/** Text that both databases keep. */
const text: z.ZodType<string> = z
  .string()
  .max(65_536)
  .refine((value) => !value.includes('\0'), 'a text without NUL')
  .openapi({ pattern: '^[^\\u0000]*$' })
/** As names in paths; the exact rule is beside it, because few readers of JSON Schema know Unicode's categories. */
const name: z.ZodType<string> = z
  .string()
  .min(1)
  .max(255)
  .openapi({ description: newNameWords, example: 'MyProject' })
const digest: z.ZodType<string> = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'a SHA-256 digest in hexadecimal')
const time: z.ZodType<string> = z.iso
  .datetime({ offset: true })
  .refine(isWritableTime, writableTimeWords)
  .openapi({ description: 'RFC 3339' })
/** Of a query: decimal digits, and nothing else that JavaScript takes for a number. */
function whole(maximum: number, description: string): z.ZodType {
  return z
    .string()
    .regex(/^[0-9]{1,16}$/, `a whole number from 1 to ${maximum}`)
    .transform(Number)
    .pipe(z.int().min(1).max(maximum))
    .optional()
    .openapi({ type: 'integer', minimum: 1, maximum, description })
}

/** A segment of a path. */
export function pathName(description: string, example: string): z.ZodType {
  return z
    .string()
    .min(1)
    .max(255)
    .openapi({ description, example, pattern: '^[^/\\u0000-\\u001f\\u007f-\\u009f]+$' })
}

export const noQuery: z.ZodObject = z.strictObject({})

export const pageQuery: z.ZodObject = z.strictObject({
  limit: whole(1000, 'Items of a page; default 100'),
  cursor: z.string().min(1).max(2048).optional().openapi({
    description: 'nextCursor of the page before',
  }),
})

export const auditQuery: z.ZodObject = pageQuery.extend({
  project: z.string().min(1).max(255).optional().openapi({
    description:
      'Of this project alone, for which the right read is enough; absent: all, for admins',
  }),
})

export const revisionQuery: z.ZodObject = z.strictObject({
  revision: whole(Number.MAX_SAFE_INTEGER, 'To compare with; absent: what is in force'),
})

const deploying = {
  deploy: z.boolean().default(true),
  deployTargetEnvironmentNameList: z.array(name).default([]),
  order: z.int().min(1).nullable().default(null),
}
const pipeline: z.ZodType = z.enum(['REQUEST', 'RESPONSE', 'ERROR'])
const operationMetadata: z.ZodType = z
  .union([
    z.strictObject({
      targetScope: z.literal('ALL'),
      targetPipeline: pipeline,
      ...deploying,
    }),
    z.strictObject({
      targetScope: z.literal('ENDPOINT'),
      targetEndpoint: z.string().max(8192).openapi({ example: '/orders/{id}', pattern: '^/' }),
      targetEndpointHTTPMethod: z.enum(httpMethods),
      targetPipeline: pipeline,
      ...deploying,
    }),
  ])
  .openapi('OperationMetadata')

const aclJson: z.ZodType = z.array(z.record(z.string(), z.unknown()))
const policyFields = {
  type: z.literal('policy-auth-mtls'),
  description: z.string().optional(),
  active: z.boolean().default(true),
  validateCertificate: z.boolean().default(true),
  validateACLForIssuer: z.boolean().default(true),
  mode: z.enum(['enforce', 'report']).optional().openapi({
    description: 'An addition: with report a refusal lets the request pass',
  }),
  clientAcl: z.union([z.string(), aclJson]).optional().openapi({
    description: 'An addition: who may come in, by their own certificate; text or JSON',
  }),
}
const sameName: z.ZodType = z.string().optional().openapi({
  description: 'As in the path, or absent',
})
const samePlace = {
  targetScope: z.enum(['ALL', 'ENDPOINT']).optional(),
  targetEndpoint: z.string().optional(),
  targetEndpointHTTPMethod: z.enum(httpMethods).optional(),
  targetPipeline: pipeline.optional(),
}
const sameOrder = z.int().min(1).nullable().optional()
export const policyRequest: z.ZodType = z
  .strictObject({
    operationMetadata,
    policy: z
      .strictObject({ name: sameName, ...policyFields, ...samePlace, order: sameOrder })
      .openapi({ description: 'Its place may be shown here as well, as where it is read' }),
  })
  .openapi('PolicyRequest')
export const policyDeletion: z.ZodType = z
  .strictObject({ operationMetadata })
  .openapi('PolicyDeletion')

const listedFields = {
  type: z.literal('policy-auth-mtls'),
  name,
  description: z.string().optional(),
  active: z.boolean(),
  validateCertificate: z.boolean(),
  validateACLForIssuer: z.boolean(),
  mode: z.enum(['enforce', 'report']).optional(),
  clientAcl: z.union([z.string(), aclJson]).optional(),
  targetScope: z.literal('ENDPOINT').optional(),
  targetEndpoint: z.string().optional(),
  targetEndpointHTTPMethod: z.enum(httpMethods).optional(),
}
const listedPolicy: z.ZodType = z.strictObject(listedFields).openapi('ListedPolicy')
const threeLists = {
  requestPolicyList: z.array(listedPolicy),
  responsePolicyList: z.array(listedPolicy),
  errorPolicyList: z.array(listedPolicy),
}
const policyLists: z.ZodType = z
  .strictObject({ apiProxy: z.strictObject({ name, ...threeLists }) })
  .openapi('PolicyLists')
const policy: z.ZodType = z
  .strictObject({ ...listedFields, targetPipeline: pipeline, order: z.int().min(1) })
  .openapi('Policy')
export const policyUpdate: z.ZodType = z
  .union([
    policyRequest,
    z
      .strictObject({
        name: sameName,
        ...policyFields,
        ...samePlace,
        targetPipeline: pipeline,
        order: sameOrder,
      })
      .openapi('PolicyAsRead', { description: 'As it is read: stored, and not deployed' }),
  ])
  .openapi('PolicyUpdate')

const environmentResults: z.ZodType = z.array(
  z.strictObject({ environmentName: name, success: z.boolean(), message: z.string() }),
)
const deploymentResult: z.ZodType = z
  .strictObject({ success: z.boolean(), deploymentResults: environmentResults })
  .openapi('DeploymentResult')
const liveResult: z.ZodType = z
  .strictObject({ success: z.boolean(), liveResults: environmentResults })
  .openapi('LiveResult', {
    description:
      'What gateways said; success is false where it is stored and not known to be in force',
  })

export const projectRequest: z.ZodType = z
  .strictObject({ name: sameName, description: text.optional() })
  .openapi('ProjectRequest')
const project: z.ZodType = z.strictObject({ name, description: z.string() }).openapi('Project')
export const emptyRequest: z.ZodType = z.strictObject({}).openapi('EmptyRequest')
const environment: z.ZodType = z.strictObject({ name }).openapi('Environment')

const endpoint: z.ZodType = z
  .strictObject({ path: z.string(), method: z.enum(httpMethods) })
  .openapi('Endpoint')
const identityHeaders: z.ZodType = z.record(z.string(), z.string())
export const apiProxyRequest: z.ZodType = z
  .strictObject({
    name: sameName,
    hosts: z.array(z.string().min(1).max(253)).min(1).default(['*']),
    basePath: z.string().max(1024).default('/'),
    upstream: z.strictObject({
      url: z.string().openapi({ example: 'http://127.0.0.1:8081' }),
      timeoutMs: z.int().min(1).max(3_600_000).default(30_000),
      maxBodyBytes: z.int().min(0).max(1_099_511_627_776).default(10_485_760),
      identityHeaders: identityHeaders.optional(),
    }),
    tls: z.boolean().default(true),
    endpoints: z.array(endpoint).default([]),
    environments: z.array(name).default([]),
  })
  .openapi('ApiProxyRequest')
const apiProxyFields = {
  name,
  hosts: z.array(z.string()),
  basePath: z.string(),
  upstream: z.strictObject({
    url: z.string(),
    timeoutMs: z.int(),
    maxBodyBytes: z.int(),
    identityHeaders,
  }),
  tls: z.boolean(),
  endpoints: z.array(endpoint),
  environments: z.array(name),
}
const apiProxy: z.ZodType = z.strictObject(apiProxyFields).openapi('ApiProxy')

const certificates: z.ZodType = z.union(
  [z.string().min(1), z.array(z.string().min(1)).min(1)],
  'a certificate as PEM or base64 of DER, or a list of these',
)
const certificateSummary: z.ZodType = z
  .strictObject({
    subject: z.string(),
    issuer: z.string(),
    notBefore: time,
    notAfter: time,
    sha256: digest,
    der: z.string(),
  })
  .openapi('CertificateSummary')
const uploaded: z.ZodType = z.union(
  [z.string().min(1), certificateSummary],
  'a certificate as PEM or base64 of DER, or as it is read',
)
const uploadWords = 'certificates as PEM, base64 of DER or PKCS #7, or a list of these'
export const trustStoreRequest: z.ZodType = z
  .strictObject({
    anchors: z.union([z.string().min(1), z.array(uploaded).min(1)], uploadWords),
    intermediates: z.union([z.string().min(1), z.array(uploaded)], uploadWords).optional(),
  })
  .openapi('TrustStoreRequest', {
    description:
      'PEM, base64 of DER, or PKCS #7 as PEM or base64; any number of certificates. In a list also as they are read',
  })
const trustStore: z.ZodType = z
  .strictObject({
    anchors: z.array(certificateSummary),
    intermediates: z.array(certificateSummary),
  })
  .openapi('TrustStore')
export const issuerAclRequest: z.ZodType = z
  .strictObject({ acl: z.union([z.string(), aclJson], 'an ACL as text, or as a list of rules') })
  .openapi('IssuerAclRequest')
const issuerAcl: z.ZodType = z.strictObject({ acl: z.string() }).openapi('IssuerAcl')
const revocationFields = {
  mode: z.enum(['crl', 'ocsp', 'crl-or-ocsp']),
  onUnknown: z.enum(['deny', 'allow']),
  depth: z.enum(['path', 'target']),
  urls: z.array(z.string()),
  distributionPoints: z.boolean(),
  responder: z.string().nullable(),
  allowAddresses: z.array(z.string()),
}
const revocation: z.ZodType = z.strictObject(revocationFields).openapi('Revocation')
export const revocationRequest: z.ZodType = z
  .strictObject(revocationFields)
  .partial()
  .openapi('RevocationRequest')

export const crlRequest: z.ZodType = z
  .strictObject({ crl: z.string().min(1).openapi({ description: 'PEM, or base64 of DER' }) })
  .openapi('CrlRequest')
const crl: z.ZodType = z
  .strictObject({
    sha256: digest,
    issuer: z.string(),
    thisUpdate: time,
    nextUpdate: time.nullable(),
    octets: z.int(),
  })
  .openapi('Crl')
const killEntryNote = { note: z.string().max(4096).optional(), expires: time.optional() }
const killDigest: z.ZodType = z
  .string()
  .openapi({ description: 'SHA-256 in hexadecimal or base64', example: '0'.repeat(64) })
export const killEntryRequest: z.ZodType = z
  .union([
    z.strictObject({
      issuer: z.string().openapi({ example: 'CN=Issuing CA,O=Example' }),
      serialNumber: z.string().openapi({ example: '01ab' }),
      ...killEntryNote,
    }),
    z.strictObject({ issuer: z.string(), ...killEntryNote }),
    z.strictObject({ spkiSha256: killDigest, ...killEntryNote }),
    z.strictObject({ certificateSha256: killDigest, ...killEntryNote }),
    z.strictObject({
      certificate: z.string().openapi({ description: 'PEM, or base64 of DER' }),
      ...killEntryNote,
    }),
    z.strictObject({ issuerSpkiSha256: killDigest, ...killEntryNote }),
  ])
  .openapi('KillEntryRequest')
const killEntry: z.ZodType = z
  .strictObject({ id: z.string(), createdAt: time, entry: killEntryRequest })
  .openapi('KillEntry')

export const deploymentRequest: z.ZodType = z
  .strictObject({
    environments: z.array(name).default([]).openapi({
      description: 'Empty: every environment that runs the API proxy',
    }),
  })
  .openapi('DeploymentRequest')
export const rollbackRequest: z.ZodType = z
  .strictObject({ revision: z.int().min(1) })
  .openapi('RollbackRequest')
const deploymentStatus: z.ZodType = z
  .strictObject({
    environmentName: name,
    hash: digest.nullable(),
    sequence: z.int().nullable(),
    revision: z.int().nullable(),
    redeployRequired: z.boolean(),
    problem: z.string().optional(),
  })
  .openapi('DeploymentStatus')
const deployment: z.ZodType = z
  .strictObject({
    revision: z.int(),
    kind: z.enum(['deploy', 'rollback', 'undeploy']),
    hash: digest.nullable(),
    sequence: z.int().nullable(),
    createdAt: time,
    actor: z.string(),
    success: z.boolean(),
    message: z.string(),
  })
  .openapi('Deployment')
const difference: z.ZodType = z
  .strictObject({
    environmentName: name,
    runningHash: digest.nullable(),
    storedHash: digest.nullable(),
    problem: z.string().optional(),
    differences: z.array(
      z.strictObject({
        path: z.string(),
        running: z.unknown().optional(),
        stored: z.unknown().optional(),
      }),
    ),
  })
  .openapi('DeploymentDifference')

const right: z.ZodType = z
  .union(
    [
      z.strictObject({ right: z.literal('admin') }),
      z.strictObject({ right: z.enum(['read', 'write', 'deploy']), project: name }),
      z.strictObject({ right: z.literal('gateway'), environment: name }),
    ],
    'admin alone; read, write or deploy with a project; or gateway with an environment',
  )
  .openapi('Right')
export const tokenRequest: z.ZodType = z
  .strictObject({
    rights: z.array(right).min(1).max(1000),
    expiresAt: time.nullable().optional(),
  })
  .openapi('TokenRequest')
const tokenFields = {
  name,
  rights: z.array(right),
  createdAt: time,
  expiresAt: time.nullable(),
  revokedAt: time.nullable(),
  lastUsedAt: time.nullable(),
}
const token: z.ZodType = z.strictObject(tokenFields).openapi('Token')
const newToken: z.ZodType = z
  .strictObject({ ...tokenFields, token: z.string() })
  .openapi('NewToken')
const auditRecord: z.ZodType = z
  .strictObject({
    id: z.string(),
    at: time,
    actor: z.string(),
    action: z.string(),
    target: z.string(),
    detail: z.unknown(),
  })
  .openapi('AuditRecord')

export const evaluateRequest: z.ZodType = z
  .strictObject({
    certificate: certificates.optional(),
    time: time.optional(),
    method: z.enum(httpMethods).optional(),
    path: z
      .string()
      .max(8192)
      .regex(/^\//, 'a path, which begins with /')
      .optional()
      .openapi({ example: '/orders/7' }),
  })
  .openapi('EvaluateRequest')
const describedFailure: z.ZodType = z
  .strictObject({
    code: z.string(),
    source: z.string(),
    message: z.string(),
    remedy: z.string(),
  })
  .openapi('DescribedFailure')
const evaluation: z.ZodType = z
  .strictObject({
    allowed: z.boolean(),
    applies: z.boolean(),
    status: z.int().optional(),
    failure: describedFailure.optional(),
    identity: z
      .strictObject({
        subject: z.string(),
        issuer: z.string(),
        serialNumber: z.string(),
        fingerprint: z.string(),
        spkiSha256: z.string(),
      })
      .optional(),
    warnings: z.array(z.string()),
    trace: z.array(
      z.strictObject({
        pipeline,
        policy: z.string(),
        targetScope: z.enum(['ALL', 'ENDPOINT']),
        result: z.enum(['passed', 'refused', 'would-refuse', 'skipped']),
        failure: describedFailure.optional(),
      }),
    ),
  })
  .openapi('Evaluation')

const exportedSettings: z.ZodType = z
  .strictObject({
    trustStore: z
      .strictObject({ anchors: z.array(z.string()), intermediates: z.array(z.string()) })
      .optional(),
    issuerAcl: z.string().optional(),
    revocation: revocation.optional(),
    crls: z.array(z.string()).optional(),
    killList: z.array(killEntryRequest).optional(),
  })
  .openapi('ExportedSettings')
export const projectFile: z.ZodType = z
  .strictObject({
    version: z.literal(1),
    project,
    settings: exportedSettings,
    apiProxies: z.array(
      z.strictObject({
        ...apiProxyFields,
        policies: z.strictObject(threeLists),
        settings: exportedSettings,
      }),
    ),
  })
  .openapi('ProjectFile')

const fieldProblem: z.ZodType = z
  .strictObject({
    path: z.string(),
    problem: z.enum(['missing', 'unknown-field', 'invalid', 'conflict', 'not-unique']),
    expected: z.string(),
  })
  .openapi('FieldProblem')
/** The envelope of every failure. */
export const failure: z.ZodType = z
  .strictObject({
    success: z.literal(false),
    error: z.strictObject({
      code: z.string(),
      message: z.string(),
      details: z.array(fieldProblem).optional(),
    }),
  })
  .openapi('Failure')

export const healthAnswer: z.ZodType = z
  .strictObject({ success: z.literal(true) })
  .openapi('Health')

export const gatewaysAnswer: z.ZodType = listOf(
  z
    .strictObject({
      name: z.string(),
      seenAt: time,
      connected: z.boolean(),
      runs: z.array(
        z.strictObject({
          project: z.string(),
          apiProxy: z.string(),
          hash: digest.nullable(),
          sequence: z.int(),
        }),
      ),
      live: z.strictObject({ hash: digest, sequence: z.int() }).nullable(),
      problems: z.array(
        z.strictObject({
          project: z.string(),
          apiProxy: z.string(),
          sequence: z.int(),
          code: z.string(),
          message: z.string(),
        }),
      ),
    })
    .openapi('Gateway'),
)

/** The envelopes of success. */
export const answers: Readonly<Record<AnswerName, z.ZodType>> = {
  done: z.strictObject({ success: z.literal(true) }).openapi('Done'),
  deployed: z
    .strictObject({ success: z.literal(true), deploymentResult })
    .openapi('DeploymentAnswer'),
  policyLists: listOf(policyLists),
  policy: one(policy),
  projects: pageOf(project),
  project: one(project),
  environments: pageOf(environment),
  environment: one(environment),
  apiProxies: pageOf(apiProxy),
  apiProxy: one(apiProxy),
  trustStore: one(trustStore),
  issuerAcl: one(issuerAcl),
  revocation: one(revocation),
  crls: pageOf(crl),
  crlsAdded: z.strictObject({
    success: z.literal(true),
    resultList: z.array(crl),
    resultCount: z.int(),
    liveResult,
  }),
  killEntries: pageOf(killEntry),
  killEntry: z.strictObject({ success: z.literal(true), result: killEntry, liveResult }),
  liveDone: z.strictObject({ success: z.literal(true), liveResult }).openapi('LiveDone'),
  statuses: listOf(deploymentStatus),
  history: pageOf(deployment),
  difference: one(difference),
  tokens: pageOf(token),
  token: one(token),
  newToken: one(newToken),
  audit: pageOf(auditRecord),
  evaluation: one(evaluation),
  projectFile,
}

export type AnswerName =
  | 'done'
  | 'deployed'
  | 'policyLists'
  | 'policy'
  | 'projects'
  | 'project'
  | 'environments'
  | 'environment'
  | 'apiProxies'
  | 'apiProxy'
  | 'trustStore'
  | 'issuerAcl'
  | 'revocation'
  | 'crls'
  | 'crlsAdded'
  | 'killEntries'
  | 'killEntry'
  | 'liveDone'
  | 'statuses'
  | 'history'
  | 'difference'
  | 'tokens'
  | 'token'
  | 'newToken'
  | 'audit'
  | 'evaluation'
  | 'projectFile'

function one(result: z.ZodType): z.ZodType {
  return z.strictObject({ success: z.literal(true), result })
}

function listOf(item: z.ZodType): z.ZodType {
  return z.strictObject({
    success: z.literal(true),
    resultList: z.array(item),
    resultCount: z.int(),
  })
}

function pageOf(item: z.ZodType): z.ZodType {
  return z.strictObject({
    success: z.literal(true),
    resultList: z.array(item),
    resultCount: z.int(),
    nextCursor: z.string().optional(),
  })
}
