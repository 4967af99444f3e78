/** The pipelines of an API proxy: which policies run for a request, and in which order. @module */

import { EndpointTree, type HttpMethod, readPattern } from './endpoint.ts'
import { Fields } from './fields.ts'
import { insert, type Place, placeKey, readPlace } from './place.ts'
import { type Policy, readPolicy } from './policy.ts'
import { type PolicyProblem, policyInvalid } from './problem.ts'

export type PipelineName = 'REQUEST' | 'RESPONSE' | 'ERROR'

export type PlacedPolicy = Policy & Place

type ByPipeline<T> = { readonly [P in PipelineName]: T }

/** What runs for a request. The same object for every request to one endpoint. */
export interface Route {
  /** Absent: a request to none of the endpoints that have policies of their own. */
  readonly endpoint: { readonly path: string; readonly method: HttpMethod } | undefined
  /** In the order of execution. */
  readonly policies: ByPipeline<readonly PlacedPolicy[]>
}

/** All pipelines of one API proxy. */
export interface Pipelines {
  /** As listed, in the order of each list. */
  readonly lists: ByPipeline<readonly PlacedPolicy[]>
  /**
   * @param target - The request target as received.
   * @returns `ambiguous` for a target that servers read differently, so that a policy might be passed by.
   */
  readonly find: (method: string, target: string) => Route | 'ambiguous'
  /** What `find` returns for every request, where no endpoint has policies of its own. */
  readonly only: Route | undefined
}

/** As the management API lists them: policy documents, each with its place. */
export interface PipelineDocuments {
  readonly name?: string | undefined
  readonly requestPolicyList?: readonly object[] | undefined
  readonly responsePolicyList?: readonly object[] | undefined
  readonly errorPolicyList?: readonly object[] | undefined
}

/**
 * Reads the pipelines of an API proxy.
 *
 * @param documents - The object `apiProxy` of the policy list, or a list, which is the request pipeline. Each policy may have
 * `targetScope`, `targetEndpoint`, `targetEndpointHTTPMethod` and `order` beside its own fields.
 * @throws `TypeError` with `code: 'policy-invalid'` and all `problems`.
 * @example
 * const type = 'policy-auth-mtls'
 * const pipelines = parsePipelines([
 *   { type, name: 'all', validateACLForIssuer: false },
 *   { type, name: 'admin', targetScope: 'ENDPOINT', targetEndpoint: '/admin/{page}', targetEndpointHTTPMethod: 'GET' },
 * ])
 * const route = pipelines.find('GET', '/admin/users')
 * if (route !== 'ambiguous') console.log(route.policies.REQUEST.length) // 2
 */
export function parsePipelines(documents: PipelineDocuments | readonly object[]): Pipelines {
  const problems: PolicyProblem[] = []
  const isList = Array.isArray(documents)
  const lists = isList
    ? { REQUEST: readList(documents, '', problems), RESPONSE: [], ERROR: [] }
    : readLists(documents, problems)
  refuseSameNames(lists, isList, problems)
  if (problems.length > 0) throw policyInvalid(problems)
  return { lists, ...finder(lists) }
}

function readLists(
  documents: unknown,
  problems: PolicyProblem[],
): ByPipeline<readonly PlacedPolicy[]> {
  const fields = new Fields(documents, '', problems)
  fields.text('name')
  const read = (list: string): readonly PlacedPolicy[] =>
    readList(fields.list(list), list, problems)
  const lists = {
    REQUEST: read(listNames.REQUEST),
    RESPONSE: read(listNames.RESPONSE),
    ERROR: read(listNames.ERROR),
  }
  fields.done()
  return lists
}

function readList(
  documents: readonly unknown[],
  path: string,
  problems: PolicyProblem[],
): readonly PlacedPolicy[] {
  let list: readonly PlacedPolicy[] = []
  const keys = new Map<Place, string>()
  const keyOf = (place: Place): string => {
    const key = keys.get(place) ?? placeKey(place)
    keys.set(place, key)
    return key
  }
  for (const [index, document] of Array.from(documents).entries()) {
    const fields = new Fields(document, `${path}[${index}]`, problems)
    const policy = readPolicy(fields)
    const where = readPlace(fields, 'ALL')
    const order = fields.position('order')
    fields.done()
    list = insert(list, Object.freeze({ ...policy, ...where }), order, keyOf)
  }
  return list
}

/** Within the API proxy, not only within a pipeline. */
function refuseSameNames(
  lists: ByPipeline<readonly PlacedPolicy[]>,
  isList: boolean,
  problems: PolicyProblem[],
): void {
  const names = new Set<string>()
  for (const pipeline of pipelineNames) {
    for (const { name } of lists[pipeline]) {
      if (names.has(name)) {
        const path = isList ? '' : listNames[pipeline]
        const expected = `a name of its own for each policy, not ${name} again`
        problems.push({ path, problem: 'not-unique', expected })
      }
      names.add(name)
    }
  }
}

/** What runs is put together once for each endpoint, so that a request costs a look-up. */
function finder(lists: ByPipeline<readonly PlacedPolicy[]>): Pick<Pipelines, 'find' | 'only'> {
  const everywhere = noPolicies()
  const tree = new EndpointTree<Here>()
  const endpoints = new Set<Here>()
  for (const pipeline of pipelineNames) {
    for (const policy of lists[pipeline]) {
      if (policy.targetScope === 'ALL') {
        everywhere[pipeline].push(policy)
        continue
      }
      const { targetEndpoint: path, targetEndpointHTTPMethod: method } = policy
      const segments = readPattern(path)
      // Read before, when the place was.
      if (typeof segments === 'string') continue
      const here = tree.at(segments, method, () => ({
        endpoint: { path, method },
        policies: noPolicies(),
        route: undefined,
      }))
      here.policies[pipeline].push(policy)
      endpoints.add(here)
    }
  }
  for (const here of endpoints) here.route = routeOf(everywhere, here)
  const elsewhere = routeOf(everywhere, { endpoint: undefined, policies: noPolicies() })
  if (endpoints.size === 0) return { find: () => elsewhere, only: elsewhere }
  const find: Pipelines['find'] = (method, target) => {
    const here = tree.find(target, method)
    return here === 'ambiguous' ? here : (here?.route ?? elsewhere)
  }
  return { find, only: undefined }
}

/** What one endpoint has of its own. */
interface Here {
  readonly endpoint: Route['endpoint']
  readonly policies: ByPipeline<PlacedPolicy[]>
  route?: Route | undefined
}

function noPolicies(): ByPipeline<PlacedPolicy[]> {
  return { REQUEST: [], RESPONSE: [], ERROR: [] }
}

/** Requests go inwards, responses outwards, and an error goes back over everything: from the last policy to the first. */
function routeOf(everywhere: ByPipeline<PlacedPolicy[]>, { endpoint, policies }: Here): Route {
  return {
    endpoint,
    policies: {
      REQUEST: [...everywhere.REQUEST, ...policies.REQUEST],
      RESPONSE: [...policies.RESPONSE, ...everywhere.RESPONSE],
      ERROR: [...everywhere.ERROR, ...policies.ERROR].reverse(),
    },
  }
}

export const pipelineNames: readonly PipelineName[] = ['REQUEST', 'RESPONSE', 'ERROR']

/** As the management API calls the lists. */
export const listNames: ByPipeline<string> = {
  REQUEST: 'requestPolicyList',
  RESPONSE: 'responsePolicyList',
  ERROR: 'errorPolicyList',
}
