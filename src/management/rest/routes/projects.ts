/** Projects, API proxies and environments. @module */

import type { Project } from '../../resources.ts'
import { readApiProxy } from '../../service/api-proxy-document.ts'
import { exportProject, importProject, readProjectFile } from '../../service/exchange.ts'
import { maxProjectFile } from '../../service/limits.ts'
import { environmentNamed, projectNamed, proxyNamed } from '../../service/lookups.ts'
import {
  apiProxiesPage,
  apiProxyResource,
  apiProxyTag,
  createApiProxy,
  createEnvironment,
  createProject,
  deleteApiProxy,
  deleteEnvironment,
  deleteProject,
  environmentsPage,
  projectsPage,
  projectTag,
  updateApiProxy,
  updateProject,
} from '../../service/projects.ts'
import { Refusal } from '../../service/refusal.ts'
import { namedEnvironments, namedProjects } from '../../service/rights.ts'
import { demandSameName } from '../../service/same-name.ts'
import { done, page, resource } from '../answer.ts'
import type { Call } from '../call.ts'
import type { Route } from '../route.ts'
import {
  apiProxyRequest,
  emptyRequest,
  pageQuery,
  projectFile,
  projectRequest,
} from '../schemas.ts'

const projects = '/apiops/projects/'
const project = `${projects}{projectName}/`
const apiProxies = `${project}apiProxies/`
const apiProxy = `${apiProxies}{apiProxyName}/`
const environments = '/apiops/environments/'
const environment = `${environments}{environmentName}/`

