import { describe, expect, test } from 'vitest'
import { parseTrustAnchors, validateClientCertificateSync } from '../../src/sync.ts'
import { issueCa, testTime } from '../../src/testing/index.ts'

// What the caller will take for proven: it must not be readable in two ways.

const root = await issueCa('Root CA')
const options = {
  trustAnchors: parseTrustAnchors(root.pem),
  time: new Date(testTime * 1000),
}

describe('the SPIFFE id, SPIFFE-ID §2 and SPIFFE X509-SVID §2', () => {
  test.each([
    'spiffe://example.org',
    'spiffe://example.org/ns/default/sa/web_1.2-A',
    'spiffe://example.org/.../..a',
  ])('is %s', async (uri) => {
    const client = await root.issue('client-a', { subjectAltName: [{ dns: 'a.example' }, { uri }] })
    const verdict = validateClientCertificateSync(client.pem, options)
    expect(verdict.ok && verdict.verified && verdict.identity.spiffeId).toBe(uri)
  })

  test.each([
    ['a line break', ['spiffe://example.org/a\r\nx-admin: yes']],
    ['a line break at the end', ['spiffe://example.org/a\n']],
    ['a user', ['spiffe://example.org@evil.example/a']],
    ['a port', ['spiffe://example.org:443/a']],
    ['capitals in the trust domain', ['spiffe://Example.org/a']],
    ['a query', ['spiffe://example.org/a?b']],
    ['a fragment', ['spiffe://example.org/a#b']],
    ['an escape', ['spiffe://example.org/a%2fb']],
    ['a dotted segment', ['spiffe://example.org/a/../admin']],
    ['an empty segment', ['spiffe://example.org//admin']],
    ['a slash at the end', ['spiffe://example.org/a/']],
    ['no trust domain', ['spiffe:///admin']],
    ['too many octets', [`spiffe://example.org/${'a'.repeat(2048)}`]],
    ['another URI beside it', ['spiffe://example.org/a', 'spiffe://example.org/admin']],
  ])('is none with %s', async (_, uris) => {
    const client = await root.issue('client-a', { subjectAltName: uris.map((uri) => ({ uri })) })
    const verdict = validateClientCertificateSync(client.pem, options)
    expect(verdict.ok && verdict.verified && [verdict.identity.spiffeId]).toEqual([undefined])
  })
})
