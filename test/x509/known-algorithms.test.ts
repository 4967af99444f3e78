import { describe, expect, test } from 'vitest'
import { writeNull, writeObjectIdentifier, writeSequence } from '../../src/der/writer.ts'
import { parseAlgorithmIdentifier } from '../../src/x509/algorithms.ts'
import { findKnownAlgorithm } from '../../src/x509/known-algorithms.ts'

describe('an AlgorithmIdentifier that is shared is the one that would be read', () => {
  const p256 = writeObjectIdentifier('1.2.840.10045.3.1.7')
  test.each([
    ['1.2.840.10045.4.3.2', undefined],
    ['1.2.840.10045.4.3.3', undefined],
    ['1.2.840.10045.2.1', p256],
    ['1.2.840.113549.1.1.11', writeNull()],
    ['1.2.840.113549.1.1.1', writeNull()],
  ])('%s', (algorithm, parameters) => {
    const oid = writeObjectIdentifier(algorithm)
    const der = parameters === undefined ? writeSequence(oid) : writeSequence(oid, parameters)
    const shared = findKnownAlgorithm(der, 0, der.length)
    expect(shared).toEqual({ der, algorithm, parameters })
    const read = parseAlgorithmIdentifier(der)
    expect(read.ok && read.value).toBe(shared)
    // One octet more, less or other, and it is read anew.
    for (let i = 0; i < der.length; i++) {
      const other = Uint8Array.from(der)
      other[i] = (other[i] as number) ^ 1
      const found = findKnownAlgorithm(other, 0, other.length)
      expect(found === undefined || found !== shared).toBe(true)
    }
    expect(findKnownAlgorithm(der, 0, der.length - 1)).toBeUndefined()
  })
})
