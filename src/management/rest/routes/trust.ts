/** What policies are held against: trust store, issuer ACL, revocation, CRLs, kill list; of a project or of one API proxy. @module */

import { encodeBase64 } from '../../../base/base64.ts'
import type { TrustStoreRequest } from '../../resources.ts'
import { readCertificateUpload, summarizedDer } from '../../service/certificates.ts'
import { type Change, expectVersion } from '../../service/change.ts'
import { crlSignerOf, crlSignersOf } from '../../service/crl-signers.ts'
import { maxCertificateFile, maxCrlFile, maxTrustStore } from '../../service/limits.ts'
import {
  addCrl,
  addKill,
  crlNamed,
  crlsPage,
  deleteCrl,
  deleteKill,
  killsPage,
  readCrlUpload,
  readKill,
} from '../../service/live.ts'
import { putLiveInForce } from '../../service/live-room.ts'
import { type Db, type Owner, ownerNamed } from '../../service/lookups.ts'
import { Refusal } from '../../service/refusal.ts'
import {
  deleteSetting,
  putSetting,
  readIssuerAcl,
  readRevocation,
  readTrustStore,
  type SettingKind,
  type StoredTrustStore,
  settingNamed,
  settingOf,
  trustStoreDetail,
  trustStoreResource,
} from '../../service/settings.ts'
import { demandToCome } from '../../service/times.ts'
import { type Answer, done, list, page, resource } from '../answer.ts'
import type { Announced, Call } from '../call.ts'
import type { Route, RouteBody } from '../route.ts'
import {
  type AnswerName,
  crlRequest,
  issuerAclRequest,
  killEntryRequest,
  pageQuery,
  revocationRequest,
  trustStoreRequest,
} from '../schemas.ts'

const owners = [
  ['/apiops/projects/{projectName}/', 'Project', 'the project'],
  ['/apiops/projects/{projectName}/apiProxies/{apiProxyName}/', 'ApiProxy', 'the API proxy alone'],
] as const

/** Here and not last: the list below is made on import. */
const certificateTypes = [
  'application/octet-stream',
  'application/x-pem-file',
  'application/pem-certificate-chain',
  'application/pkix-cert',
  'application/pkcs7-mime',
  'application/x-pkcs7-certificates',
  'text/plain',
]
const crlTypes = [
  'application/octet-stream',
  'application/pkix-crl',
  'application/x-pem-file',
  'text/plain',
]

export const trustRoutes: readonly Route[] = owners.flatMap(([base, suffix, words]) => [
  ...settingRoutes(base, suffix, words, {
    kind: 'trustStore',
    title: 'Trust store',
    id: 'TrustStore',
    body: { schema: trustStoreRequest, checkedBy: 'schema', maximum: maxTrustStore },
    read: (body) => {
      const { anchors, intermediates = [] } = body as TrustStoreRequest
      return readTrustStore({
        anchors: sourcesOf(anchors, 'anchors'),
        intermediates: sourcesOf(intermediates, 'intermediates'),
      })
    },
    show: (value) => trustStoreResource(value as StoredTrustStore),
    detail: (value) => trustStoreDetail(value as StoredTrustStore),
  }),
  uploadRoute(base, suffix, words, 'anchors'),
  uploadRoute(base, suffix, words, 'intermediates'),
  ...settingRoutes(base, suffix, words, {
    kind: 'issuerAcl',
    title: 'Issuer ACL',
    id: 'IssuerAcl',
    body: { schema: issuerAclRequest, checkedBy: 'schema' },
    read: (body) => readIssuerAcl((body as { readonly acl: unknown }).acl),
    show: (value) => value,
    detail: (value) => value,
  }),
  ...settingRoutes(base, suffix, words, {
    kind: 'revocation',
    title: 'Revocation settings',
    id: 'Revocation',
    body: { schema: revocationRequest, checkedBy: 'fields' },
    read: (body) => readRevocation(body),
    show: (value) => value,
    detail: (value) => value,
  }),
  ...liveRoutes(base, suffix, words),
])

interface SettingRoutes {
  readonly kind: SettingKind
  readonly title: string
  readonly id: string
  readonly body: RouteBody
  readonly read: (body: unknown) => object
  readonly show: (value: object) => object
  readonly detail: (value: object) => object
}

