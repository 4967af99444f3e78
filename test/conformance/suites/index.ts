/** All suites, in the order of the table. @module */
import type { Corpus } from '../corpus.ts'
import type { Suite } from '../suite.ts'
import { algorithmChains } from './algorithm-chains.ts'
import { clientCases } from './client-cases.ts'
import { crl } from './crl.ts'
import { limbo } from './limbo.ts'
import { nameConstraints } from './name-constraints.ts'
import { nameMatch } from './name-match.ts'
import { ocsp } from './ocsp.ts'
import { parseCertificateSuite } from './parse-certificate.ts'
import { pathBuilder } from './path-builder.ts'
import { pkits } from './pkits.ts'

import { signedData } from './signed-data.ts'
import { verifyChain } from './verify-chain.ts'
import { wycheproof } from './wycheproof.ts'

export const suites: readonly Suite[] = [
  pkits,
  clientCases,
  verifyChain,
  pathBuilder,
  nameMatch,
  nameConstraints,
  parseCertificateSuite,
  signedData,
  algorithmChains,
  crl,
  ocsp,
  wycheproof,
  limbo,
]

/**
 * The suite whose schema `corpus` has, told by its keys alone.
 *
 * @throws Error when no suite or more than one recognises it.
 */
export function suiteOf(corpus: Corpus): Suite {
  const [suite, ...others] = suites.filter((one) => one.recognises(corpus))
  if (suite === undefined) throw new Error('no suite has this schema')
  if (others.length > 0) {
    throw new Error(`${suite.name} and ${others.map(({ name }) => name)} have this schema`)
  }
  return suite
}
