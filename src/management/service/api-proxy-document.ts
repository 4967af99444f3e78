/** The document of an API proxy: where it answers, where it forwards to, and which environments run it. @module */

import { checkUpstream, defaultUpstream } from '../../deployment/index.ts'
import { basePathPattern, hostPattern } from '../../deployment/place.ts'
import { httpMethods, readPattern } from '../../policy/endpoint.ts'
import { Fields } from '../../policy/fields.ts'
import { placeKey } from '../../policy/place.ts'
import type { ApiProxy, Endpoint, Upstream } from '../resources.ts'
import type { ApiProxyRow } from './lookups.ts'
import { type FieldProblem, invalid } from './refusal.ts'
import { readSameName } from './same-name.ts'

export type ApiProxyDocument = Omit<ApiProxy, 'name'>

export function apiProxyOf({ document }: Pick<ApiProxyRow, 'document'>): ApiProxyDocument {
  return JSON.parse(document) as ApiProxyDocument
}

/**
 * Reads a document; what may be left out gets its default.
 *
 * @param name - From the path; a `name` must be the same.
 * @throws Refusal `invalid` with every bad field.
 */
export function readApiProxy(value: unknown, name: string): ApiProxyDocument {
  const problems: FieldProblem[] = []
  const fields = new Fields(value, '', problems)
  readSameName(fields, name)
  const document = apiProxyFrom(fields, problems)
  fields.done()
  if (problems.length > 0) throw invalid(problems)
  return document
}

/** Its fields; other fields of the same object are the caller's. */
export function apiProxyFrom(fields: Fields, problems: FieldProblem[]): ApiProxyDocument {
  return {
    hosts: readHosts(fields),
    basePath: readBasePath(fields),
    upstream: readUpstream(fields, problems),
    tls: fields.flag('tls', true),
    endpoints: readEndpoints(fields, problems),
    environments: [...new Set(readNames(fields, 'environments'))],
  }
}

function readHosts(fields: Fields): readonly string[] {
  if (fields.get('hosts') === undefined) return ['*']
  const hosts = readNames(fields, 'hosts').map((host) => host.toLowerCase())
  if (hosts.length === 0) fields.problem('hosts', 'invalid', 'at least one host name, or *')
  if (hosts.length > maxHosts) fields.problem('hosts', 'invalid', `at most ${maxHosts} hosts`)
  for (const [index, host] of hosts.entries()) {
    if (!hostPattern.test(host)) {
      fields.problem(`hosts[${index}]`, 'invalid', 'a host name without a port, or *')
    }
  }
  if (new Set(hosts).size !== hosts.length) fields.problem('hosts', 'not-unique', 'each host once')
  if (hosts.length > 1 && hosts.includes('*')) {
    fields.problem('hosts', 'conflict', '* alone, or no *')
  }
  return hosts
}

function readBasePath(fields: Fields): string {
  const path = fields.text('basePath') ?? '/'
  if (!basePathPattern.test(path)) {
    fields.problem('basePath', 'invalid', 'a path such as /payments/v1, without / at its end')
  }
  return path
}

function readUpstream(fields: Fields, problems: FieldProblem[]): Upstream {
  const given = fields.get('upstream')
  if (given === undefined) {
    fields.problem('upstream', 'missing', 'an object with url')
    return { url: '', ...defaultUpstream }
  }
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given)
  const checked = checkUpstream(isObject ? { ...defaultUpstream, ...given } : given)
  if (checked.ok) return checked.value
  const { failure } = checked
  const path = fields.pathOf('upstream')
  problems.push({
    path: failure.path === '' ? path : `${path}.${failure.path}`,
    problem: 'invalid',
    expected: 'expected' in failure ? failure.expected : failure.code,
  })
  return { url: '', ...defaultUpstream }
}

function readEndpoints(fields: Fields, problems: FieldProblem[]): readonly Endpoint[] {
  const list = fields.list('endpoints')
  if (list.length > maxEndpoints) {
    fields.problem('endpoints', 'invalid', `at most ${maxEndpoints} endpoints`)
    return []
  }
  const keys = new Set<string>()
  return list.map((value, index) => {
    const path = fields.pathOf(`endpoints[${index}]`)
    const one = new Fields(value, path, problems)
    const endpoint = { path: one.text('path') ?? '', method: one.oneOf('method', httpMethods) }
    one.done()
    const pattern = readPattern(endpoint.path)
    if (typeof pattern === 'string') one.problem('path', 'invalid', pattern)
    const key = placeKey({
      targetScope: 'ENDPOINT',
      targetEndpoint: endpoint.path,
      targetEndpointHTTPMethod: endpoint.method,
    })
    if (keys.has(key)) problems.push({ path, problem: 'not-unique', expected: 'each one once' })
    keys.add(key)
    return endpoint
  })
}

function readNames(fields: Fields, name: string): readonly string[] {
  const names = fields.list(name).filter((one, index): one is string => {
    if (typeof one === 'string' && one !== '') return true
    fields.problem(`${name}[${index}]`, 'invalid', 'a name')
    return false
  })
  return names
}

/** Local limits. */
const maxHosts = 1000
const maxEndpoints = 1000
