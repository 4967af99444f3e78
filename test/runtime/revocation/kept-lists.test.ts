import { describe, expect, test } from 'vitest'
import { KeptLists } from '../../../src/runtime/revocation/kept-lists.ts'
import type { ReadList } from '../../../src/runtime/revocation/read-lists.ts'
import { issueCa, testTime } from '../../../src/testing/index.ts'
import { formatName } from '../../../src/x509/name-text.ts'
import { parseCrl } from '../../../src/x509/parse-crl.ts'

/** A list of a CA of its own, proven. */
async function listOf(name: string, nextUpdate: number): Promise<ReadList> {
  const ca = await issueCa(name)
  const { der } = await ca.issueCrl({ nextUpdate })
  const parsed = parseCrl(der)
  if (!parsed.ok) throw new Error(parsed.failure.code)
  return { list: parsed.value, verified: true, signedBy: ca.tbsCertificate.subjectPublicKeyInfo }
}

const names = (kept: KeptLists): readonly string[] =>
  kept.all.map(({ list }) => formatName(list.tbsCertList.issuer))

describe('a full house of proven lists', () => {
  test('has no room while all of them are current', async () => {
    const kept = new KeptLists()
    for (let i = 0; i < 8; i++) kept.put(await listOf(`CA ${i}`, testTime + 1000), testTime)
    const ninth = await listOf('CA 8', testTime + 1000)
    expect(kept.check(ninth, testTime)).toEqual({ code: 'issuers', maximum: 8 })
  })

  test('makes room of the one that ran out longest ago', async () => {
    const kept = new KeptLists()
    for (let i = 0; i < 8; i++) {
      const nextUpdate = i === 3 ? testTime - 200 : i === 5 ? testTime - 100 : testTime + 1000
      kept.put(await listOf(`CA ${i}`, nextUpdate), testTime)
    }
    const ninth = await listOf('CA 8', testTime + 1000)
    expect(kept.check(ninth, testTime)).toBeUndefined()
    kept.put(ninth, testTime)
    expect(names(kept)).toEqual([0, 1, 2, 4, 5, 6, 7, 8].map((i) => `CN=CA ${i}`))
  })
})
