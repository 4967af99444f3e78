import { describe, expect, test } from 'vitest'
import { Issuer } from '../../src/path/issuer.ts'
import { IssuerIndex } from '../../src/path/issuer-index.ts'
import { type CertificateAuthority, issueCa } from '../../src/testing/index.ts'

const written = async (cn: string, index: number): Promise<CertificateAuthority> =>
  issueCa(cn, { key: `P-256#${index}` })

const indexOf = (...cas: readonly CertificateAuthority[]): IssuerIndex =>
  new IssuerIndex(cas.map((ca) => new Issuer(ca, undefined)))

describe('issuers of one name in several indexes, RFC 5280 §7.1', async () => {
  const upper = await written('ROOT  CA', 0)
  const lower = await written('root ca', 1)
  const other = await written('Other CA', 2)
  const { subject } = lower.tbsCertificate

  test.each([
    ['as written only in the first', [indexOf(lower), indexOf(upper, other)], [[lower], [upper]]],
    ['as written only in the second', [indexOf(upper), indexOf(lower)], [[upper], [lower]]],
    ['written otherwise everywhere', [indexOf(upper), indexOf(upper)], [[upper], [upper]]],
    ['absent from one', [indexOf(other), indexOf(lower)], [[], [lower]]],
    ['absent from all', [indexOf(other), indexOf(other)], [[], []]],
    ['no index', [], []],
  ])('%s: what each index alone would answer', (_, indexes, expected) => {
    const found = IssuerIndex.named(indexes, subject)
    expect(found.map((list) => list.map(({ certificate }) => certificate))).toEqual(expected)
    expect(found).toEqual(indexes.map((index) => index.named(subject)))
  })
})
