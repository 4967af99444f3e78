import { describe, expect, test } from 'vitest'
import { parseClientAcl } from '../../src/acl/index.ts'
import { parseTrustAnchors, validateClientCertificateSync } from '../../src/sync.ts'
import { issueCa, testTime } from '../../src/testing/index.ts'

// A CA that is trusted within limits, and wants its clients to be taken for others.

const time = new Date(testTime * 1000)

describe('a sub-CA whose mailboxes are constrained, RFC 5280 §4.2.1.10', async () => {
  const root = await issueCa('Root CA')
  const trustAnchors = parseTrustAnchors(root.pem)
  const sub = await root.issueCa('Sub CA', {
    nameConstraints: { permitted: [{ email: 'good.example' }] },
  })
  const clientAcl = parseClientAcl('allow attributes emailAddress=admin@evil.example')

  test.each([
    ['alone', undefined],
    ['beside a name of another form', [{ dns: 'a.example' }]],
    ['beside a mailbox that is permitted', [{ email: 'a@good.example' }]],
  ])('cannot put a foreign mailbox into the subject %s', async (_, subjectAltName) => {
    const client = await sub.issue('client-a', {
      subject: 'emailAddress=admin@evil.example,CN=client-a',
      ...(subjectAltName && { subjectAltName }),
    })
    const verdict = validateClientCertificateSync(client.chainPem, {
      trustAnchors,
      time,
      clientAcl,
    })
    expect(!verdict.ok && verdict.failure).toMatchObject({
      code: 'name-not-permitted',
      form: 'rfc822Name',
      index: 0,
    })
  })
})
