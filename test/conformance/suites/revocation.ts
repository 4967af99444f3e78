/** A suite of revocation; recognised, so that a run over all corpora says that it is left out. @module */
import { type Corpus, casesOf } from '../corpus.ts'
import { bothDrivers, type Case, type Suite, skipped } from '../suite.ts'

export const crl: Suite = {
  name: 'crl',
  file: 'crl.json',
  drivers: bothDrivers,
  profiles: ['interoperable'],
  recognises: ({ cases }) => cases?.[0]?.issuer_chain !== undefined,
  read: leftOut,
}

function leftOut(corpus: Corpus): readonly Case[] {
  return casesOf(corpus).map(({ id }) => ({ id, run: () => skipped('needs revocation') }))
}
