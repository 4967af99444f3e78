/** The document, field by field: policy-auth-mtls.md, "Request Body Fields". */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseClientAcl } from '../../src/acl/index.ts'
import { type PolicyInvalid, parsePipelines, parsePolicy } from '../../src/policy.ts'
import { type } from './support.ts'

function problemsOf(make: () => unknown): PolicyInvalid['problems'] {
  try {
    make()
  } catch (error) {
    expect(error).toMatchObject({ name: 'TypeError', code: 'policy-invalid' })
    return (error as PolicyInvalid).problems
  }
  return []
}

describe('defaults', () => {
  test('of a document with its type alone', () => {
    expect(parsePolicy({ type })).toEqual({
      type,
      name: type,
      description: undefined,
      active: true,
      validateCertificate: true,
      validateACLForIssuer: true,
      mode: 'enforce',
      clientAcl: undefined,
    })
  })
  test.each([
    ['name', 'partners'],
    ['description', 'Authenticate clients using mTLS'],
    ['active', false],
    ['validateCertificate', false],
    ['validateACLForIssuer', false],
    ['mode', 'report'],
  ])('%s is taken as given', (field, value) => {
    expect(parsePolicy({ type, [field]: value })).toMatchObject({ [field]: value })
  })
  test('a policy that was read can be read again', () => {
    const policy = parsePolicy({ type, name: 'a', clientAcl: 'allow attributes CN=client-a' })
    expect(parsePolicy(policy)).toEqual(policy)
  })
})

describe('what is refused, with its path', () => {
  test.each([
    [{}, 'type', 'missing'],
    [{ type: 'policy-auth-basic' }, 'type', 'invalid'],
    [{ type: null }, 'type', 'invalid'],
    [{ type, name: 7 }, 'name', 'invalid'],
    [{ type, name: '' }, 'name', 'invalid'],
    [{ type, name: 'a/b' }, 'name', 'invalid'],
    [{ type, name: 'a\nb' }, 'name', 'invalid'],
    [{ type, name: 'a'.repeat(256) }, 'name', 'invalid'],
    [{ type, description: 7 }, 'description', 'invalid'],
    [{ type, active: 'true' }, 'active', 'invalid'],
    [{ type, active: null }, 'active', 'invalid'],
    [{ type, validateCertificate: 1 }, 'validateCertificate', 'invalid'],
    [{ type, validateACLForIssuer: 'no' }, 'validateACLForIssuer', 'invalid'],
    [{ type, mode: 'monitor' }, 'mode', 'invalid'],
    [{ type, validateAclForIssuer: true }, 'validateAclForIssuer', 'unknown-field'],
    [{ type, clientAcl: 7 }, 'clientAcl', 'invalid'],
    [{ type, clientAcl: 'permit cn a' }, 'clientAcl line 1', 'invalid'],
    [{ type, clientAcl: [{ effect: 'allow' }] }, 'clientAcl[0].match', 'invalid'],
    [
      { type, clientAcl: 'allow attributes CN=a', validateCertificate: false },
      'clientAcl',
      'conflict',
    ],
  ])('%j', (document, path, problem) => {
    expect(problemsOf(() => parsePolicy(document))).toMatchObject([{ path, problem }])
  })
  test.each([null, undefined, 7, 'text', [], true])('%j is no document', (document) => {
    const [first] = problemsOf(() => parsePolicy(document))
    expect(first).toMatchObject({ path: '', problem: 'invalid' })
  })
  test('every problem is named, not the first alone', () => {
    const problems = problemsOf(() => parsePolicy({ type, active: 1, mode: 2, other: 3 }))
    expect(problems.map(({ path }) => path)).toEqual(['active', 'mode', 'other'])
  })
  test('whatever is given, it is read or refused with policy-invalid', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true }), (document) => {
        problemsOf(() => parsePolicy(document))
        problemsOf(() => parsePipelines(document as object[]))
      }),
    )
  })
  test('fields of a prototype do not count', () => {
    const document = Object.create({ validateCertificate: false })
    expect(parsePolicy(Object.assign(document, { type })).validateCertificate).toBe(true)
  })
})

describe('clientAcl', () => {
  const entry = { effect: 'allow', match: { sanDns: 'client-a.example' } }
  test.each([
    ['text', 'allow san-dns client-a.example'],
    ['JSON', [entry]],
    ['parsed', parseClientAcl('allow san-dns client-a.example')],
  ])('as %s', (_form, clientAcl) => {
    expect(parsePolicy({ type, clientAcl }).clientAcl?.entries).toMatchObject([entry])
  })
})

