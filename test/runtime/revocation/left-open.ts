/** Run by a test: a source with a list, a failure and a watched folder, that nobody closes. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRevocationSource } from '../../../src/revocation.ts'
import { issueCa, startResponder, testTime } from '../../../src/testing/index.ts'

const ca = await issueCa('Issuing CA')
const responder = await startResponder({ routes: { '/ca.crl': { crlOf: ca } } })
const folder = await mkdtemp(join(tmpdir(), 'mtls-policy-left-open-'))
let failures = 0
const source = createRevocationSource({
  crls: { urls: [responder.url('/ca.crl'), responder.url('/none.crl')], files: [folder] },
  allowAddresses: ['loopback'],
  now: () => new Date(testTime * 1000),
  onEvent: ({ type }) => {
    if (type === 'failed') failures++
  },
})
await source.ready()
await responder.close()
await rm(folder, { recursive: true })
console.log(JSON.stringify({ lists: source.crls.lists.length, failures }))
