/** Deployments of an API proxy: state, history, difference, deploy, roll back, undeploy. @module */

import {
  deploy,
  differenceOf,
  historyOf,
  rollBack,
  statusesOf,
  undeploy,
} from '../../service/deployments.ts'
import { proxyNamed } from '../../service/lookups.ts'
import { list, page, resource } from '../answer.ts'
import type { Call } from '../call.ts'
import type { Route } from '../route.ts'
import { deploymentRequest, pageQuery, revisionQuery, rollbackRequest } from '../schemas.ts'

const deployments = '/apiops/projects/{projectName}/apiProxies/{apiProxyName}/deployments/'
const one = `${deployments}{environmentName}/`
const tag = 'Deployments'

export const deploymentRoutes: readonly Route[] = [
  {
    method: 'get',
    path: deployments,
    operationId: 'listDeployments',
    tag,
    summary: 'What is in force in each environment, and whether it is what is stored',
    needs: 'read',
    answer: 'statuses',
    handle: async (call) => list(await statusesOf(call.manager.store.db, await proxyOf(call))),
  },
  {
    method: 'post',
    path: deployments,
    operationId: 'deploy',
    tag,
    summary: 'Deploy what is stored',
    needs: 'deploy',
    body: { schema: deploymentRequest, checkedBy: 'schema' },
    answer: 'deployed',
    handle: async (call) => {
      const { environments } = call.body as { readonly environments: readonly string[] }
      const names = [...new Set(environments)]
      return await call.change(async (change) => {
        const proxy = await proxyOf(call, change.trx)
        return { stored: await deploy(change, call.manager.deployer, proxy, names) }
      })
    },
  },
  {
    method: 'delete',
    path: one,
    operationId: 'undeploy',
    tag,
    summary: 'Take the API proxy out of an environment',
    needs: 'deploy',
    answer: 'deployed',
    handle: async (call) =>
      await call.change(async (change) => ({
        stored: await undeploy(
          change,
          call.manager.deployer,
          await proxyOf(call, change.trx),
          call.name('environmentName'),
        ),
      })),
  },
  {
    method: 'get',
    path: `${one}history/`,
    operationId: 'listRevisions',
    tag,
    summary: 'Revisions, the newest first',
    needs: 'read',
    query: pageQuery,
    answer: 'history',
    handle: async (call) =>
      page(
        await historyOf(
          call.manager.store.db,
          await proxyOf(call),
          call.name('environmentName'),
          call.page,
        ),
      ),
  },
  {
    method: 'get',
    path: `${one}diff/`,
    operationId: 'compareDeployment',
    tag,
    summary: 'How what is stored differs from what is in force',
    needs: 'read',
    query: revisionQuery,
    answer: 'difference',
    handle: async (call) => {
      const { revision } = call.query as { readonly revision?: number }
      const { db } = call.manager.store
      const name = call.name('environmentName')
      return resource(await differenceOf(db, await proxyOf(call), name, revision))
    },
  },
  {
    method: 'post',
    path: `${one}rollback/`,
    operationId: 'rollBack',
    tag,
    summary: 'Put an older revision in force again',
    needs: 'deploy',
    body: { schema: rollbackRequest, checkedBy: 'schema' },
    answer: 'deployed',
    handle: async (call) => {
      const { revision } = call.body as { readonly revision: number }
      return await call.change(async (change) => ({
        stored: await rollBack(
          change,
          call.manager.deployer,
          await proxyOf(call, change.trx),
          call.name('environmentName'),
          revision,
        ),
      }))
    },
  },
]

async function proxyOf(
  call: Call,
  db: Parameters<typeof proxyNamed>[0] = call.manager.store.db,
): ReturnType<typeof proxyNamed> {
  return await proxyNamed(db, call.name('projectName'), call.name('apiProxyName'))
}
