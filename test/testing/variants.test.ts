import { describe, expect, test } from 'vitest'
import { runAsync, runSync, type Steps } from '../../src/effect/effect.ts'
import { defaultAlgorithmPolicy } from '../../src/path/algorithms.ts'
import { buildPath } from '../../src/path/build.ts'
import { Issuer } from '../../src/path/issuer.ts'
import { IssuerIndex } from '../../src/path/issuer-index.ts'
import type { PathOptions } from '../../src/path/options.ts'
import { nodeHandlers } from '../../src/runtime/node.ts'
import { webHandlers } from '../../src/runtime/web.ts'
import {
  type IssuedVariant,
  issueVariant,
  variantNames as names,
  variants,
} from '../../src/testing/index.ts'
import type { Certificate } from '../../src/x509/certificate.ts'
import { parseCertificate } from '../../src/x509/parse-certificate.ts'

/** `accepted`, or the code of the failure: from the reader, or from the search for a path. */
function* judge(variant: IssuedVariant): Steps<string> {
  const target = parseCertificate(variant.client.der)
  if (!target.ok) return target.failure.code
  const options: PathOptions = {
    anchors: new IssuerIndex(certificates(variant.anchorsPem).map(asAnchor)),
    intermediates: [
      new IssuerIndex(
        certificates(variant.intermediatesPem).map(
          (certificate) => new Issuer(certificate, undefined),
        ),
      ),
    ],
    time: variant.time,
    clockTolerance: 0,
    profile: 'interoperable',
    algorithms: defaultAlgorithmPolicy,
    anchorChecks: { validity: true, constraints: true },
    purpose: 'clientAuth',
    maxIntermediates: 8,
    policies: variant.inputs,
    pinnedTarget: 'refuse',
  }
  const result = yield* buildPath(target.value, options)
  return result.ok ? 'accepted' : result.failure.code
}

function asAnchor(certificate: Certificate): Issuer {
  const { subject: name, subjectPublicKeyInfo } = certificate.tbsCertificate
  return new Issuer(certificate, { name, subjectPublicKeyInfo, certificate })
}

function certificates(pem: string): Certificate[] {
  return [...pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----/g)].map(([, base64 = '']) => {
    const read = parseCertificate(Uint8Array.from(Buffer.from(base64, 'base64')))
    if (!read.ok) throw new Error(read.failure.code)
    return read.value
  })
}

describe('the variants by name', () => {
  test.each(names)(
    '%s has the verdict that the catalogue says, under both drivers',
    async (name) => {
      const variant = await issueVariant(name)
      const expected = variant.expected.ok ? 'accepted' : variant.expected.code
      expect(runSync(judge(variant), nodeHandlers())).toBe(expected)
      expect(await runAsync(judge(variant), webHandlers())).toBe(expected)
    },
  )

  test('the catalogue says what issueVariant makes', async () => {
    const variant = await issueVariant('expired')
    const { description, expected } = variants.expired
    expect(variant).toMatchObject({ name: 'expired', description, expected, inputs: {} })
    expect(variant.client.chainPem).toContain(variant.intermediatesPem)
    expect(names.length).toBeGreaterThanOrEqual(40)
  })
})
