import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeBase64 } from '../../src/base/base64.ts'
import { asciiBytes } from '../../src/base/bytes.ts'
import { type OcspResponseSource, parseOcspResponses } from '../../src/revocation/responses.ts'
import { issueCa, toPem } from '../../src/testing/index.ts'
import { statusBy } from './ocsp-support.ts'

const root = await issueCa('Root CA')
const client = await root.issue('client-a')
const { der } = await root.issueOcspResponse({ responses: [client] })
const pem = toPem(der, 'OCSP RESPONSE')

function codesOf(source: unknown): readonly string[] {
  return parseOcspResponses(source as OcspResponseSource).unreadable.map(
    ({ index, failure }) => `${index} ${failure.code}`,
  )
}

describe('a source of responses', () => {
  test.each<[string, OcspResponseSource]>([
    ['DER', der],
    ['base64', encodeBase64(der)],
    ['base64 as bytes', asciiBytes(`${encodeBase64(der)}\n`)],
    ['PEM', pem],
    ['PEM as bytes', asciiBytes(pem)],
  ])('%s', (_, source) => {
    const responses = parseOcspResponses(source)
    expect(responses.unreadable).toEqual([])
    expect(responses.responses).toHaveLength(1)
    expect(statusBy(client, root, responses).status).toBe('good')
  })

  test('a PEM text with several, and several sources', () => {
    const responses = parseOcspResponses([`${pem}${pem}`, der])
    expect(responses.responses).toHaveLength(3)
    expect(responses.unreadable).toEqual([])
  })

  test('a parsed response is taken as it is; a copy of its fields is read again', () => {
    const [parsed] = parseOcspResponses(der).responses
    if (parsed === undefined) throw new Error('no response')
    expect(parseOcspResponses(parsed).responses[0]).toBe(parsed)
    const forged = { ...parsed, basic: undefined }
    const [read] = parseOcspResponses(forged).responses
    expect(read).not.toBe(forged)
    expect(read?.basic).toBeDefined()
  })

  test('octets are copied: what the caller does with its buffer later changes nothing', () => {
    const buffer = der.slice()
    const responses = parseOcspResponses(buffer)
    buffer.fill(0)
    expect(statusBy(client, root, responses).status).toBe('good')
  })

  test.each<[string, unknown, readonly string[]]>([
    ['nothing', '', ['0 revocation-input-unrecognized']],
    ['a text', 'no response', ['0 revocation-input-unrecognized']],
    ['no octets', new Uint8Array(), ['0 revocation-input-unrecognized']],
    ['a number', 7, ['0 revocation-input-unrecognized']],
    ['null', [null], ['0 revocation-input-unrecognized']],
    ['another PEM', toPem(der, 'X509 CRL'), ['0 revocation-input-other-kind']],
    ['a PEM that is cut off', pem.slice(0, -30), ['0 revocation-input-pem-malformed']],
    ['an octet too many', Uint8Array.of(...der, 0), ['0 der-trailing-data']],
    ['one beside a good one', [der, der.subarray(0, 9)], ['1 der-truncated']],
  ])('%s is reported', (_, source, expected) => {
    expect(codesOf(source)).toEqual(expected)
  })

  test('no octets and no text make it throw', () => {
    const source = fc.oneof(fc.uint8Array(), fc.string())
    fc.assert(
      fc.property(source, (one) => {
        const { responses, unreadable } = parseOcspResponses(one)
        return responses.length + unreadable.length > 0
      }),
    )
  })
})
