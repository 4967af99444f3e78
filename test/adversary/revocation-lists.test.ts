import { describe, expect, test } from 'vitest'
import { parseCrls } from '../../src/revocation/crls.ts'
import { issueCa } from '../../src/testing/index.ts'
import { judge, outcome, outcomeOf } from '../revocation/crl-support.ts'

// Lists that cost more to look into than to make: nobody need have signed them.

const root = await issueCa('Root CA')
const client = await root.issue('client-a')
const { serialNumber } = client.tbsCertificate
const indirect = { issuingDistributionPoint: { indirectCRL: true } } as const

/** So many names of directories. */
function names(count: number, of: number) {
  return Array.from({ length: count }, (_, i) => ({ directoryName: `CN=Somebody ${i} of ${of}` }))
}

describe('entries with one serial number, each under an issuer with many names', () => {
  test('are looked at only as far as a look-up may cost, and the list never says good', async () => {
    const revoked = Array.from({ length: 1_000 }, (_, i) => ({
      serialNumber,
      certificateIssuer: names(400, i),
    }))
    const { der } = await root.issueCrl({ ...indirect, revoked })
    const crls = parseCrls(der)
    expect(crls.unreadable).toEqual([])
    const begin = performance.now()
    expect(outcomeOf(judge(client, root, [], { rule: { crls } }))).toBe('crl-malformed')
    // Ten times what it takes, and a twentieth of what it would.
    expect(performance.now() - begin).toBeLessThan(200)
  })

  test('of a thousand issuers with a name each are all looked at', async () => {
    const revoked = Array.from({ length: 1_000 }, (_, i) => ({
      serialNumber,
      certificateIssuer: names(1, i),
    }))
    const own = { serialNumber, certificateIssuer: [{ directoryName: 'CN=Root CA' }] }
    expect(outcome(client, root, [await root.issueCrl({ ...indirect, revoked })])).toBe('good')
    const all = await root.issueCrl({ ...indirect, revoked: [...revoked, own] })
    expect(outcome(client, root, [all])).toBe('revoked')
  })

  test('of which one has more names than any, make no list', async () => {
    const revoked = [{ serialNumber, certificateIssuer: names(2_000, 0) }]
    const { der } = await root.issueCrl({ ...indirect, revoked })
    expect(parseCrls(der).unreadable).toMatchObject([{ failure: { code: 'extension-malformed' } }])
  })
})
