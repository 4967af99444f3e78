/** The status of a certificate from one CRL, whose issuers are taken as they stand. @module */
import { algorithmPolicy } from '../../../src/path/algorithms.ts'
import type { CrlContext } from '../../../src/revocation/crl-signature.ts'
import { crlStatus } from '../../../src/revocation/crl-status.ts'
import { parseCrls } from '../../../src/revocation/crls.ts'
import type { StatusIssuer } from '../../../src/revocation/status.ts'
import type { Certificate } from '../../../src/x509/certificate.ts'
import { parseCertificate } from '../../../src/x509/parse-certificate.ts'
import { bytesOf } from '../inputs.ts'
import { bothDrivers, type Case, compared, type Suite } from '../suite.ts'

interface CrlCase {
  readonly id: string
  /** DER in base64, as are the next two. */
  readonly crl: string
  readonly cert: string
  /** The issuer first; any of them that has the name of the CRL's issuer may have signed it. */
  readonly issuer_chain: readonly string[]
  readonly time: string
  readonly max_age_seconds: number
  readonly expected: 'good' | 'revoked' | 'unknown'
}

export const crl: Suite = {
  name: 'crl',
  file: 'crl.json',
  drivers: bothDrivers,
  profiles: ['interoperable'],
  recognises: ({ cases }) => cases?.[0]?.issuer_chain !== undefined,
  read: ({ cases }) => (cases as unknown as readonly CrlCase[]).map(readCase),
}

function readCase(one: CrlCase): Case {
  return {
    id: one.id,
    async run(driver) {
      const crls = parseCrls(bytesOf(one.crl))
      const [issuer, ...others] = one.issuer_chain.map((der) => issuerOf(certificateOf(der)))
      const context: CrlContext = {
        time: Math.floor(Date.parse(one.time) / 1000),
        clockTolerance: 0,
        maxAge: one.max_age_seconds,
        staleFor: 0,
        // The keys of this suite are of 2017.
        algorithms: algorithmPolicy({ dangerouslyMinimumRsaBits: 1024 }),
        profile: 'interoperable',
        budget: { signatures: 100 },
        *othersWhoSign(held) {
          return others
            .filter(({ name }) => crls.issuedBy(name).nameKey === held.issuerKey)
            .map((other) => ({ issuer: other }))
        },
      }
      const steps = crlStatus(certificateOf(one.cert), issuer as StatusIssuer, crls, context)
      const finding = await driver.run(steps)
      const problems = finding.status === 'unknown' ? finding.problems : []
      const codes = [...crls.unreadable.map(({ failure }) => failure), ...problems]
      return compared(one.expected, finding.status, codes.map(({ code }) => code).join())
    },
  }
}

function certificateOf(base64: string): Certificate {
  const parsed = parseCertificate(bytesOf(base64))
  if (!parsed.ok)
    throw new Error(`the certificate of a case does not parse: ${parsed.failure.code}`)
  return parsed.value
}

function issuerOf(certificate: Certificate): StatusIssuer {
  const { subject: name, subjectPublicKeyInfo } = certificate.tbsCertificate
  return { name, subjectPublicKeyInfo, certificate }
}
