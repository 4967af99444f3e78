import { describe, expect, test } from 'vitest'
import { parseClientAcl } from '../../src/acl/index.ts'
import { writeElement, writeObjectIdentifier, writeSequence } from '../../src/der/writer.ts'
import { parseTrustAnchors, type Verdict, validateClientCertificateSync } from '../../src/sync.ts'
import { type CertificateOptions, issueCa, testTime } from '../../src/testing/index.ts'

// A client whose CA writes what it is asked for, and that wants to be taken for another one.

const utf8 = new TextEncoder()
const root = await issueCa('Root CA')
const trustAnchors = parseTrustAnchors(root.pem)

async function judge(acl: string, options: CertificateOptions): Promise<Verdict> {
  const client = await root.issue('client-a', options)
  return validateClientCertificateSync(client.pem, {
    trustAnchors,
    time: new Date(testTime * 1000),
    clientAcl: parseClientAcl(acl),
  })
}

function codeOf(verdict: Verdict): string {
  return verdict.ok ? 'accepted' : verdict.failure.code
}

/** A subjectAltName with one SmtpUTF8Mailbox, its value any element. */
function international(value: Uint8Array): CertificateOptions {
  const name = writeElement(
    0xa0,
    writeObjectIdentifier('1.3.6.1.5.5.7.8.9'),
    writeElement(0xa0, value),
  )
  return { rawExtensions: [{ oid: '2.5.29.17', critical: false, value: writeSequence(name) }] }
}

describe('san-email and an SmtpUTF8Mailbox, RFC 9598 §3', () => {
  const acl = 'allow san-email jürgen@example.com'

  test('is compared as it stands', async () => {
    const text = utf8.encode('jürgen@example.com')
    expect(codeOf(await judge(acl, international(writeElement(12, text))))).toBe('accepted')
  })

  test.each([
    ['a byte order mark in front', writeElement(12, utf8.encode('\ufeffjürgen@example.com'))],
    ['another string type', writeElement(22, utf8.encode('jürgen@example.com'))],
    ['a constructed value', writeElement(0x30, utf8.encode('jürgen@example.com'))],
  ])('is not the allowed one with %s', async (_, value) => {
    expect(codeOf(await judge(acl, international(value)))).toBe('client-not-allowed')
  })

  test('is found whatever the width of its length', async () => {
    const local = 'ü'.repeat(150)
    const value = writeElement(12, utf8.encode(`${local}@example.com`))
    expect(codeOf(await judge(`deny san-email ${local}@example.com`, international(value)))).toBe(
      'client-denied',
    )
  })
})

describe('san-dns and the dot of an absolute name', () => {
  const dotted = { subjectAltName: [{ dns: 'Client-A.example.' }] }

  test('an entry that denies the host denies it with the dot', async () => {
    const acl = 'deny san-dns client-a.example\nallow dn CN=client-a'
    expect(codeOf(await judge(acl, dotted))).toBe('client-denied')
  })

  test('an entry that allows the host does not look past the dot', async () => {
    expect(codeOf(await judge('allow san-dns client-a.example', dotted))).toBe('client-not-allowed')
  })
})
