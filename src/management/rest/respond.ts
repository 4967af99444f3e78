/** From a request to the answer of its route: right, conditions, query, body; then the route itself. @module */

import { createHash } from 'node:crypto'
import { namePattern } from '../../deployment/fields.ts'
import { maxDocument } from '../service/limits.ts'
import { isNewName, newNameWords } from '../service/names.ts'
import { invalidField, Refusal } from '../service/refusal.ts'
import { type Actor, demandAdmin, demandProject } from '../service/rights.ts'
import type { Answer } from './answer.ts'
import { demandJson, parseJson, readOctets } from './body.ts'
import { Call } from './call.ts'
import { isKnown, readIdempotencyKey, readIfMatch } from './conditions.ts'
import type { Manager } from './manager.ts'
import type { Route, RouteBody } from './route.ts'
import { checked, noQuery } from './schemas.ts'

export async function respond(
  route: Route,
  request: Request,
  actor: Actor,
  manager: Manager,
  bodyTimeoutMs: number,
): Promise<Response> {
  const url = new URL(request.url)
  const names = namesIn(route, url.pathname)
  const project = names.projectName
  if (route.needs === 'admin') demandAdmin(actor)
  else if (route.needs !== 'any' && project !== undefined)
    demandProject(actor, route.needs, project)
  const created = route.method === 'post' ? createdBy(route) : undefined
  for (const [parameter, name] of Object.entries(names)) {
    if (parameter === created && !isNewName(name)) throw invalidField(parameter, newNameWords)
    if (namePattern.test(name)) continue
    throw new Refusal('not-found', 'nothing can have such a name')
  }
  const ifMatch = readIfMatch(request.headers.get('if-match'))
  if (ifMatch !== undefined && route.conditional !== true) {
    throw new Refusal('version-mismatch', 'If-Match can hold for no state of this resource')
  }
  const query = checked<Record<string, unknown>>(route.query ?? noQuery, queryOf(url))
  const { body, octets } = await readBody(route.body, request, bodyTimeoutMs)
  const key =
    route.method === 'post' ? readIdempotencyKey(request.headers.get('idempotency-key')) : undefined
  const retry =
    key === undefined
      ? undefined
      : { key, tokenId: actor.tokenId, requestHash: hashOf(url, octets) }
  const call = new Call({ manager, actor, names, query, body, ifMatch, retry })
  return responseOf(await route.handle(call), request)
}

/** The segment that names what a POST makes. */
function createdBy({ path }: Route): string | undefined {
  return /\{(\w+)\}\/(?:import\/)?$/.exec(path)?.[1]
}

/** From the path as it was sent: a router may decode it once too often. */
function namesIn({ path }: Route, pathname: string): Readonly<Record<string, string>> {
  const given = pathname.split('/')
  const names: Record<string, string> = {}
  for (const [index, segment] of path.split('/').entries()) {
    const name = /^\{(.+)\}$/.exec(segment)?.[1]
    if (name !== undefined) names[name] = decodeURIComponent(given[index] ?? '')
  }
  return names
}

function queryOf({ searchParams }: URL): Readonly<Record<string, string>> {
  const query: Record<string, string> = Object.create(null)
  for (const [name, value] of searchParams) {
    if (name in query) throw invalidField(name, 'given once', 'not-unique')
    query[name] = value
  }
  return { ...query }
}

interface ReadBody {
  readonly body: unknown
  readonly octets: Uint8Array
}

async function readBody(
  wanted: RouteBody | undefined,
  request: Request,
  timeoutMs: number,
): Promise<ReadBody> {
  if (wanted === undefined) return { body: undefined, octets: new Uint8Array() }
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  const isOctets = wanted.octets?.includes(type) ?? false
  if (!isOctets) {
    if (wanted.schema === undefined) {
      const types = wanted.octets?.join(', ') ?? ''
      throw new Refusal('content-type-unsupported', `Content-Type must be one of ${types}`)
    }
    demandJson(request)
  }
  const octets = await readOctets(request, wanted.maximum ?? maxDocument, timeoutMs)
  if (isOctets) return { body: octets, octets }
  const value = parseJson(octets)
  const isChecked = wanted.checkedBy === 'schema' && wanted.schema !== undefined
  return { body: isChecked ? checked(wanted.schema, value) : value, octets }
}

function hashOf({ pathname, search }: URL, octets: Uint8Array): string {
  return createHash('sha256').update(`${pathname}${search}\n`).update(octets).digest('hex')
}

function responseOf({ status, body, tag, headers = {} }: Answer, request: Request): Response {
  const isOctets = body instanceof Uint8Array
  const text = isOctets ? new Uint8Array(body) : JSON.stringify(body)
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  const etag = tag ?? (isRead ? digest(text) : undefined)
  const all = new Headers({
    'content-type': 'application/json',
    'cache-control': isRead ? 'private, no-cache' : 'no-store',
    ...headers,
  })
  if (etag !== undefined) all.set('etag', `"${etag}"`)
  if (isRead && etag !== undefined && isKnown(request.headers.get('if-none-match'), etag)) {
    all.delete('content-type')
    return new Response(null, { status: 304, headers: all })
  }
  return new Response(text, { status, headers: all })
}

function digest(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('base64url').slice(0, 22)
}
