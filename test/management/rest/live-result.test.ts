/** What a change of CRLs or of a kill list answers: what gateways said, for its own project. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generateSigningKey, publicKeyText } from '../../../src/deployment/index.ts'
import type { OperationMetadata, ProjectClient } from '../../../src/management/index.ts'
import { issueCrl } from '../../../src/testing/index.ts'
import { startStores } from '../store/stores.ts'
import { listenAs, makeProject, pki, useManager } from './support.ts'

const { stores, remove } = await startStores('answers of live data')
afterAll(remove)

const operationMetadata: OperationMetadata = {
  targetScope: 'ALL',
  targetPipeline: 'REQUEST',
  deploy: true,
}
const policy = { type: 'policy-auth-mtls', validateACLForIssuer: false } as const
const environmentName = 'production'
const entry = { issuer: 'CN=Lost CA' }

describe.each(stores)('live data over $kind', ({ missing, createUrl }) => {
  describe.skipIf(missing)('where it is installed', () => {
    const manager = useManager({ deploymentWaitMs: 1000 }, createUrl)
    let project: ProjectClient

    beforeAll(async () => {
      await makeProject(manager.client, await pki)
      project = manager.client.project('MyProject')
      await project.apiProxy('MyAPI').policies.add('one', { operationMetadata, policy })
    }, 60_000)

    test('of what runs nowhere nothing is said', async () => {
      const other = manager.client.project('Idle')
      await other.create()
      const { liveResult } = await other.killList.add(entry)
      expect(liveResult).toEqual({ success: true, liveResults: [] })
    })

    test('without a gateway it is stored, and says so', async () => {
      const { liveResult, id } = await project.killList.add(entry)
      const message = 'Stored; no gateway is connected, it takes effect when one is'
      const said = { success: true, liveResults: [{ environmentName, success: true, message }] }
      expect(liveResult).toEqual(said)
      expect(await project.killList.delete(id)).toEqual(said)
    })

    test('with gateways that took it, it is in force', async () => {
      const stop = await listenAs(manager, environmentName, 'gw-1')
      const success = {
        success: true,
        liveResults: [{ environmentName, success: true, message: 'In force' }],
      }
      const { issuing } = await pki
      const { liveResult, crls } = await project.crls.add((await issueCrl(issuing)).der)
      expect(liveResult).toEqual(success)
      // Nothing was changed, and what is said is asked again.
      expect(await project.crls.add(await project.crls.read(crls[0]?.sha256 ?? ''))).toEqual({
        crls,
        liveResult,
      })
      expect(await project.crls.delete(crls[0]?.sha256 ?? '')).toEqual(success)
      const { id, liveResult: added } = await project.killList.add(entry)
      expect(added).toEqual(success)
      expect(await project.killList.delete(id)).toEqual(success)
      await stop()
    })

    test('a gateway that pins another key refuses it, and that is said', async () => {
      const other = publicKeyText(generateSigningKey().publicKey)
      const stops = [
        await listenAs(manager, environmentName, 'gw-1'),
        await listenAs(manager, environmentName, 'gw-2', false, other),
      ]
      const { liveResult } = await project.killList.add(entry)
      expect(liveResult.success).toBe(false)
      expect(liveResult.liveResults).toMatchObject([{ environmentName, success: false }])
      const message = liveResult.liveResults[0]?.message
      expect(message).toContain(
        'not in force on 1 of 2 gateways: gateway gw-2 refused it: signature-invalid',
      )
      for (const stop of stops) await stop()
    })

    test('what is wrong with the lists of another project is said to that one alone', async () => {
      const other = manager.client.project('Other')
      await other.create()
      const { anchorsPem: anchors, issuing } = await pki
      await other.trustStore.put({ anchors })
      const proxy = other.apiProxy('OtherAPI')
      await proxy.create({
        hosts: ['other.example'],
        upstream: { url: 'http://127.0.0.1:1' },
        environments: [environmentName],
      })
      await proxy.policies.add('one', { operationMetadata, policy })
      const stop = await listenAs(manager, environmentName, 'gw-1')
      const { crls } = await other.crls.add((await issueCrl(issuing)).der)
      // Not to be had any more, as a damaged row.
      const sha256 = crls[0]?.sha256 ?? ''
      const next = (await issueCrl(issuing, { thisUpdate: Math.floor(Date.now() / 1000) + 5 })).der
      await manager.store.db
        .updateTable('crls')
        .set({ der: new Uint8Array(9) })
        .where('sha256', '=', sha256)
        .execute()
      await stop()
      const again = await listenAs(manager, environmentName, 'gw-2')
      const { liveResult } = await project.killList.add(entry)
      expect(liveResult).toMatchObject({ success: true, liveResults: [{ message: 'In force' }] })
      const { liveResult: broken } = await other.killList.add(entry)
      expect(broken.liveResults[0]?.message).toContain('gateway gw-2 refused it: crl-hash-mismatch')
      await other.crls.delete(sha256)
      expect((await other.crls.add(next)).liveResult.success).toBe(true)
      await again()
    })

    test('a retry gets what was said, and adds nothing', async () => {
      const stop = await listenAs(manager, environmentName, 'gw-1')
      const key = { idempotencyKey: crypto.randomUUID() }
      const first = await project.killList.add(entry, key)
      expect(first.liveResult.liveResults).toMatchObject([{ message: 'In force' }])
      expect(await project.killList.add(entry, key)).toEqual(first)
      await stop()
    })
  })
})
