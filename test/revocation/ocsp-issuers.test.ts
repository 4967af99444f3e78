import { expect, test } from 'vitest'
import { KnownIssuers } from '../../src/revocation/known-issuers.ts'
import { issueCa } from '../../src/testing/index.ts'
import type { SubjectPublicKeyInfo } from '../../src/x509/certificate.ts'
import { Counter } from './ocsp-support.ts'

const { subject, subjectPublicKeyInfo } = (await issueCa('Root CA')).tbsCertificate

/** The same key with other first octets: keys that end alike. */
function variant(index: number): SubjectPublicKeyInfo {
  const der = subjectPublicKeyInfo.der.slice()
  const start = der.length - subjectPublicKeyInfo.subjectPublicKey.length
  new DataView(der.buffer).setUint32(start + 1, index)
  return { ...subjectPublicKeyInfo, der, subjectPublicKey: der.subarray(start) }
}

test('issuers are told apart by every octet of name and key, and each is hashed once', () => {
  const known = new KnownIssuers()
  const counter = new Counter()
  const find = (index: number) => counter.run(known.find(subject, variant(index)))
  const [first, second] = [find(1), find(2)]
  expect(first.keyHash).not.toEqual(second.keyHash)
  expect(find(1)).toBe(first)
  expect(find(2)).toBe(second)
  expect(counter.digests).toBe(8)
})

test('no more than a thousand or so are kept', () => {
  const known = new KnownIssuers()
  const counter = new Counter()
  const find = (index: number) => counter.run(known.find(subject, variant(index)))
  const first = find(0)
  for (let index = 1; index <= 1024; index++) find(index)
  expect(find(1024)).toBe(find(1024))
  expect(find(0)).not.toBe(first)
  expect(find(0)).toEqual(first)
})
