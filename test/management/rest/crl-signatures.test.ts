/** Who has signed a list that is uploaded: what nobody has signed comes in the place of nothing. RFC 5280 §6.3.3 (f) and (g) */

import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type {
  ApiProxyClient,
  OperationMetadata,
  ProjectClient,
} from '../../../src/management/index.ts'
import { type CrlOptions, issueCa, issueCrl } from '../../../src/testing/index.ts'
import { startStores } from '../store/stores.ts'
import { pki, refusal, useManager } from './support.ts'

const { stores, remove } = await startStores('signatures of CRLs')
afterAll(remove)

const time = '2026-06-01T00:00:00Z'
const start = Date.parse(time) / 1000
const hour = 3600
/** Of the n-th hour. */
const at = (n: number): Pick<CrlOptions, 'thisUpdate' | 'nextUpdate'> => ({
  thisUpdate: start + n * hour,
  nextUpdate: start + (n + 100) * hour,
})
const forged = { status: 422, code: 'crl-signature-invalid' }

/** The last octet is one of the signature. */
function broken(der: Uint8Array): Uint8Array {
  const copy = new Uint8Array(der)
  copy[copy.length - 1] = (copy.at(-1) as number) ^ 1
  return copy
}

describe.each(stores)('signatures of CRLs over $kind', ({ missing, createUrl }) => {
  describe.skipIf(missing)('where it is installed', () => {
    const manager = useManager({ deploymentWaitMs: 500 }, createUrl)
    let project: ProjectClient
    let proxy: ApiProxyClient
    let count = 0

    beforeEach(async () => {
      project = manager.client.project(`Project ${count++}`)
      await project.create()
      proxy = project.apiProxy('MyAPI')
      await proxy.create({ upstream: { url: 'http://127.0.0.1:1' } })
    })

    async function digests(
      of: ProjectClient | ApiProxyClient = project,
    ): Promise<readonly string[]> {
      return (await of.crls.list()).items.map(({ sha256 }) => sha256)
    }

    async function add(
      der: Uint8Array,
      to: ProjectClient | ApiProxyClient = project,
    ): Promise<string> {
      return (await to.crls.add(der)).crls[0]?.sha256 ?? ''
    }

    /** Where nothing is known of a client it may come in. */
    async function codeOf(certificate: string): Promise<string | undefined> {
      await project.revocation.put({ mode: 'crl', depth: 'target', onUnknown: 'allow' })
      const operationMetadata: OperationMetadata = {
        targetScope: 'ALL',
        targetPipeline: 'REQUEST',
        deploy: false,
      }
      const policy = { type: 'policy-auth-mtls', validateACLForIssuer: false } as const
      await proxy.policies.add('one', { operationMetadata, policy })
      const { failure } = await proxy.policies.evaluate('one', { certificate, time })
      return failure?.code
    }

    test('one that a known CA has not signed is 422, and who was revoked stays so', async () => {
      const { anchorsPem: anchors, intermediatesPem: intermediates, issuing, client } = await pki
      await project.trustStore.put({ anchors, intermediates })
      const good = await add((await issueCrl(issuing, { ...at(0), revoked: [client] })).der)
      const bad = broken((await issueCrl(issuing, at(1))).der)
      expect(await refusal(project.crls.add(bad))).toEqual({ ...forged, paths: ['crl'] })
      // Beside a good one, too.
      expect(
        await refusal(project.crls.add((await issueCrl(issuing, at(2))).pem + pemOf(bad))),
      ).toMatchObject(forged)
      expect(await digests()).toEqual([good])
      expect(await codeOf(client.pem)).toBe('certificate-revoked')
    })

    test('one of a CA that is not known stands beside the others, and takes the place of none', async () => {
      const { anchorsPem: anchors, intermediatesPem: intermediates, issuing, client } = await pki
      await project.trustStore.put({ anchors })
      const good = await add((await issueCrl(issuing, { ...at(0), revoked: [client] })).der)
      const bad = await add(broken((await issueCrl(issuing, at(1))).der))
      expect(new Set(await digests())).toEqual(new Set([good, bad]))
      expect(await codeOf(client.pem + issuing.pem)).toBe('certificate-revoked')
      const older = (await issueCrl(issuing, at(-1))).der
      expect(await refusal(project.crls.add(older))).toMatchObject({
        status: 409,
        code: 'already-exists',
      })
      // Once the CA is known, its next list takes the place of those that it has signed.
      await project.trustStore.put({ anchors, intermediates })
      const next = await add((await issueCrl(issuing, { ...at(2), revoked: [client] })).der)
      expect(new Set(await digests())).toEqual(new Set([bad, next]))
      expect(
        await refusal(project.crls.add(broken((await issueCrl(issuing, at(3))).der))),
      ).toMatchObject(forged)
    })

    test('so many stand beside each other, and then what to do is said', async () => {
      const ca = await issueCa('CA of nobody')
      for (let i = 0; i < 16; i++) await add((await issueCrl(ca, at(i))).der)
      const more = project.crls.add((await issueCrl(ca, at(17))).der)
      expect(await refusal(more)).toMatchObject({ status: 409, code: 'limit-reached' })
      await project.trustStore.put({ anchors: ca.pem })
      const last = await add((await issueCrl(ca, at(18))).der)
      expect(await digests()).toEqual([last])
    })

    test('a CA that may not sign lists is none that is known, RFC 5280 §4.2.1.3', async () => {
      const ca = await issueCa('Quiet CA', { keyUsage: ['keyCertSign'] })
      await project.trustStore.put({ anchors: ca.pem })
      const first = await add((await issueCrl(ca, at(0))).der)
      const second = await add((await issueCrl(ca, at(1))).der)
      expect(new Set(await digests())).toEqual(new Set([first, second]))
    })

    test('keys with one name have lists of their own', async () => {
      const one = await issueCa('Twin CA')
      const two = await issueCa('Twin CA', { key: 'P-384' })
      await project.trustStore.put({ anchors: one.pem + two.pem })
      const first = await add((await issueCrl(one, at(0))).der)
      const second = await add((await issueCrl(two, at(1))).der)
      expect(new Set(await digests())).toEqual(new Set([first, second]))
      const third = await add((await issueCrl(one, at(2))).der)
      expect(new Set(await digests())).toEqual(new Set([second, third]))
      for (const ca of [one, two]) {
        expect(
          await refusal(project.crls.add(broken((await issueCrl(ca, at(3))).der))),
        ).toMatchObject(forged)
      }
      // Of a key that is not known: who knows whether it has signed.
      const stranger = await issueCa('Twin CA', { key: 'RSA-2048' })
      const fourth = await add((await issueCrl(stranger, at(4))).der)
      expect(new Set(await digests())).toEqual(new Set([second, third, fourth]))
      // Without a key identifier it is held against each.
      const nameless = { ...at(5), authorityKeyIdentifier: 'absent' } as const
      const fifth = (await issueCrl(stranger, nameless)).der
      expect(await refusal(project.crls.add(fifth))).toMatchObject(forged)
      const sixth = await add((await issueCrl(two, nameless)).der)
      expect(new Set(await digests())).toEqual(new Set([third, fourth, sixth]))
    })

    test('delta and complete lists stand for themselves, RFC 5280 §5.2.4', async () => {
      const ca = await issueCa('Delta CA')
      await project.trustStore.put({ anchors: ca.pem })
      const complete = await add((await issueCrl(ca, { ...at(0), cRLNumber: 10 })).der)
      const delta = { baseCRLNumber: 10, cRLNumber: 11 }
      const first = await add((await issueCrl(ca, { ...at(1), ...delta })).der)
      const next = { ...at(2), ...delta, cRLNumber: 12 }
      expect(await refusal(project.crls.add(broken((await issueCrl(ca, next)).der)))).toMatchObject(
        forged,
      )
      expect(new Set(await digests())).toEqual(new Set([complete, first]))
      const second = await add((await issueCrl(ca, next)).der)
      expect(new Set(await digests())).toEqual(new Set([complete, second]))
    })

    test('an issuer of indirect lists is known by its certificate, RFC 5280 §5.2.5', async () => {
      const root = await issueCa('Indirect Root')
      const signer = await root.issue('CRL issuer', {
        keyUsage: ['cRLSign'],
        extendedKeyUsage: 'absent',
      })
      const indirect = { issuingDistributionPoint: { indirectCRL: true } }
      await project.trustStore.put({ anchors: root.pem, intermediates: signer.pem })
      const first = (await issueCrl(signer, { ...at(0), ...indirect })).der
      expect(await refusal(project.crls.add(broken(first)))).toMatchObject(forged)
      await add(first)
      const second = await add((await issueCrl(signer, { ...at(1), ...indirect })).der)
      expect(await digests()).toEqual([second])
    })

    test("a proxy's own trust store counts for its lists, and for those of its project", async () => {
      const [own, shared] = [await issueCa('Own CA'), await issueCa('Shared CA')]
      await project.trustStore.put({ anchors: shared.pem })
      await proxy.trustStore.put({ anchors: own.pem })
      const ofOwn = broken((await issueCrl(own, at(0))).der)
      const ofShared = broken((await issueCrl(shared, at(0))).der)
      expect(await refusal(proxy.crls.add(ofOwn))).toMatchObject(forged)
      expect(await refusal(project.crls.add(ofOwn))).toMatchObject(forged)
      expect(await refusal(project.crls.add(ofShared))).toMatchObject(forged)
      await add(ofShared, proxy)
      await proxy.trustStore.delete()
      const again = broken((await issueCrl(shared, at(1))).der)
      expect(await refusal(proxy.crls.add(again))).toMatchObject(forged)
    })

    test('a file with one that nobody has signed is not imported', async () => {
      const { anchorsPem: anchors, intermediatesPem: intermediates, issuing } = await pki
      await project.trustStore.put({ anchors, intermediates })
      await add((await issueCrl(issuing, at(0))).der)
      const file = await project.export()
      const crls = file.settings.crls.map((text) =>
        Buffer.from(broken(Buffer.from(text, 'base64'))).toString('base64'),
      )
      const copy = manager.client.project(`Copy ${count}`)
      expect(
        await refusal(copy.import({ ...file, settings: { ...file.settings, crls } })),
      ).toMatchObject(forged)
      expect(await refusal(copy.read())).toMatchObject({ status: 404 })
      await copy.import(file)
    })
  })
})

function pemOf(der: Uint8Array): string {
  return `-----BEGIN X509 CRL-----\n${Buffer.from(der).toString('base64')}\n-----END X509 CRL-----\n`
}
