/** What is wrong with a field is said in words that need no knowledge of the program. */

import { beforeAll, expect, test } from 'vitest'
import { makeProject, useManager } from './support.ts'

const manager = useManager()

beforeAll(async () => {
  await makeProject(manager.client)
  await manager.client
    .project('MyProject')
    .apiProxy('MyAPI')
    .policies.add('one', {
      operationMetadata: { targetScope: 'ALL', targetPipeline: 'REQUEST', deploy: false },
      policy: {
        type: 'policy-auth-mtls',
        validateCertificate: false,
        validateACLForIssuer: false,
      },
    })
})

const project = '/apiops/projects/MyProject/'
const evaluate = `${project}apiProxies/MyAPI/policies/one/evaluate/`
const tokens = '/apiops/tokens/a/'

test.each<[string, string, unknown, string, string, string]>([
  ['PUT', project, [], '', 'invalid', 'an object'],
  ['PUT', project, { description: 5 }, 'description', 'invalid', 'a text'],
  ['PUT', project, { description: 'a\0' }, 'description', 'invalid', 'a text without NUL'],
  [
    'PUT',
    project,
    { description: 'x'.repeat(65_537) },
    'description',
    'invalid',
    'a text of at most 65536 characters',
  ],
  ['PUT', project, { owner: 1 }, 'owner', 'unknown-field', 'no such field'],
  ['POST', tokens, {}, 'rights', 'missing', 'a list'],
  ['POST', tokens, { rights: null }, 'rights', 'invalid', 'a list'],
  ['POST', tokens, { rights: [] }, 'rights', 'invalid', 'a list of at least 1 item'],
  [
    'POST',
    tokens,
    { rights: [{ right: 'root' }] },
    'rights[0]',
    'invalid',
    'admin alone; read, write or deploy with a project; or gateway with an environment',
  ],
  [
    'POST',
    tokens,
    { rights: [{ right: 'admin' }], expiresAt: 'soon' },
    'expiresAt',
    'invalid',
    'a time such as 2026-11-23T22:00:00Z',
  ],
  ['POST', evaluate, { path: 'x' }, 'path', 'invalid', 'a path, which begins with /'],
  [
    'POST',
    evaluate,
    { method: 'GETT' },
    'method',
    'invalid',
    'one of GET, POST, PUT, DELETE, PATCH, OPTIONS, HEAD',
  ],
  [
    'POST',
    evaluate,
    { certificate: 5 },
    'certificate',
    'invalid',
    'a certificate as PEM or base64 of DER, or a list of these',
  ],
  ['PUT', `${project}issuerAcl/`, {}, 'acl', 'missing', 'an ACL as text, or as a list of rules'],
  [
    'PUT',
    `${project}trustStore/`,
    { anchors: 5 },
    'anchors',
    'invalid',
    'certificates as PEM, base64 of DER or PKCS #7, or a list of these',
  ],
  ['GET', '/apiops/projects/?limit=0', undefined, 'limit', 'invalid', 'a number of at least 1'],
  [
    'GET',
    '/apiops/projects/?limit=1e2',
    undefined,
    'limit',
    'invalid',
    'a whole number from 1 to 1000',
  ],
  [
    'GET',
    '/apiops/projects/?cursor=',
    undefined,
    'cursor',
    'invalid',
    'a text of at least 1 character',
  ],
])('%s %s with %j', async (method, path, body, field, problem, expected) => {
  const answer = await manager.send(method, path, body === undefined ? {} : { body })
  expect([answer.status, answer.body.error?.code]).toEqual([422, 'invalid'])
  expect(answer.body.error?.details).toEqual([{ path: field, problem, expected }])
})

test('a trial with a path is one', async () => {
  const answer = await manager.send('POST', evaluate, { body: { path: '/', method: 'GET' } })
  expect(answer.status).toBe(200)
})
