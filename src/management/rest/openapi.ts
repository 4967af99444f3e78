/** The OpenAPI 3.1 document, made from the routes themselves. @module */

import { OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi'
import type { Route } from './route.ts'
import { answers, failure, gatewaysAnswer, healthAnswer, pathName } from './schemas.ts'

export function openApiDocument(routes: readonly Route[]): object {
  const app = new OpenAPIHono()
  const { openAPIRegistry: registry } = app
  registry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' })
  registry.register('Failure', failure)
  for (const [status, description] of Object.entries(descriptions)) {
    registry.registerComponent('responses', `Failure${status}`, {
      description,
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Failure' } } },
    })
  }
  for (const route of routes) registry.registerPath(configOf(route))
  for (const route of otherRoutes) registry.registerPath(route)
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'mtls-policy management API',
      version: '1',
      description:
        'Policies of type policy-auth-mtls, what they are held against, and where they are in force. Every path is also served without its last slash.',
    },
    security: [{ bearer: [] }],
  })
  return JSON.parse(JSON.stringify(document)) as object
}

function configOf(route: Route): RouteConfig {
  const names = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string)
  const params = z.strictObject(
    Object.fromEntries(names.map((name) => [name, pathName(...(parameters[name] ?? unnamed))])),
  )
  const { body, query, answer } = route
  return {
    method: route.method,
    path: route.path,
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    security: [{ bearer: [] }],
    request: {
      ...(names.length === 0 ? {} : { params }),
      ...(query === undefined ? {} : { query }),
      ...(route.method === 'post' && route.operationId !== 'createToken'
        ? { headers: retryHeaders }
        : route.conditional === true
          ? { headers: conditionHeaders }
          : {}),
      ...(body === undefined ? {} : { body: { required: true, content: contentOf(body) } }),
    },
    responses: {
      [route.status ?? 200]: {
        description: 'Done',
        content:
          typeof answer === 'string'
            ? { 'application/json': { schema: answers[answer] } }
            : { [answer.contentType]: { schema: { type: 'string', format: 'binary' } } },
      },
      ...Object.fromEntries(failuresOf(route).map((status) => [status, failureOf(status)])),
      431: { description: 'The head of the request is too large; answered without a body' },
    },
  }
}

function failureOf(status: number): { readonly $ref: string } {
  return { $ref: `#/components/responses/Failure${status}` }
}

function contentOf({ schema, octets = [] }: NonNullable<Route['body']>): Record<string, object> {
  const content: Record<string, object> = {}
  if (schema !== undefined) content['application/json'] = { schema }
  for (const type of octets) content[type] = { schema: { type: 'string', format: 'binary' } }
  return content
}

function failuresOf({ method, body, path }: Route): readonly number[] {
  const isNamed = path.includes('{')
  return [
    400,
    401,
    403,
    ...(isNamed ? [404] : []),
    ...(body === undefined ? [] : [408]),
    ...(method === 'get' ? [] : [409]),
    412,
    ...(body === undefined ? [] : [413, 415]),
    422,
    429,
    503,
  ]
}

const descriptions: Readonly<Record<number, string>> = {
  400: 'Malformed: no JSON, a bad escape in the path, a header that is none',
  401: 'No token, or one that is unknown, expired or revoked',
  403: 'The token lacks the right',
  404: 'No such project, API proxy, policy or environment',
  408: 'The body did not arrive in time',
  409: 'It is there already, is in use, or is not where the request says',
  412: 'If-Match: somebody else has written since',
  413: 'The body is too large',
  415: 'The body is of another type',
  422: 'Well-formed, but not valid: details name each bad field',
  429: 'Too many bad tokens from this address',
  503: 'The store is away, or the signing key of this manager was replaced',
}

const parameters: Readonly<Record<string, readonly [description: string, example: string]>> = {
  projectName: ['Project name', 'MyProject'],
  apiProxyName: ['API Proxy name', 'MyAPI'],
  policyName: ['Policy name', 'mtls-auth-policy'],
  environmentName: ['Environment name', 'production'],
  tokenName: ['Token name', 'ci'],
  sha256: ['SHA-256 of the CRL in hexadecimal', '0'.repeat(64)],
  killEntryId: ['Identifier of the entry', '01890000-0000-7000-8000-000000000000'],
}
const unnamed = ['Name', 'name'] as const

const retryHeaders: z.ZodObject = z.object({
  'Idempotency-Key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/)
    .optional()
    .openapi({ description: 'A retry with the same key and body gets the same answer' }),
})
const conditionHeaders: z.ZodObject = z.object({
  'If-Match': z.string().optional().openapi({
    description: 'ETags that were read, or *; 412 when somebody else has written since',
    example: '*',
  }),
})

/** What is not behind the router of this API. */
const otherRoutes: readonly RouteConfig[] = [
  {
    method: 'get',
    path: '/apiops/environments/{environmentName}/gateways/',
    operationId: 'listGateways',
    tags: ['Environments'],
    summary: 'Gateways of an environment, what they run and what they refused',
    security: [{ bearer: [] }],
    request: {
      params: z.strictObject({ environmentName: pathName('Environment name', 'production') }),
    },
    responses: {
      200: { description: 'Done', content: { 'application/json': { schema: gatewaysAnswer } } },
      ...Object.fromEntries(
        [400, 401, 403, 404, 429, 503].map((status) => [status, failureOf(status)]),
      ),
    },
  },
  ...(['health', 'ready'] as const).map(
    (name): RouteConfig => ({
      method: 'get',
      path: `/${name}/`,
      operationId: name,
      tags: ['Operation'],
      summary:
        name === 'health' ? 'The manager runs' : 'The manager reaches its store and may sign',
      security: [],
      responses: {
        200: { description: 'Yes', content: { 'application/json': { schema: healthAnswer } } },
        400: failureOf(400),
        ...(name === 'health' ? {} : { 503: failureOf(503) }),
      },
    }),
  ),
]
