/** Trust stores, ACLs, revocation, CRLs, kill lists; what they are to a trial and to gateways; export and import. */

import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { encodeBase64 } from '../../../src/base/base64.ts'
import { toHex } from '../../../src/base/hex.ts'
import { writePem } from '../../../src/base/pem.ts'
import type {
  ApiProxyClient,
  OperationMetadata,
  ProjectClient,
} from '../../../src/management/index.ts'
import { issueCa, issueCrl } from '../../../src/testing/index.ts'
import { startStores } from '../store/stores.ts'
import { pki, refusal, useManager } from './support.ts'

const { stores, remove } = await startStores('trust of the management API')
afterAll(remove)

const type = 'policy-auth-mtls'
const all: OperationMetadata = { targetScope: 'ALL', targetPipeline: 'REQUEST' }
const time = '2026-06-01T00:00:00Z'

describe.each(stores)('trust over $kind', ({ missing, createUrl }) => {
  describe.skipIf(missing)('where it is installed', () => {
    const manager = useManager({ deploymentWaitMs: 500 }, createUrl)
    let project: ProjectClient
    let proxy: ApiProxyClient
    let environment: string
    let count = 0

    beforeEach(async () => {
      environment = `environment-${count}`
      project = manager.client.project(`Project ${count++}`)
      await manager.client.environments.create(environment)
      await project.create()
      proxy = project.apiProxy('MyAPI')
      await proxy.create({ upstream: { url: 'http://127.0.0.1:1' }, environments: [environment] })
    })

    async function live(): Promise<{
      readonly crls: readonly { readonly sha256: string; readonly apiProxy: string | null }[]
      readonly killList: readonly { readonly entry: object }[]
    }> {
      const row = await manager.store.db
        .selectFrom('live_states')
        .innerJoin('environments', 'environments.id', 'live_states.environment_id')
        .select('body')
        .where('environments.name', '=', environment)
        .executeTakeFirstOrThrow()
      return JSON.parse(row.body)
    }

    test('PEM, base64 of DER and lists of them are kept as DER, each certificate once', async () => {
      const { root, issuing } = await pki
      const { value } = await project.trustStore.put({
        anchors: [root.pem + root.pem, encodeBase64(root.der)],
        intermediates: `some text\n${issuing.pem}`,
      })
      expect(value.anchors).toHaveLength(1)
      expect(value.anchors[0]).toMatchObject({
        subject: 'CN=Example Root CA,O=Example',
        der: encodeBase64(root.der),
      })
      expect(value.intermediates).toHaveLength(1)
      expect((await project.trustStore.read()).value).toEqual(value)
    })

    test('files are uploaded as they are: PEM, DER', async () => {
      const { root, issuing } = await pki
      const base = `/apiops/projects/Project%20${count - 1}/trustStore/`
      const anchors = await manager.send('PUT', `${base}anchors/`, {
        body: root.der,
        headers: { 'content-type': 'application/pkix-cert' },
      })
      expect([anchors.status, anchors.body.result?.intermediates]).toEqual([200, []])
      const intermediates = await manager.send('PUT', `${base}intermediates/`, {
        body: issuing.pem,
        headers: { 'content-type': 'application/x-pem-file' },
      })
      expect(intermediates.body.result?.anchors).toHaveLength(1)
      expect(intermediates.body.result?.intermediates).toHaveLength(1)
      const other = await manager.send('PUT', `${base}anchors/`, { body: {} })
      expect(other.status).toBe(415)
    })

    test.each([
      ['nothing', { anchors: [] }, 'anchors'],
      ['a text', { anchors: 'no certificate' }, 'anchors'],
      ['a private key', { anchors: writePem('PRIVATE KEY', new Uint8Array([0x30, 0])) }, 'anchors'],
      ['half a PEM', { anchors: '-----BEGIN CERTIFICATE-----\nMIIB' }, 'anchors'],
      ['another field', { anchors: 'x', crls: [] }, 'crls'],
      ['a number', { anchors: 5 }, 'anchors'],
    ])('%s is no trust store: 422', async (_what, value, path) => {
      const refused = await refusal(project.trustStore.put(value as never))
      expect([refused.status, refused.code]).toEqual([422, 'invalid'])
      expect(refused.paths).toContain(path)
      expect(await refusal(project.trustStore.read())).toMatchObject({ status: 404 })
    })

    test('settings have ETags, and one that is made again has another', async () => {
      const first = await project.issuerAcl.put({ acl: 'allow dn CN=a' })
      expect(first.etag).toBe((await project.issuerAcl.read()).etag)
      const second = await project.issuerAcl.put({ acl: 'allow dn CN=b' }, { ifMatch: first.etag })
      const stale = project.issuerAcl.put({ acl: 'allow dn CN=c' }, { ifMatch: first.etag })
      expect(await refusal(stale)).toMatchObject({ status: 412 })
      expect(await refusal(project.issuerAcl.delete({ ifMatch: first.etag }))).toMatchObject({
        status: 412,
      })
      await project.issuerAcl.delete({ ifMatch: second.etag })
      const unborn = project.issuerAcl.put({ acl: '' }, { ifMatch: second.etag })
      expect(await refusal(unborn)).toMatchObject({ status: 412 })
      expect((await project.issuerAcl.put({ acl: 'allow dn CN=b' })).etag).not.toBe(second.etag)
    })

    test('an ACL is text or JSON; what is no ACL names its line or field', async () => {
      const json = [{ effect: 'allow', match: { dn: 'CN=a' }, at: 'path' }]
      expect((await project.issuerAcl.put({ acl: json })).value).toEqual({
        acl: 'allow dn CN=a at path\n',
      })
      expect(await refusal(project.issuerAcl.put({ acl: 'allow dn CN=a\nlet in' }))).toMatchObject({
        status: 422,
        paths: [expect.stringContaining('acl line 2')],
      })
      const bad = [{ effect: 'allow', match: { dn: 5 } }]
      expect((await refusal(project.issuerAcl.put({ acl: bad }))).paths).toEqual([
        'acl[0].match.dn',
      ])
    })

    test('revocation settings have defaults, and contradictions are 422', async () => {
      expect((await proxy.revocation.put({})).value).toEqual({
        mode: 'crl',
        onUnknown: 'deny',
        depth: 'path',
        urls: [],
        distributionPoints: false,
        responder: null,
        allowAddresses: [],
      })
      expect(await refusal(proxy.revocation.put({ mode: 'ocsp' }))).toMatchObject({
        status: 422,
        paths: ['responder'],
      })
      expect(await refusal(proxy.revocation.put({ mode: 'off' } as never))).toMatchObject({
        paths: ['mode'],
      })
      expect(await refusal(proxy.revocation.put({ url: [] } as never))).toMatchObject({
        paths: ['url'],
      })
    })

    test('CRLs and kill entries are in force at once, without a deployment', async () => {
      const { anchorsPem, intermediatesPem, issuing, client } = await pki
      await project.trustStore.put({ anchors: anchorsPem, intermediates: intermediatesPem })
      const policy = { type, validateACLForIssuer: false } as const
      await proxy.policies.add('one', { operationMetadata: all, policy })
      const { sha256: pointer } = { sha256: (await proxy.deployments.list())[0]?.hash }
      const {
        crls: [added],
      } = await project.crls.add((await issueCrl(issuing)).pem)
      expect(added).toMatchObject({ issuer: 'CN=Example Issuing CA,O=Example' })
      expect((await live()).crls).toEqual([
        { project: `Project ${count - 1}`, apiProxy: null, sha256: added?.sha256 },
      ])
      const kill = await proxy.killList.add({
        issuer: 'CN=Example Issuing CA,O=Example',
        serialNumber: toHex(client.tbsCertificate.serialNumber),
        note: 'laptop lost',
      })
      expect((await live()).killList).toEqual([
        { project: `Project ${count - 1}`, apiProxy: 'MyAPI', entry: kill.entry },
      ])
      await proxy.killList.delete(kill.id)
      await project.crls.delete(added?.sha256 ?? '')
      expect(await live()).toMatchObject({ crls: [], killList: [] })
      const [status] = await proxy.deployments.list()
      expect(status).toMatchObject({ hash: pointer, redeployRequired: false })
    })

    test('the newest list of an issuer and scope is kept; an older one is 409', async () => {
      const { issuing, anchorsPem, intermediatesPem } = await pki
      await project.trustStore.put({ anchors: anchorsPem, intermediates: intermediatesPem })
      const hour = 3600
      const start = Date.parse(time) / 1000
      const list = async (thisUpdate: number): Promise<Uint8Array> =>
        (await issueCrl(issuing, { thisUpdate, nextUpdate: thisUpdate + 24 * hour })).der
      const older = await list(start)
      const newer = await list(start + hour)
      await project.crls.add(older)
      const {
        crls: [kept],
      } = await project.crls.add(newer)
      expect((await project.crls.add(newer)).crls).toEqual([kept])
      expect((await project.crls.list()).items).toEqual([kept])
      expect(await refusal(project.crls.add(older))).toMatchObject({ status: 409 })
      expect(Buffer.from(await project.crls.read(kept?.sha256 ?? '')).equals(newer)).toBe(true)
      // The proxy's own are its own.
      await proxy.crls.add(older)
      expect((await proxy.crls.list()).items).toHaveLength(1)
    })

    test.each([
      [{}, ''],
      [{ serialNumber: '01' }, ''],
      [{ issuer: 'x' }, 'issuer'],
      [{ spkiSha256: 'abc' }, 'spkiSha256'],
      [{ spkiSha256: 'a'.repeat(64), expires: 'tomorrow' }, 'expires'],
      [{ spkiSha256: 'a'.repeat(64), reason: 'x' }, 'reason'],
      [{ certificate: 'x' }, 'certificate'],
    ])('%j is no kill list entry: 422', async (entry, path) => {
      const refused = await refusal(project.killList.add(entry as never))
      expect([refused.status, refused.paths]).toEqual([422, [path]])
    })

    test('what is no CRL is 422', async () => {
      for (const bad of ['x', (await pki).anchorsPem]) {
        expect(await refusal(project.crls.add(bad))).toMatchObject({ status: 422, paths: ['crl'] })
      }
      expect(await refusal(project.crls.add(new Uint8Array([0x30, 0])))).toMatchObject({
        status: 422,
      })
    })

    describe('a trial of the stored policy', () => {
      const add = async (policy: object = {}, changes: Partial<OperationMetadata> = {}) =>
        await proxy.policies.add('one', {
          operationMetadata: { ...all, deploy: false, ...changes },
          policy: { type, ...policy },
        })

      test('lets a good client in and says who it is, before anything is deployed', async () => {
        const { anchorsPem, intermediatesPem, clientPem } = await pki
        await project.trustStore.put({ anchors: anchorsPem, intermediates: intermediatesPem })
        await project.issuerAcl.put({ acl: 'allow attributes O=Example CN=*' })
        await add()
        expect(
          await proxy.policies.evaluate('one', { certificate: clientPem, time }),
        ).toMatchObject({
          allowed: true,
          applies: true,
          identity: { subject: 'CN=client-a,O=Example' },
          trace: [{ policy: 'one', result: 'passed' }],
        })
      })

      test('says why a bad one stays out: source, words, remedy', async () => {
        const { anchorsPem, intermediatesPem, clientPem, issuing, client } = await pki
        await project.trustStore.put({ anchors: anchorsPem, intermediates: intermediatesPem })
        await project.issuerAcl.put({ acl: 'allow dn CN=nobody' })
        await add()
        const code = async (request: object): Promise<string | undefined> => {
          const { allowed, status, failure, trace } = await proxy.policies.evaluate('one', request)
          expect([allowed, status]).toEqual([false, 401])
          expect(trace.at(-1)?.failure).toEqual(failure)
          expect(failure?.source).not.toBe('')
          return failure?.code
        }
        expect(await code({})).toBe('certificate-missing')
        expect(await code({ certificate: clientPem, time })).toBe('issuer-not-allowed')
        await project.issuerAcl.put({ acl: 'allow attributes O=Example CN=*' })
        expect(await code({ certificate: clientPem, time: '2222-01-01T00:00:00Z' })).toBe(
          'certificate-expired',
        )
        const stranger = await (await issueCa('Other CA')).issue('client-b')
        expect(await code({ certificate: stranger.pem, time })).toBe('issuer-unknown')
        await project.revocation.put({ mode: 'crl', depth: 'target' })
        expect(await code({ certificate: clientPem, time })).toBe('revocation-unknown')
        const thisUpdate = Date.parse(time) / 1000
        const dated = { revoked: [client], thisUpdate, nextUpdate: thisUpdate + 3600 }
        await project.crls.add((await issueCrl(issuing, dated)).der)
        expect(await code({ certificate: clientPem, time })).toBe('certificate-revoked')
        await project.revocation.delete()
        await proxy.killList.add({ issuer: 'CN=Example Issuing CA,O=Example' })
        expect(await code({ certificate: clientPem, time })).toBe('issuer-killed')
      })

      test('wants what the policy wants', async () => {
        await add()
        const { clientPem: certificate } = await pki
        const refused = await refusal(proxy.policies.evaluate('one', { certificate, time }))
        expect([refused.status, refused.code]).toEqual([422, 'invalid'])
      })

      test('of a request to another endpoint does not apply', async () => {
        const { anchorsPem } = await pki
        await project.trustStore.put({ anchors: anchorsPem })
        await add(
          { validateACLForIssuer: false },
          {
            targetScope: 'ENDPOINT',
            targetEndpoint: '/orders/{id}',
            targetEndpointHTTPMethod: 'GET',
          },
        )
        const at = async (method: string, path: string) => {
          const { allowed, applies } = await proxy.policies.evaluate('one', { method, path })
          return [allowed, applies]
        }
        expect(await at('GET', '/orders/7')).toEqual([false, true])
        expect(await at('POST', '/orders/7')).toEqual([true, false])
        expect(await at('GET', '/orders')).toEqual([true, false])
        // Servers differ about what it means.
        expect(await at('GET', '/orders/%2e%2e/x')).toEqual([false, true])
      })

      test('of an inactive policy says that it is skipped', async () => {
        await add({ active: false, validateACLForIssuer: false, validateCertificate: false })
        expect(await proxy.policies.evaluate('one', {})).toMatchObject({
          allowed: true,
          trace: [{ result: 'skipped' }],
        })
      })
    })

    test('an export holds the whole project and no secret; imported, it is the same', async () => {
      const { anchorsPem, intermediatesPem, issuing } = await pki
      await project.update({ description: 'all of it' })
      await project.trustStore.put({ anchors: anchorsPem, intermediates: intermediatesPem })
      await project.issuerAcl.put({ acl: 'allow attributes O=Example CN=* # note' })
      await project.revocation.put({ onUnknown: 'allow' })
      await project.crls.add((await issueCrl(issuing)).der)
      await project.killList.add({ spkiSha256: 'a'.repeat(64), expires: '2030-01-01T00:00:00Z' })
      await proxy.issuerAcl.put({ acl: 'allow dn CN=x' })
      await proxy.policies.add('b', { operationMetadata: all, policy: { type, mode: 'report' } })
      await proxy.policies.add('a', { operationMetadata: { ...all, order: 1 }, policy: { type } })
      await proxy.policies.add('e', {
        operationMetadata: {
          targetScope: 'ENDPOINT',
          targetEndpoint: '/a',
          targetEndpointHTTPMethod: 'GET',
          targetPipeline: 'ERROR',
        },
        policy: { type, clientAcl: [{ effect: 'allow', match: { sanDns: 'a.example' } }] },
      })
      const file = await project.export()
      expect(JSON.stringify(file)).not.toContain('mtlsp_')
      const copy = manager.client.project(`Copy ${count}`)
      await copy.import(file)
      const again = await copy.export()
      expect(again).toEqual({ ...file, project: { ...file.project, name: `Copy ${count}` } })
      expect(await refusal(copy.import(file))).toMatchObject({ status: 409 })
    })

    test('an import is all or nothing, and names what is bad', async () => {
      const file = await project.export()
      const [first] = file.apiProxies
      const bad = {
        ...file,
        apiProxies: [first, { ...first, name: 'Second', environments: ['nowhere'] }],
      }
      const copy = manager.client.project(`Bad ${count}`)
      expect(await refusal(copy.import(bad as never))).toMatchObject({ status: 422 })
      expect(await refusal(copy.read())).toMatchObject({ status: 404 })
      const policies = { requestPolicyList: [{ type: 'x', name: 'a' }], responsePolicyList: [] }
      const worse = { ...file, apiProxies: [{ ...first, policies }] }
      expect((await refusal(copy.import(worse as never))).paths).toEqual([
        'apiProxies[0].policies.requestPolicyList[0].type',
        'apiProxies[0].policies.errorPolicyList',
      ])
    })

    test('every change has its row in the audit log, with who did it', async () => {
      const client = await manager.clientWith(`auditor-${count}`, [
        { right: 'write', project: `Project ${count - 1}` },
      ])
      const own = client.project(`Project ${count - 1}`)
      await own.issuerAcl.put({ acl: 'allow dn CN=a' })
      const operationMetadata = { ...all, deploy: false }
      const policies = own.apiProxy('MyAPI').policies
      await policies.add('one', { operationMetadata, policy: { type } })
      await policies.delete('one', operationMetadata)
      await refusal(policies.delete('one', operationMetadata))
      const { items } = await client.audit({ project: `Project ${count - 1}` })
      expect(items.slice(0, 3).map(({ actor, action }) => [actor, action])).toEqual([
        [`auditor-${count}`, 'policy.delete'],
        [`auditor-${count}`, 'policy.add'],
        [`auditor-${count}`, 'issuerAcl.put'],
      ])
      expect(items[0]?.detail).toEqual({ pipeline: 'REQUEST', targetScope: 'ALL', order: 1 })
      expect(items[1]).toMatchObject({
        target: `projects/Project ${count - 1}/apiProxies/MyAPI/policies/one`,
        detail: { pipeline: 'REQUEST', order: 1, policy: { type } },
      })
    })
  })
})
