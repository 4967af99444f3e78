/** x509-limbo's schema: whole validation, under profile `rfc5280` and again under the default. @module */

import { isPeerNameReadable } from '../../../src/path/peer-names.ts'
import { parseCrls } from '../../../src/revocation/crls.ts'
import type { Corpus } from '../corpus.ts'
import type { Driver, Options } from '../drivers.ts'
import { anchorsOf, certificatesOf } from '../inputs.ts'
import {
  answered,
  bothDrivers,
  type Case,
  type Outcome,
  type Profile,
  type Suite,
} from '../suite.ts'

export interface LimboCase {
  readonly id: string
  readonly validation_kind: 'CLIENT' | 'SERVER'
  /** PEM each, as are the next two. */
  readonly trusted_certs: readonly string[]
  readonly untrusted_intermediates?: readonly string[] | null
  readonly peer_certificate: string
  /** ISO 8601, milliseconds allowed; null or absent means now. */
  readonly validation_time?: string | null
  readonly expected_result: 'SUCCESS' | 'FAILURE'
  readonly expected_peer_name?: PeerName | null
  readonly expected_peer_names?: readonly PeerName[] | null
  /** How many intermediates at most, self-issued ones not counted. */
  readonly max_chain_depth?: number | null
  readonly crls?: readonly string[] | null
}

interface PeerName {
  readonly kind: 'RFC822' | 'DNS' | 'IP'
  readonly value: string
}

export const limbo: Suite = {
  name: 'limbo',
  file: 'limbo.json.gz',
  drivers: bothDrivers,
  profiles: ['rfc5280', 'interoperable'],
  recognises: (corpus) => corpus.testcases !== undefined && !hasClientFields(corpus),
  read: (corpus) => (corpus.testcases as unknown as readonly LimboCase[]).map(readCase),
}

/** The fields that client-cases adds to limbo's schema. */
const clientFields = ['expected_codes', 'tags', 'revocation', 'ocsp', 'profile', 'issuer_acl']

export function hasClientFields({ testcases = [] }: Corpus): boolean {
  return testcases.some((one) => clientFields.some((field) => field in one))
}

function readCase(one: LimboCase): Case {
  return {
    id: one.id,
    run(driver, profile): Outcome | Promise<Outcome> {
      return judge(one, driver, { ...limboOptions(one), profile })
    },
  }
}

/** Validates and compares with `expected_result`. Anchors that cannot be read leave nothing to trust: a refusal. */
export async function judge(
  one: LimboCase,
  driver: Driver,
  options: Omit<Options, 'trustAnchors'>,
): Promise<Outcome> {
  const expected = one.expected_result === 'SUCCESS'
  const anchors = anchorsOf(one.trusted_certs)
  if (!anchors.ok) return answered(expected, false, anchors.failure.code)
  // A name that cannot be read is the caller's mistake, and nobody is accepted under it.
  if (!(options.expectedPeerNames ?? []).every(isPeerNameReadable)) {
    return answered(expected, false, 'option-invalid')
  }
  const verdict = await driver.validate(one.peer_certificate, {
    ...options,
    trustAnchors: anchors.value,
  })
  return answered(expected, verdict.ok, verdict.ok ? undefined : verdict.failure.code)
}

/** What the fields of limbo's schema ask for. */
export function limboOptions(
  one: LimboCase,
): Omit<Options, 'trustAnchors'> & { profile?: Profile } {
  const client = one.validation_kind === 'CLIENT'
  const names = client ? (one.expected_peer_names ?? []) : listOf(one.expected_peer_name)
  const { validation_time: time, max_chain_depth: depth } = one
  return {
    purpose: client ? 'clientAuth' : 'serverAuth',
    time: typeof time === 'string' ? new Date(time) : now,
    intermediates: certificatesOf(one.untrusted_intermediates ?? []),
    ...(one.crls?.length
      ? { revocation: { mode: 'crl', crls: parseCrls(one.crls) } as const }
      : {}),
    ...(names.length > 0 ? { expectedPeerNames: names } : {}),
    ...(typeof depth === 'number' ? { maxIntermediates: Math.min(depth, 100) } : {}),
  }
}

/** Read once: all cases of a run see the same moment. */
const now = new Date()

function listOf<T>(value: T | null | undefined): readonly T[] {
  return value === null || value === undefined ? [] : [value]
}