describe('pipelines', () => {
  test('are the lists of the management API, or one list of the request pipeline', () => {
    const policy = { type, name: 'a' }
    const { lists } = parsePipelines({
      name: 'MyAPI',
      requestPolicyList: [policy],
      responsePolicyList: [],
      errorPolicyList: [{ type, name: 'b' }],
    })
    expect(lists.REQUEST.map(({ name }) => name)).toEqual(['a'])
    expect(lists.RESPONSE).toEqual([])
    expect(lists.ERROR.map(({ name }) => name)).toEqual(['b'])
    expect(parsePipelines([policy]).lists.REQUEST).toEqual(lists.REQUEST)
    expect(parsePipelines({}).lists.REQUEST).toEqual([])
  })
  test.each([
    [[{}], '[0].type', 'missing'],
    [[{ type, order: 0 }], '[0].order', 'invalid'],
    [[{ type, order: 1.5 }], '[0].order', 'invalid'],
    [[{ type, order: '1' }], '[0].order', 'invalid'],
    [[{ type, targetScope: 'SOME' }], '[0].targetScope', 'invalid'],
    [[{ type, targetEndpoint: '/a' }], '[0].targetEndpoint', 'conflict'],
    [[{ type, targetEndpointHTTPMethod: 'GET' }], '[0].targetEndpointHTTPMethod', 'conflict'],
    [
      [{ type, targetScope: 'ENDPOINT', targetEndpointHTTPMethod: 'GET' }],
      '[0].targetEndpoint',
      'missing',
    ],
    [
      [{ type, targetScope: 'ENDPOINT', targetEndpoint: '/a' }],
      '[0].targetEndpointHTTPMethod',
      'missing',
    ],
    [
      [{ type, targetScope: 'ENDPOINT', targetEndpoint: 7, targetEndpointHTTPMethod: 'GET' }],
      '[0].targetEndpoint',
      'invalid',
    ],
    [
      [{ type, targetScope: 'ENDPOINT', targetEndpoint: 'a', targetEndpointHTTPMethod: 'GET' }],
      '[0].targetEndpoint',
      'invalid',
    ],
    [
      [{ type, targetScope: 'ENDPOINT', targetEndpoint: '/a', targetEndpointHTTPMethod: 'get' }],
      '[0].targetEndpointHTTPMethod',
      'invalid',
    ],
    [[{ type }, { type }], '', 'not-unique'],
    [{ requestPolicyList: {} }, 'requestPolicyList', 'invalid'],
    [{ requestPolicies: [] }, 'requestPolicies', 'unknown-field'],
    [{ errorPolicyList: [7] }, 'errorPolicyList[0]', 'invalid'],
    [
      { requestPolicyList: [{ type, name: 'a' }], errorPolicyList: [{ type, name: 'a' }] },
      'errorPolicyList',
      'not-unique',
    ],
    [7, '', 'invalid'],
  ])('%j is refused', (documents, path, problem) => {
    const problems = problemsOf(() => parsePipelines(documents as object[]))
    expect(problems[0]).toMatchObject({ path, problem })
  })
  test.each(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'])(
    'an endpoint may have the method %s',
    (method) => {
      const placed = {
        type,
        targetScope: 'ENDPOINT',
        targetEndpoint: '/a',
        targetEndpointHTTPMethod: method,
      }
      expect(parsePipelines([placed]).lists.REQUEST[0]).toMatchObject(placed)
    },
  )
})

describe('order counts from 1 among the policies of one scope and endpoint', () => {
  const endpoint = (name: string, targetEndpoint: string, order?: number | null) => ({
    type,
    name,
    targetScope: 'ENDPOINT',
    targetEndpoint,
    targetEndpointHTTPMethod: 'GET',
    order,
  })
  const all = (name: string, order?: number | null) => ({ type, name, order })
  test.each([
    ['none: as listed', [all('a'), all('b'), all('c', null)], 'a b c'],
    ['1: first, the others move up', [all('a'), all('b', 1), all('c', 1)], 'c b a'],
    ['in the middle', [all('a'), all('b'), all('c', 2)], 'a c b'],
    ['past the end: last', [all('a'), all('b', 9)], 'a b'],
    [
      'other endpoints do not count',
      [endpoint('x', '/x'), all('a'), endpoint('y', '/y'), endpoint('z', '/y', 1), all('b', 1)],
      'x b a z y',
    ],
    [
      'patterns that name their segments differently are one endpoint',
      [
        endpoint('id', '/orders/{id}'),
        endpoint('x', '/Orders/:x', 1),
        endpoint('y', '/orders/y', 1),
      ],
      'x id y',
    ],
  ])('%s', (_what, documents, expected) => {
    const { lists } = parsePipelines(documents)
    expect(lists.REQUEST.map(({ name }) => name).join(' ')).toBe(expected)
  })
})
