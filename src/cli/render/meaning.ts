/** What a code means, without a case at hand. @module */

import { describeFailure, type Failure, failureCodes } from '../../client/failure.ts'
import type { Reason } from '../files.ts'
import { explainProblem } from './problems.ts'

/** `undefined` for a word that is no code. */
export function meaningOf(word: string): Reason | undefined {
  const problem = explainProblem(word)
  if (problem !== undefined) return problem
  const code = failureCodes().find((one) => one === word)
  if (code === undefined) return undefined
  // The words of the registry ask for facts. Without a case there are none: source and remedy do not depend on them.
  const { source, remedy } = describeFailure({ ...anyFacts, code } as unknown as Failure)
  const message =
    'a certificate was refused; check and explain say of the one at hand what was found'
  return { code, message, source, remedy }
}

const name = { der: new Uint8Array(), rdns: [] }
const lists = { wanted: [], purposes: [], expected: [], present: [], subtrees: [], problems: [] }
const numbers = { index: 0, time: 0, notBefore: 0, notAfter: 0, revocationDate: 0, maximum: 0 }
/** Of every kind that a failure may have. */
const anyFacts = {
  ...lists,
  ...numbers,
  scheme: { name: 'ECDSA', hash: 'SHA-256' },
  exponent: Uint8Array.of(1),
  issuer: name,
  subject: name,
  entry: {},
  kind: 'other-pem',
  evidence: { by: 'crl', thisUpdate: 0 },
}