export const projectRoutes: readonly Route[] = [
  {
    method: 'get',
    path: projects,
    operationId: 'listProjects',
    tag: 'Projects',
    summary: 'Projects that the token may see',
    needs: 'any',
    query: pageQuery,
    answer: 'projects',
    handle: async (call) => {
      const names = namedProjects(call.actor)
      return page(await projectsPage(call.manager.store.db, names, call.page))
    },
  },
  {
    method: 'post',
    path: project,
    operationId: 'createProject',
    tag: 'Projects',
    summary: 'Create a project',
    needs: 'write',
    body: { schema: projectRequest, checkedBy: 'schema' },
    answer: 'project',
    handle: async (call) => {
      const { name, description } = projectOf(call)
      return await call.change(async (change) => {
        const row = await createProject(change, name, description)
        return resource({ name, description }, projectTag(row))
      })
    },
  },
  {
    method: 'get',
    path: project,
    operationId: 'readProject',
    tag: 'Projects',
    summary: 'Read a project',
    needs: 'read',
    answer: 'project',
    handle: async (call) => {
      const row = await projectNamed(call.manager.store.db, call.name('projectName'))
      return resource({ name: row.name, description: row.description }, projectTag(row))
    },
  },
  {
    method: 'put',
    path: project,
    operationId: 'updateProject',
    tag: 'Projects',
    summary: 'Update a project',
    needs: 'write',
    conditional: true,
    body: { schema: projectRequest, checkedBy: 'schema' },
    answer: 'project',
    handle: async (call) => {
      const { name, description } = projectOf(call)
      return await call.change(async (change) => {
        const row = await updateProject(change, name, description)
        return resource({ name, description }, projectTag(row))
      })
    },
  },
  {
    method: 'delete',
    path: project,
    operationId: 'deleteProject',
    tag: 'Projects',
    summary: 'Delete a project that has no API proxies',
    needs: 'write',
    conditional: true,
    answer: 'done',
    handle: async (call) =>
      await call.change(async (change) => {
        await deleteProject(change, call.name('projectName'))
        return done()
      }),
  },
  {
    method: 'get',
    path: `${project}export/`,
    operationId: 'exportProject',
    tag: 'Projects',
    summary: 'The whole project as one file, without any secret',
    needs: 'read',
    answer: 'projectFile',
    handle: async (call) => {
      const { db } = call.manager.store
      const row = await projectNamed(db, call.name('projectName'))
      return { status: 200, body: await exportProject(db, row) }
    },
  },
  {
    method: 'post',
    path: `${project}import/`,
    operationId: 'importProject',
    tag: 'Projects',
    summary: 'Create a project from a file',
    needs: 'write',
    body: { schema: projectFile, checkedBy: 'fields', maximum: maxProjectFile },
    answer: 'done',
    handle: async (call) => {
      const name = call.name('projectName')
      const file = await readProjectFile(call.body)
      return await call.change(async (change) => {
        await importProject(change, name, file)
        return done()
      })
    },
  },
  {
    method: 'get',
    path: apiProxies,
    operationId: 'listApiProxies',
    tag: 'API proxies',
    summary: 'API proxies of a project',
    needs: 'read',
    query: pageQuery,
    answer: 'apiProxies',
    handle: async (call) => {
      const { db } = call.manager.store
      const row = await projectNamed(db, call.name('projectName'))
      return page(await apiProxiesPage(db, row, call.page))
    },
  },
  {
    method: 'post',
    path: apiProxy,
    operationId: 'createApiProxy',
    tag: 'API proxies',
    summary: 'Create an API proxy',
    needs: 'write',
    body: { schema: apiProxyRequest, checkedBy: 'fields' },
    answer: 'apiProxy',
    handle: async (call) => {
      const name = call.name('apiProxyName')
      const document = readApiProxy(call.body, name)
      return await call.change(async (change) => {
        const row = await projectNamed(change.trx, call.name('projectName'))
        const created = await createApiProxy(change, row, name, document)
        return resource(apiProxyResource(created), apiProxyTag(created))
      })
    },
  },
  {
    method: 'get',
    path: apiProxy,
    operationId: 'readApiProxy',
    tag: 'API proxies',
    summary: 'Read an API proxy',
    needs: 'read',
    answer: 'apiProxy',
    handle: async (call) => {
      const { db } = call.manager.store
      const row = await proxyNamed(db, call.name('projectName'), call.name('apiProxyName'))
      return resource(apiProxyResource(row), apiProxyTag(row))
    },
  },
  {
    method: 'put',
    path: apiProxy,
    operationId: 'updateApiProxy',
    tag: 'API proxies',
    summary: 'Update an API proxy; in force with the next deployment',
    needs: 'write',
    conditional: true,
    body: { schema: apiProxyRequest, checkedBy: 'fields' },
    answer: 'apiProxy',
    handle: async (call) => {
      const name = call.name('apiProxyName')
      const document = readApiProxy(call.body, name)
      return await call.change(async (change) => {
        const row = await updateApiProxy(change, call.name('projectName'), name, document)
        return resource(apiProxyResource(row), apiProxyTag(row))
      })
    },
  },
  {
    method: 'delete',
    path: apiProxy,
    operationId: 'deleteApiProxy',
    tag: 'API proxies',
    summary: 'Delete an API proxy that is not deployed, with its policies',
    needs: 'write',
    conditional: true,
    answer: 'done',
    handle: async (call) =>
      await call.change(async (change) => {
        await deleteApiProxy(change, call.name('projectName'), call.name('apiProxyName'))
        return done()
      }),
  },
  {
    method: 'get',
    path: environments,
    operationId: 'listEnvironments',
    tag: 'Environments',
    summary: 'Environments that the token may see',
    needs: 'any',
    query: pageQuery,
    answer: 'environments',
    handle: async (call) => {
      const names = namedEnvironments(call.actor)
      return page(await environmentsPage(call.manager.store.db, names, call.page))
    },
  },
  {
    method: 'post',
    path: environment,
    operationId: 'createEnvironment',
    tag: 'Environments',
    summary: 'Create an environment',
    needs: 'admin',
    body: { schema: emptyRequest, checkedBy: 'schema' },
    answer: 'environment',
    handle: async (call) => {
      const name = call.name('environmentName')
      return await call.change(async (change) => {
        await createEnvironment(change, call.manager.deployer.publisher, name)
        return resource({ name })
      })
    },
  },
  {
    method: 'get',
    path: environment,
    operationId: 'readEnvironment',
    tag: 'Environments',
    summary: 'Read an environment',
    needs: 'any',
    answer: 'environment',
    handle: async (call) => {
      const asked = call.name('environmentName')
      // Before it is looked up: that it does not exist is told to no one else.
      if (namedEnvironments(call.actor)?.includes(asked) === false) {
        throw new Refusal('right-missing', 'the token has no right for this environment')
      }
      const { id, name } = await environmentNamed(call.manager.store.db, asked)
      return resource({ name }, id)
    },
  },
  {
    method: 'delete',
    path: environment,
    operationId: 'deleteEnvironment',
    tag: 'Environments',
    summary: 'Delete an environment to which nothing was deployed',
    needs: 'admin',
    conditional: true,
    answer: 'done',
    handle: async (call) =>
      await call.change(async (change) => {
        await deleteEnvironment(change, call.name('environmentName'))
        return done()
      }),
  },
]

/** What a request says of a project; it may have its name, as where it is read. */
function projectOf(call: Call): Project {
  const name = call.name('projectName')
  const { name: given, description = '' } = call.body as Partial<Project>
  demandSameName(given, name)
  return { name, description }
}
