/** How much live data a project may have, and that what one has is nothing to another. */

import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { liveLimits } from '../../../src/deployment/live-limits.ts'
import {
  ManagementError,
  type OperationMetadata,
  type ProjectClient,
} from '../../../src/management/index.ts'
import { issueCa, issueCrl } from '../../../src/testing/index.ts'
import { startStores } from '../store/stores.ts'
import { pki, useManager } from './support.ts'

const { stores, remove } = await startStores('room for live data')
afterAll(remove)

const environment = 'production'
const entry = { issuer: 'CN=Lost CA' }

describe.each(stores)('room for live data over $kind', ({ missing, createUrl }) => {
  describe.skipIf(missing)('where it is installed', () => {
    const manager = useManager({ deploymentWaitMs: 200 }, createUrl)
    let own: ProjectClient

    beforeAll(async () => {
      await manager.client.environments.create(environment)
      own = await running('MyProject')
    }, 60_000)

    /** A project with a proxy that runs. */
    async function running(name: string): Promise<ProjectClient> {
      const project = manager.client.project(name)
      await project.create()
      const { anchorsPem: anchors } = await pki
      await project.trustStore.put({ anchors })
      await project.apiProxy('MyAPI').create({
        hosts: [`${name.toLowerCase()}.example`],
        upstream: { url: 'http://127.0.0.1:1' },
        environments: [environment],
      })
      const operationMetadata: OperationMetadata = {
        targetScope: 'ALL',
        targetPipeline: 'REQUEST',
        deploy: true,
      }
      const policy = { type: 'policy-auth-mtls', validateACLForIssuer: false } as const
      const { success } = await project
        .apiProxy('MyAPI')
        .policies.add('one', { operationMetadata, policy })
      expect(success).toBe(true)
      return project
    }

    async function idOf(name: string): Promise<string> {
      const row = await manager.store.db
        .selectFrom('projects')
        .select('id')
        .where('name', '=', name)
        .executeTakeFirstOrThrow()
      return row.id
    }

    /** Rows as they would have come one by one. */
    async function fill(project: string, count: number, text: string): Promise<void> {
      const owner = { owner_kind: 'project' as const, owner_id: await idOf(project) }
      for (let at = 0; at < count; at += 500) {
        const rows = Array.from({ length: Math.min(500, count - at) }, () => ({
          ...owner,
          id: crypto.randomUUID(),
          entry: text,
          created_at: '2026-01-01T00:00:00.000Z',
          expires: null,
        }))
        await manager.store.db.insertInto('kill_entries').values(rows).execute()
      }
    }

    async function refused(promise: Promise<unknown>): Promise<string> {
      const error: unknown = await promise.then(
        () => undefined,
        (reason: unknown) => reason,
      )
      if (!(error instanceof ManagementError)) throw new Error('it was not refused')
      expect([error.status, error.code]).toEqual([409, 'limit-reached'])
      return error.message
    }

    async function killListOf(project: string): Promise<number> {
      const { body } = await manager.store.db
        .selectFrom('live_states')
        .select('body')
        .executeTakeFirstOrThrow()
      const { killList } = JSON.parse(body) as { killList: readonly { project: string }[] }
      return killList.filter((one) => one.project === project).length
    }

    test('a project that is at its limit is told so, by name; an emergency of another is no matter', async () => {
      const full = await running('Full')
      const { perProject } = liveLimits.killEntries
      await fill('Full', perProject, JSON.stringify(entry))
      expect(await refused(full.killList.add(entry))).toContain(
        `the project Full and its API proxies have at most ${perProject} kill list entries`,
      )
      expect(await refused(full.apiProxy('MyAPI').killList.add(entry))).toContain('project Full')
      const before = await killListOf('MyProject')
      await own.killList.add(entry)
      expect(await killListOf('MyProject')).toBe(before + 1)
      // Who takes something away is never kept back.
      const [first] = (await full.killList.list({ limit: 1 })).items
      await full.killList.delete(first?.id ?? '')
      await full.killList.add(entry)
      await manager.store.db
        .deleteFrom('kill_entries')
        .where('owner_id', '=', await idOf('Full'))
        .execute()
    }, 60_000)

    test('octets of CRLs are limited by project, the same', async () => {
      const full = await running('Lists')
      const { perProject } = liveLimits.crlOctets
      for (let i = 0; i < 4; i++) {
        const row = {
          id: crypto.randomUUID(),
          owner_kind: 'project' as const,
          owner_id: await idOf('Lists'),
          issuer: `CN=${i}`,
          this_update: '2026-01-01T00:00:00Z',
          next_update: null,
          sha256: randomBytes(32).toString('hex'),
          der: new Uint8Array(perProject / 4),
        }
        await manager.store.db.insertInto('crls').values(row).execute()
      }
      const { der } = await issueCrl(await issueCa('CA of its own'))
      expect(await refused(full.crls.add(der))).toContain(
        `the project Lists and its API proxies have at most ${perProject} octets of CRLs`,
      )
      await own.crls.add(der)
      expect((await own.crls.list()).items).toHaveLength(1)
      await manager.store.db
        .deleteFrom('crls')
        .where('owner_id', '=', await idOf('Lists'))
        .execute()
    }, 60_000)

    test('what is counted of a text are octets, of a project that does not run as well', async () => {
      const wide = manager.client.project('Wide')
      await wide.create()
      const { perProject } = liveLimits.documentOctets
      const note = '€'.repeat(4096)
      await fill(
        'Wide',
        Math.ceil(perProject / (3 * note.length)),
        JSON.stringify({ ...entry, note }),
      )
      expect(await refused(wide.killList.add(entry))).toContain(
        `the project Wide and its API proxies have at most ${perProject} octets`,
      )
      await wide.delete()
    })

    test('where all have used up what they share, what is guaranteed to each is left', async () => {
      // The largest certificates that an entry names, since octets are used up before entries are.
      const large = JSON.stringify({ certificate: 'x'.repeat(65_536) })
      const { perProject, shared } = liveLimits.documentOctets
      const each = Math.floor((perProject - 20_000) / (large.length + 100))
      const many = Math.ceil(shared / (each * large.length)) + 1
      for (let i = 0; i < many; i++) {
        await running(`Many${i}`)
        await fill(`Many${i}`, each, large)
      }
      const last = manager.client.project('Many0')
      const message = await refused(last.killList.add(entry))
      expect(message).toContain(`${environment}: all projects of the environment share ${shared} `)
      // Whose they are is nobody's business.
      expect(message).not.toMatch(/Many[1-9]/)
      const before = await killListOf('MyProject')
      await own.killList.add(entry)
      expect(await killListOf('MyProject')).toBe(before + 1)
      await running('Another')
      const [first] = (await last.killList.list({ limit: 1 })).items
      await last.killList.delete(first?.id ?? '')
      expect(await killListOf('Many0')).toBe(each - 1)
    }, 120_000)

    test('a proxy that would bring too much is not deployed, and nothing of it is', async () => {
      const late = await running('Late')
      const proxy = late.apiProxy('MyAPI')
      await proxy.deployments.undeploy(environment)
      const large = JSON.stringify({ certificate: 'x'.repeat(65_536) })
      await fill('Late', 110, large)
      const { success, deploymentResults } = await proxy.deployments.deploy()
      expect(success).toBe(false)
      expect(deploymentResults[0]?.message).toContain('a project and its API proxies have at most')
      expect(await proxy.deployments.list()).toMatchObject([{ hash: null }])
      const pointer = await manager.store.db
        .selectFrom('pointers')
        .innerJoin('api_proxies', 'api_proxies.id', 'pointers.api_proxy_id')
        .select(['pointers.hash', 'pointers.signed'])
        .where('api_proxies.project_id', '=', await idOf('Late'))
        .executeTakeFirstOrThrow()
      expect(pointer.hash).toBeNull()
      expect(JSON.parse(pointer.signed)).toMatchObject({ document: { hash: null } })
    }, 60_000)
  })
})
