import { describe, expect, test } from 'vitest'
import { describeFailure } from '../../src/explain.ts'
import { parseTrustAnchors, validateClientCertificate } from '../../src/index.node.ts'
import { issueCa, testTime } from '../../src/testing/index.ts'

describe('a message is one line, whatever a stranger wrote', async () => {
  const root = await issueCa('Root CA', {
    nameConstraints: { permitted: [{ dns: 'example.org' }] },
  })
  const options = {
    trustAnchors: parseTrustAnchors(root.pem),
    time: new Date(testTime * 1000),
  }
  const messageOf = async (presented: string) => {
    const verdict = await validateClientCertificate(presented, options)
    if (verdict.ok) throw new Error('it was let in')
    return [verdict.failure.code, describeFailure(verdict.failure).message]
  }

  test('names of a certificate that nobody trusted has signed', async () => {
    const forged = await root.issue('client-a', {
      subjectAltName: [{ dns: 'a\nadmin let in\u001b[2J' }],
      signingKey: 'P-256',
    })
    const [code, message] = await messageOf(forged.pem)
    expect(code).toBe('name-malformed')
    expect(message).toContain('dNSName a\\u{a}admin let in\\u{1b}[2J of')
  })

  test('labels of PEM blocks', async () => {
    const [code, message] = await messageOf(
      '-----BEGIN A\u001b[2J\u202e CRL-----\nAAAA\n-----END A\u001b[2J\u202e CRL-----\n',
    )
    expect(code).toBe('input-not-a-certificate')
    expect(message).toContain('(label A\\u{1b}[2J\\u{202e} CRL)')
  })
})