function settingRoutes(
  base: string,
  suffix: string,
  words: string,
  { kind, title, id, body, read, show, detail }: SettingRoutes,
): readonly Route[] {
  const shared = {
    path: `${base}${kind}/`,
    tag: 'Trust',
    answer: kind satisfies AnswerName,
  }
  return [
    {
      ...shared,
      method: 'get',
      operationId: `read${suffix}${id}`,
      summary: `${title} of ${words}`,
      needs: 'read',
      handle: async (call) => {
        const { db } = call.manager.store
        const { value, tag } = await settingNamed(db, await ownerOf(call, db), kind)
        return resource(show(value as object), tag)
      },
    },
    {
      ...shared,
      method: 'put',
      operationId: `put${suffix}${id}`,
      summary: `Set the ${title.toLowerCase().replace('acl', 'ACL')} of ${words}; in force with the next deployment`,
      needs: 'write',
      conditional: true,
      body,
      handle: async (call) => {
        const value = read(call.body)
        return await call.change(async (change) => {
          const owner = await ownerOf(call, change.trx)
          const tag = await putSetting(change, owner, kind, value, detail(value))
          return resource(show(value), tag)
        })
      },
    },
    {
      ...shared,
      method: 'delete',
      operationId: `delete${suffix}${id}`,
      summary: `Remove the ${title.toLowerCase().replace('acl', 'ACL')} of ${words}`,
      needs: 'write',
      conditional: true,
      answer: 'done',
      handle: async (call) =>
        await call.change(async (change) => {
          await deleteSetting(change, await ownerOf(call, change.trx), kind)
          return done()
        }),
    },
  ]
}

/** A file as it is: `curl --data-binary @ca.pem`. */
function uploadRoute(
  base: string,
  suffix: string,
  words: string,
  part: 'anchors' | 'intermediates',
): Route {
  return {
    method: 'put',
    path: `${base}trustStore/${part}/`,
    operationId: `put${suffix}${part === 'anchors' ? 'Anchors' : 'Intermediates'}`,
    tag: 'Trust',
    summary: `Set the ${part} of ${words} from a file: PEM, DER or PKCS #7`,
    needs: 'write',
    conditional: true,
    body: { checkedBy: 'fields', maximum: maxCertificateFile, octets: certificateTypes },
    answer: 'trustStore',
    handle: async (call) => {
      const read = readCertificateUpload([call.body as Uint8Array], '').map(encodeBase64)
      return await call.change(async (change) => {
        const owner = await ownerOf(call, change.trx)
        const before = await settingOf(change.trx, owner, 'trustStore')
        if (before === undefined && part === 'intermediates') {
          throw new Refusal('not-found', 'there is no trust store: upload its anchors first')
        }
        const known = (before?.value as StoredTrustStore | undefined) ?? noStore
        const value = { ...known, [part]: read }
        const tag = await putSetting(change, owner, 'trustStore', value, trustStoreDetail(value))
        return resource(trustStoreResource(value), tag)
      })
    },
  }
}

