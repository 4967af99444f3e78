/** List, Add, Update and Delete of policies, as the document has them; reading one, and trying one. @module */

import type { EvaluateRequest } from '../../resources.ts'
import type { Change } from '../../service/change.ts'
import { deploy } from '../../service/deployments.ts'
import { evaluate } from '../../service/evaluate.ts'
import { type ApiProxyRow, environmentsNamed, proxyNamed } from '../../service/lookups.ts'
import {
  addPolicy,
  deletePolicy,
  policiesOf,
  policyLists,
  policyNamed,
  policyResource,
  policyTag,
  updatePolicy,
} from '../../service/policies.ts'
import {
  type Operation,
  readOperationBody,
  readPolicyBody,
  readPolicyUpdate,
} from '../../service/policy-body.ts'
import { type Answer, list, resource } from '../answer.ts'
import type { Call, Deployed } from '../call.ts'
import type { Route } from '../route.ts'
import { evaluateRequest, policyDeletion, policyRequest, policyUpdate } from '../schemas.ts'

const policies = '/apiops/projects/{projectName}/apiProxies/{apiProxyName}/policies/'
const policy = `${policies}{policyName}/`
const tag = 'Policies'

export const policyRoutes: readonly Route[] = [
  {
    method: 'get',
    path: policies,
    operationId: 'listPolicies',
    tag,
    summary: 'List Policies',
    needs: 'read',
    answer: 'policyLists',
    handle: async (call) => {
      const { db } = call.manager.store
      const proxy = await proxyOf(call, db)
      return list([policyLists(proxy.name, await policiesOf(db, proxy.id))])
    },
  },
  {
    method: 'post',
    path: policy,
    operationId: 'addPolicy',
    tag,
    summary: 'Add Policy',
    needs: 'write',
    body: { schema: policyRequest, checkedBy: 'fields' },
    answer: 'deployed',
    handle: async (call) => {
      const name = call.name('policyName')
      const { operation, policy: document } = readPolicyBody(call.body, name)
      return await changePolicy(call, operation, async (change, proxy) => {
        await addPolicy(change, proxy, name, operation, document)
      })
    },
  },
  {
    method: 'get',
    path: policy,
    operationId: 'readPolicy',
    tag,
    summary: 'Read one policy with its place',
    needs: 'read',
    answer: 'policy',
    handle: async (call) => {
      const { db } = call.manager.store
      const found = await policyNamed(db, await proxyOf(call, db), call.name('policyName'))
      return resource(policyResource(found), policyTag(found))
    },
  },
  {
    method: 'put',
    path: policy,
    operationId: 'updatePolicy',
    tag,
    summary: 'Update Policy',
    needs: 'write',
    conditional: true,
    body: { schema: policyUpdate, checkedBy: 'fields' },
    answer: 'deployed',
    handle: async (call) => {
      const name = call.name('policyName')
      const { operation, policy: document } = readPolicyUpdate(call.body, name)
      return await changePolicy(call, operation, async (change, proxy) => {
        await updatePolicy(change, proxy, name, operation, document)
      })
    },
  },
  {
    method: 'delete',
    path: policy,
    operationId: 'deletePolicy',
    tag,
    summary: 'Delete Policy',
    needs: 'write',
    conditional: true,
    body: { schema: policyDeletion, checkedBy: 'fields' },
    answer: 'deployed',
    handle: async (call) => {
      const operation = readOperationBody(call.body)
      return await changePolicy(call, operation, async (change, proxy) => {
        await deletePolicy(change, proxy, call.name('policyName'), operation)
      })
    },
  },
  {
    method: 'post',
    path: `${policy}evaluate/`,
    operationId: 'evaluatePolicy',
    tag,
    summary: 'Try a certificate against the stored policy, without a deployment',
    needs: 'read',
    body: { schema: evaluateRequest, checkedBy: 'schema' },
    answer: 'evaluation',
    handle: async (call) => {
      const { store, now } = call.manager
      const proxy = await proxyOf(call, store.db)
      const found = await policyNamed(store.db, proxy, call.name('policyName'))
      return resource(await evaluate(store.db, proxy, found, call.body as EvaluateRequest, now()))
    },
  },
]

async function proxyOf(call: Call, db: Parameters<typeof proxyNamed>[0]): Promise<ApiProxyRow> {
  return await proxyNamed(db, call.name('projectName'), call.name('apiProxyName'))
}

/** The change and its deployments are one transaction. */
async function changePolicy(
  call: Call,
  operation: Operation,
  work: (change: Change, proxy: ApiProxyRow) => Promise<void>,
): Promise<Answer> {
  if (operation.deploy) call.demand('deploy')
  return await call.change(async (change): Promise<Deployed> => {
    const proxy = await proxyOf(call, change.trx)
    // Before anything is written: a name that nobody knows is a slip.
    if (operation.deploy) await environmentsNamed(change.trx, operation.environments)
    await work(change, proxy)
    const { deployer } = call.manager
    const stored = operation.deploy
      ? await deploy(change, deployer, proxy, operation.environments)
      : []
    return { stored }
  })
}
