/** Reads one corpus: a JSON document, plain or gzipped. @module */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** The outermost keys of any corpus; each suite knows the rest of its own. */
export interface Corpus {
  readonly cases?: readonly CorpusCase[]
  /** limbo's word for cases. */
  readonly testcases?: readonly CorpusCase[]
  readonly [key: string]: unknown
}

export interface CorpusCase {
  readonly id: string
  readonly [key: string]: unknown
}

/**
 * Reads the corpus in `file`. Compression is told by the content, because a larger file of the same schema may have any name.
 *
 * @throws Error when the file cannot be read, is no JSON or holds no list of cases with ids.
 */
export function readCorpus(file: string): Corpus {
  const bytes = readFileSync(file)
  const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
  const corpus = JSON.parse(plain.toString('utf8')) as Corpus
  const cases = casesOf(corpus)
  const ids = new Set(cases.map(({ id }) => id))
  if (ids.has(undefined as unknown as string) || ids.size !== cases.length) {
    throw new Error(`${file}: every case needs an id of its own`)
  }
  return corpus
}

/** @throws Error when the document has no list of cases. */
export function casesOf(corpus: Corpus): readonly CorpusCase[] {
  const cases = corpus.testcases ?? corpus.cases
  if (!Array.isArray(cases)) throw new Error('the document has neither testcases nor cases')
  return cases as readonly CorpusCase[]
}
