/** Cases in limbo's schema whose list lacks what only the profile of RFC 5280 §5 asks for, through the runner. */
import { describe, expect, test } from 'vitest'
import { parseTrustAnchors } from '../../src/index.ts'
import { relaxations } from '../../src/path/relaxations.ts'
import { parseCrls } from '../../src/revocation.ts'
import { validateClientCertificateSync } from '../../src/sync.ts'
import { type CrlOptions, issueCa, testTime } from '../../src/testing/index.ts'
import { makeDrivers } from './drivers.ts'
import { isRelaxed } from './relaxations.ts'
import { type Report, runSuite } from './runner.ts'
import { type LimboCase, limbo } from './suites/limbo.ts'

const root = await issueCa('Root CA')
const client = await root.issue('client-a')

async function caseOf(id: string, options: CrlOptions, expected = 'FAILURE'): Promise<LimboCase> {
  return {
    id,
    validation_kind: 'CLIENT',
    trusted_certs: [root.pem],
    peer_certificate: client.pem,
    validation_time: new Date(testTime * 1000).toISOString(),
    expected_result: expected as LimboCase['expected_result'],
    crls: [(await root.issueCrl(options)).pem],
  }
}

function run(...testcases: readonly LimboCase[]): Promise<Report> {
  const corpus = { testcases: testcases.map((one) => ({ ...one })) }
  return runSuite(limbo, corpus, { drivers: makeDrivers(), exceptions: [], isRelaxed })
}

describe('a list without cRLNumber, RFC 5280 §5.2.3', () => {
  const id = 'crl::crlnumber-missing'

  test('is refused under rfc5280 and let pass by default, which the table explains', async () => {
    const report = await run(await caseOf(id, { cRLNumber: 'absent' }))
    expect(report).toMatchObject({
      agree: 1,
      disagree: [],
      second: { relaxed: [id], unexplained: [] },
      problems: [],
    })
    const codes = report.passes.flatMap(({ profile, outcomes }) =>
      outcomes.map((outcome) => [profile, 'code' in outcome ? outcome.code : undefined]),
    )
    expect(codes).toEqual([
      ['rfc5280', 'revocation-unknown'],
      ['rfc5280', 'revocation-unknown'],
      ['interoperable', undefined],
      ['interoperable', undefined],
    ])
  })

  test('under another name is not explained: the code of the failure says too little', async () => {
    const report = await run(await caseOf('crl::other', { cRLNumber: 'absent' }))
    expect(report.second).toMatchObject({ relaxed: [], unexplained: ['crl::other'] })
    expect(report.problems.map((problem) => problem.id)).toEqual(['crl::other'])
  })
})

test('a list that conforms is good under both profiles, and one that revokes is under none', async () => {
  const report = await run(
    await caseOf('crl::certificate-not-on-crl', {}, 'SUCCESS'),
    await caseOf('crl::revoked-certificate-with-crl', { revoked: [client] }),
  )
  expect(report).toMatchObject({ agree: 2, second: { relaxed: [], unexplained: [] } })
})

describe('the rows about lists', () => {
  const rows: readonly (readonly [keyof typeof relaxations, CrlOptions, string])[] = [
    ['crl-version-1', { version: 1 }, 'no version 2'],
    ['crl-next-update-missing', { nextUpdate: 'absent' }, 'no nextUpdate'],
    ['crl-number-missing', { cRLNumber: 'absent' }, 'no cRLNumber'],
    [
      'crl-authority-key-identifier-missing',
      { authorityKeyIdentifier: 'absent' },
      'no authorityKeyIdentifier',
    ],
  ]

  test.each(rows)('%s: refused under rfc5280, good by default', async (code, options, what) => {
    const crls = parseCrls((await root.issueCrl(options)).pem)
    const verdictUnder = (profile: 'rfc5280' | 'interoperable') =>
      validateClientCertificateSync(client, {
        trustAnchors: parseTrustAnchors(root),
        time: new Date(testTime * 1000),
        profile,
        revocation: { mode: 'crl', crls, maxAge: 86_400 },
      })
    expect(verdictUnder('rfc5280')).toMatchObject({
      failure: {
        code: relaxations[code].refusedWith,
        problems: [{ code: 'crl-malformed', what }],
      },
    })
    expect(verdictUnder('interoperable')).toMatchObject({ revocation: [{ status: 'good' }] })
  })

  test('are all that say so', () => {
    const others = Object.entries(relaxations).filter(
      ([, { refusedWith }]) => refusedWith === 'revocation-unknown',
    )
    expect(others.map(([code]) => code)).toEqual(rows.map(([code]) => code))
  })
})