function liveRoutes(base: string, suffix: string, words: string): readonly Route[] {
  const crls = `${base}crls/`
  const kills = `${base}killList/`
  const tag = 'Live data'
  return [
    {
      method: 'get',
      path: crls,
      operationId: `list${suffix}Crls`,
      tag,
      summary: `CRLs of ${words}`,
      needs: 'read',
      query: pageQuery,
      answer: 'crls',
      handle: async (call) => {
        const { db } = call.manager.store
        return page(await crlsPage(db, await ownerOf(call, db), call.page))
      },
    },
    {
      method: 'post',
      path: crls,
      operationId: `add${suffix}Crl`,
      tag,
      summary: `Add CRLs to ${words}: in force at once. Octets of DER or PEM, or JSON`,
      needs: 'write',
      body: { schema: crlRequest, checkedBy: 'schema', maximum: maxCrlFile, octets: crlTypes },
      answer: 'crlsAdded',
      handle: async (call) => {
        const { body } = call
        const source = body instanceof Uint8Array ? body : (body as { readonly crl: string }).crl
        const lists = readCrlUpload(source, body instanceof Uint8Array ? '' : 'crl')
        const { db } = call.manager.store
        const known = await ownerOf(call, db)
        // Hashed here, where nobody waits for it; the transaction looks at what came out.
        for (const one of lists) await crlSignerOf(one, await crlSignersOf(db, known, one))
        return await call.change(async (change) => {
          const owner = await ownerOf(call, change.trx)
          const added: object[] = []
          for (const one of lists) added.push(await addCrl(change, owner, one))
          return await announce(call, change, owner, 'grows', list(added))
        })
      },
    },
    {
      method: 'get',
      path: `${crls}{sha256}/`,
      operationId: `read${suffix}Crl`,
      tag,
      summary: `One CRL of ${words}, in DER`,
      needs: 'read',
      answer: { contentType: 'application/pkix-crl' },
      handle: async (call) => {
        const { db } = call.manager.store
        const { der, sha256 } = await crlNamed(db, await ownerOf(call, db), call.name('sha256'))
        const headers = { 'content-type': 'application/pkix-crl' }
        return { status: 200, body: der, tag: sha256, headers }
      },
    },
    {
      method: 'delete',
      path: `${crls}{sha256}/`,
      operationId: `delete${suffix}Crl`,
      tag,
      summary: `Remove a CRL of ${words}: in force at once`,
      needs: 'write',
      conditional: true,
      answer: 'liveDone',
      handle: async (call) =>
        await call.change(async (change) => {
          const owner = await ownerOf(call, change.trx)
          const sha256 = call.name('sha256')
          await deleteCrl(change, owner, sha256)
          // Last, so that one that is not there is 404: nothing is done that is not undone.
          expectVersion(change, sha256)
          return await announce(call, change, owner, 'shrinks', done())
        }),
    },
    {
      method: 'get',
      path: kills,
      operationId: `list${suffix}KillEntries`,
      tag,
      summary: `Kill list of ${words}`,
      needs: 'read',
      query: pageQuery,
      answer: 'killEntries',
      handle: async (call) => {
        const { db } = call.manager.store
        return page(await killsPage(db, await ownerOf(call, db), call.page))
      },
    },
    {
      method: 'post',
      path: kills,
      operationId: `add${suffix}KillEntry`,
      tag,
      summary: `Kill a certificate, a key or an issuer for ${words}: in force at once`,
      needs: 'write',
      body: { schema: killEntryRequest, checkedBy: 'fields' },
      answer: 'killEntry',
      handle: async (call) => {
        const entry = readKill(call.body)
        return await call.change(async (change) => {
          // Here and not of a file: what has run out since it was exported does no harm.
          if (entry.expires !== undefined) demandToCome(entry.expires, change.now, 'expires')
          const owner = await ownerOf(call, change.trx)
          const added = await addKill(change, owner, entry)
          return await announce(call, change, owner, 'grows', resource(added))
        })
      },
    },
    {
      method: 'delete',
      path: `${kills}{killEntryId}/`,
      operationId: `delete${suffix}KillEntry`,
      tag,
      summary: `Remove an entry from the kill list of ${words}: in force at once`,
      needs: 'write',
      answer: 'liveDone',
      handle: async (call) =>
        await call.change(async (change) => {
          const owner = await ownerOf(call, change.trx)
          await deleteKill(change, owner, call.name('killEntryId'))
          return await announce(call, change, owner, 'shrinks', done())
        }),
    },
  ]
}

/** Tells the gateways, whose word is a part of the answer. */
async function announce(
  call: Call,
  change: Change,
  owner: Owner,
  how: 'grows' | 'shrinks',
  answer: Answer,
): Promise<Announced> {
  const announced = await putLiveInForce(change, call.manager.deployer.publisher, owner, how)
  return { announced, project: owner.projectName, answer }
}

async function ownerOf(call: Call, db: Db): Promise<Owner> {
  const apiProxy = call.nameIfAny('apiProxyName')
  return await ownerNamed(db, call.name('projectName'), apiProxy)
}

function sourcesOf(
  value: TrustStoreRequest['anchors'],
  path: string,
): readonly (string | Uint8Array)[] {
  if (typeof value === 'string') return [value]
  return value.map((one, index) =>
    typeof one === 'string' ? one : summarizedDer(one, `${path}[${index}]`),
  )
}

const noStore: StoredTrustStore = { anchors: [], intermediates: [] }
