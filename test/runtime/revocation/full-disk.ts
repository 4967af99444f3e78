/** Run by a test under a limit on the size of files: fetches a list that is larger, with the cache folder as its argument. */

import { createRevocationSource } from '../../../src/revocation.ts'
import { issueCa, startResponder, testTime } from '../../../src/testing/index.ts'

const [cacheFolder = ''] = process.argv.slice(2)
const ca = await issueCa('Issuing CA')
const responder = await startResponder({
  routes: { '/ca.crl': { crlOf: ca, options: { entries: 10_000 } } },
})
const failures: unknown[] = []
const source = createRevocationSource({
  crls: { urls: [responder.url('/ca.crl')] },
  allowAddresses: ['loopback'],
  now: () => new Date(testTime * 1000),
  cacheFolder,
  onEvent: (event) => {
    if (event.type === 'cache-failed') failures.push(event.failure)
  },
})
await source.ready()
await source.close()
await responder.close()
console.log(JSON.stringify({ lists: source.crls.lists.length, failures }))
