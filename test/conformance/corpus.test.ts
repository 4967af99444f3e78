import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { casesOf, readCorpus } from './corpus.ts'
import { suiteOf, suites } from './suites/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'corpus-'))
afterAll(() => rmSync(folder, { recursive: true }))

function write(name: string, content: string | Uint8Array): string {
  const file = join(folder, name)
  writeFileSync(file, content)
  return file
}

describe('reading a corpus', () => {
  const text = JSON.stringify({ cases: [{ id: 'a' }, { id: 'b' }] })

  test('compression is told by the content, not by the name', () => {
    expect(casesOf(readCorpus(write('plain.json.gz', text)))).toHaveLength(2)
    expect(casesOf(readCorpus(write('packed.json', gzipSync(text))))).toHaveLength(2)
  })

  test.each([
    ['no list of cases', {}],
    ['a case without id', { cases: [{}] }],
    ['an id twice', { testcases: [{ id: 'a' }, { id: 'a' }] }],
  ])('%s is refused', (name, corpus) => {
    const file = write(`${name}.json`, JSON.stringify(corpus))
    expect(() => readCorpus(file)).toThrow()
  })
})

describe('the suite of a corpus is told by its keys', () => {
  test.each([
    ['limbo', { testcases: [{ id: 'a', crls: [] }] }],
    ['client-cases', { testcases: [{ id: 'a' }, { id: 'b', issuer_acl: [] }] }],
    ['pkits', { certs: {}, crls: {}, cases: [{ id: 'a', trust_anchor: 'b', expected_nist: {} }] }],
    ['verify-chain', { certs: {}, cases: [{ id: 'a', chain: [], last_cert: {} }] }],
    ['path-builder', { certs: {}, cases: [{ id: 'a', anchors: [] }] }],
    ['name-match', { names: {}, cases: [{ id: 'a', op: 'match', a: 'x', b: 'y' }] }],
    [
      'name-constraints',
      { constraints: {}, names: {}, sans: {}, cases: [{ id: 'a', op: 'parse' }] },
    ],
    ['parse-certificate', { cases: [{ id: 'a', op: 'tbs', der: '' }] }],
    ['crl', { cases: [{ id: 'a', crl: '', issuer_chain: [] }] }],
    ['ocsp', { cases: [{ id: 'a', kind: 'path', trust_anchor: '', expected: {} }] }],
    ['signed-data', { cases: [{ id: 'a', spki: '', algorithm: '' }] }],
    ['algorithm-chains', { cases: [{ id: 'a', trust_anchor: '', expected: {} }] }],
    ['wycheproof-signatures', { groups: [], cases: [{ id: 'a', group: 'b' }] }],
  ])('%s', (name, corpus) => {
    expect(suiteOf(corpus).name).toBe(name)
  })

  test('each suite has a schema in the list above', () => {
    expect(suites).toHaveLength(13)
  })

  test('an unknown schema is refused', () => {
    expect(() => suiteOf({ cases: [{ id: 'a' }] })).toThrow('no suite')
  })
})
