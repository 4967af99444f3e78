import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  writeBitString,
  writeBoolean,
  writeElement,
  writeInteger,
  writeNull,
  writeObjectIdentifier,
  writeOctetString,
  writeSequence,
  writeText,
} from '../../src/der/writer.ts'
import { issueCa } from '../../src/testing/index.ts'
import { isParsedOcspResponse, parseOcspResponse } from '../../src/x509/parse-ocsp.ts'
import { offsetOf } from './support.ts'

const none: Uint8Array = new Uint8Array()
const time = (text: string) => writeText(0x18, text)
const explicit = (number: number, ...contents: readonly Uint8Array[]) =>
  writeElement(0xa0 | number, ...contents)
const extension = (oid: string, value: Uint8Array, critical: Uint8Array = none) =>
  writeSequence(writeObjectIdentifier(oid), critical, writeOctetString(value))
const ecdsa = writeSequence(writeObjectIdentifier('1.2.840.10045.4.3.2'))
const revokedInfo = (...fields: readonly Uint8Array[]) => explicit(1, ...fields)
const revokedAt = time('20200101000000Z')
const enumerated = (value: number) => writeElement(0x0a, Uint8Array.of(value))

const nonceId = '1.3.6.1.5.5.7.48.1.2'
const extensions = (...all: readonly Uint8Array[]) => explicit(1, writeSequence(...all))

interface SingleParts {
  readonly certID?: Uint8Array
  readonly certStatus?: Uint8Array
  readonly thisUpdate?: Uint8Array
  readonly nextUpdate?: Uint8Array
  readonly extensions?: Uint8Array
  readonly after?: Uint8Array
}

const certID = writeSequence(
  writeSequence(writeObjectIdentifier('1.3.14.3.2.26'), writeNull()),
  writeOctetString(new Uint8Array(20).fill(1)),
  writeOctetString(new Uint8Array(20).fill(2)),
  writeInteger(5),
)

function single(parts: SingleParts = {}): Uint8Array {
  return writeSequence(
    parts.certID ?? certID,
    parts.certStatus ?? writeElement(0x80),
    parts.thisUpdate ?? time('20300101000000Z'),
    parts.nextUpdate ?? none,
    parts.extensions ?? none,
    parts.after ?? none,
  )
}

interface Parts {
  readonly version?: Uint8Array
  readonly responderID?: Uint8Array
  readonly producedAt?: Uint8Array
  readonly responses?: readonly Uint8Array[]
  readonly extensions?: Uint8Array
  readonly afterData?: Uint8Array
  readonly algorithm?: Uint8Array
  readonly signature?: Uint8Array
  readonly certs?: Uint8Array
  readonly afterBasic?: Uint8Array
  readonly behindBasic?: Uint8Array
  readonly type?: string
  readonly afterType?: Uint8Array
  readonly status?: Uint8Array
  readonly bytes?: Uint8Array
  readonly behind?: Uint8Array
}

function response(parts: Parts = {}): Uint8Array {
  const data = writeSequence(
    parts.version ?? none,
    parts.responderID ?? explicit(2, writeOctetString(new Uint8Array(20).fill(3))),
    parts.producedAt ?? time('20300101000001Z'),
    writeSequence(...(parts.responses ?? [single()])),
    parts.extensions ?? none,
    parts.afterData ?? none,
  )
  const basic = writeSequence(
    data,
    parts.algorithm ?? ecdsa,
    parts.signature ?? writeBitString(Uint8Array.of(1, 2)),
    parts.certs ?? none,
    parts.afterBasic ?? none,
  )
  const octets = writeElement(0x04, basic, parts.behindBasic ?? none)
  const bytes = explicit(
    0,
    writeSequence(
      writeObjectIdentifier(parts.type ?? '1.3.6.1.5.5.7.48.1.1'),
      octets,
      parts.afterType ?? none,
    ),
  )
  const whole = writeSequence(parts.status ?? enumerated(0), parts.bytes ?? bytes)
  return Uint8Array.of(...whole, ...(parts.behind ?? none))
}

function codeOf(der: Uint8Array): string | undefined {
  const parsed = parseOcspResponse(der)
  return parsed.ok ? undefined : parsed.failure.code
}

function basicOf(parts: Parts) {
  const parsed = parseOcspResponse(response(parts))
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.failure))
  if (parsed.value.basic === undefined) throw new Error('no basic response')
  return parsed.value.basic
}

describe('a response, RFC 6960 §4.2.1', () => {
  test('every field', () => {
    const certs = [writeSequence(writeInteger(1)), writeSequence()]
    const parts: Parts = {
      responses: [
        single({ nextUpdate: explicit(0, time('20300102000000Z')) }),
        single({ certStatus: writeElement(0x82) }),
        single({ certStatus: revokedInfo(revokedAt, explicit(0, enumerated(1))) }),
        single({
          certStatus: revokedInfo(revokedAt),
          extensions: extensions(extension('2.5.29.24', revokedAt)),
        }),
      ],
      extensions: extensions(
        extension(nonceId, writeOctetString(Uint8Array.of(7, 8))),
        extension('1.2.3', writeNull(), writeBoolean(true)),
      ),
      certs: explicit(0, writeSequence(...certs)),
    }
    const der = response(parts)
    expect(parseOcspResponse(der)).toMatchObject({
      ok: true,
      value: { der, responseStatus: 'successful' },
    })
    const revocationTime = 1_577_836_800
    const thisUpdate = 1_893_456_000
    expect(basicOf(parts)).toMatchObject({
      responderID: { kind: 'byKey', keyHash: new Uint8Array(20).fill(3) },
      producedAt: thisUpdate + 1,
      responses: [
        {
          certID: {
            hashAlgorithm: { algorithm: '1.3.14.3.2.26', parameters: writeNull() },
            issuerNameHash: new Uint8Array(20).fill(1),
            issuerKeyHash: new Uint8Array(20).fill(2),
            serialNumber: Uint8Array.of(5),
          },
          certStatus: { status: 'good' },
          thisUpdate,
          nextUpdate: thisUpdate + 86_400,
          invalidityDate: undefined,
          singleExtensions: [],
        },
        { certStatus: { status: 'unknown' }, nextUpdate: undefined },
        { certStatus: { status: 'revoked', revocationTime, reason: 'keyCompromise' } },
        {
          certStatus: { status: 'revoked', revocationTime, reason: undefined },
          invalidityDate: revocationTime,
          singleExtensions: [{ oid: '2.5.29.24', critical: false, value: revokedAt }],
        },
      ],
      responseExtensions: [
        { oid: nonceId, critical: false },
        { oid: '1.2.3', critical: true, value: writeNull() },
      ],
      nonce: Uint8Array.of(7, 8),
      signatureAlgorithm: { algorithm: '1.2.840.10045.4.3.2' },
      signature: Uint8Array.of(1, 2),
      certs,
    })
  })

  test('tbsResponseData are the octets that are signed', () => {
    const { tbsResponseData } = basicOf({})
    expect(offsetOf(response(), tbsResponseData)).toBeGreaterThan(0)
    expect(tbsResponseData[0]).toBe(0x30)
  })

  test('a responder by name', () => {
    expect(basicOf({ responderID: explicit(1, writeSequence()) }).responderID).toMatchObject({
      kind: 'byName',
      name: { rdns: [] },
    })
  })

  test('no answers and no certificates are allowed', () => {
    expect(basicOf({ responses: [], certs: explicit(0, writeSequence()) })).toMatchObject({
      responses: [],
      certs: [],
    })
  })

  test.each([
    [1, 'malformedRequest'],
    [2, 'internalError'],
    [3, 'tryLater'],
    [5, 'sigRequired'],
    [6, 'unauthorized'],
  ])('status %i is %s and has nothing beside it', (value, responseStatus) => {
    const error = parseOcspResponse(writeSequence(enumerated(value)))
    expect(error).toMatchObject({ ok: true, value: { responseStatus, basic: undefined } })
    expect(codeOf(response({ status: enumerated(value) }))).toBe('der-trailing-data')
  })

  test('a type that is not read leaves the response without an answer', () => {
    const parsed = parseOcspResponse(response({ type: '1.2.3' }))
    expect(parsed).toMatchObject({ ok: true, value: { basic: undefined } })
  })

  test('only the reader makes a parsed response', () => {
    const parsed = parseOcspResponse(response())
    if (!parsed.ok) throw new Error('not read')
    expect(isParsedOcspResponse(parsed.value)).toBe(true)
    expect(isParsedOcspResponse({ ...parsed.value })).toBe(false)
    expect(isParsedOcspResponse(null)).toBe(false)
    expect(isParsedOcspResponse('text')).toBe(false)
  })
})

describe('refused', () => {
  const strange = extension('1.2.3', writeNull())
  const falsely = extension('1.2.3', writeNull(), writeBoolean(false))
  const nonce = (value: Uint8Array) => ({ extensions: extensions(extension(nonceId, value)) })
  const ofSingle = (parts: SingleParts): Parts => ({ responses: [single(parts)] })

  test.each<[string, Parts, string]>([
    ['octets behind it', { behind: Uint8Array.of(0) }, 'der-trailing-data'],
    ['a status that is not used', { status: enumerated(4), bytes: none }, 'der-integer'],
    ['a status past the last', { status: enumerated(7), bytes: none }, 'der-integer'],
    ['a status as INTEGER', { status: writeInteger(0) }, 'der-unexpected-tag'],
    ['success without octets', { bytes: none }, 'der-truncated'],
    ['something after its type', { afterType: writeNull() }, 'der-trailing-data'],
    ['octets behind the basic response', { behindBasic: writeNull() }, 'der-trailing-data'],
    ['version 1 written out', { version: explicit(0, writeInteger(0)) }, 'der-default-value'],
    ['version 2', { version: explicit(0, writeInteger(1)) }, 'der-integer'],
    ['no responder', { responderID: none }, 'der-unexpected-tag'],
    [
      'a responder of another type',
      { responderID: explicit(2, writeSequence()) },
      'der-unexpected-tag',
    ],
    [
      'producedAt as UTCTime',
      { producedAt: writeText(0x17, '300101000000Z') },
      'der-unexpected-tag',
    ],
    ['something after the extensions', { afterData: writeNull() }, 'der-trailing-data'],
    ['something after the certificates', { afterBasic: writeNull() }, 'der-trailing-data'],
    ['no signature', { signature: none }, 'der-truncated'],
    [
      'a signature with unused bits',
      { signature: writeElement(0x03, Uint8Array.of(1, 2)) },
      'der-bit-string',
    ],
    [
      'a certificate that is no SEQUENCE',
      { certs: explicit(0, writeSequence(writeNull())) },
      'der-unexpected-tag',
    ],
    [
      'too many certificates',
      { certs: explicit(0, writeSequence(...Array.from({ length: 65 }, () => writeSequence()))) },
      'der-length-too-large',
    ],
    [
      'too many answers',
      { responses: Array.from({ length: 1025 }, () => single()) },
      'der-length-too-large',
    ],
    ['empty extensions', { extensions: extensions() }, 'der-truncated'],
    ['an extension twice', { extensions: extensions(strange, strange) }, 'extension-duplicate'],
    ['critical FALSE written out', { extensions: extensions(falsely) }, 'der-default-value'],
    ['a bare nonce', nonce(Uint8Array.of(1, 2, 3)), 'der-unexpected-tag'],
    ['an empty nonce', nonce(writeOctetString(none)), 'extension-malformed'],
    ['a nonce of 129 octets', nonce(writeOctetString(new Uint8Array(129))), 'extension-malformed'],
    [
      'a good status with contents',
      ofSingle({ certStatus: writeElement(0x80, Uint8Array.of(0)) }),
      'der-trailing-data',
    ],
    ['a constructed good status', ofSingle({ certStatus: explicit(0) }), 'der-unexpected-tag'],
    ['an unknown status', ofSingle({ certStatus: writeElement(0x83) }), 'der-unexpected-tag'],
    ['a revocation without time', ofSingle({ certStatus: revokedInfo() }), 'der-truncated'],
    [
      'a reason that is not used',
      ofSingle({ certStatus: revokedInfo(revokedAt, explicit(0, enumerated(7))) }),
      'der-integer',
    ],
    [
      'a reason past the last',
      ofSingle({ certStatus: revokedInfo(revokedAt, explicit(0, enumerated(11))) }),
      'der-integer',
    ],
    ['something after an answer', ofSingle({ after: writeNull() }), 'der-trailing-data'],
    ['thisUpdate in local time', ofSingle({ thisUpdate: time('20300101000000') }), 'der-time'],
    [
      'a nextUpdate without its tag',
      ofSingle({ nextUpdate: time('20300101000000Z') }),
      'der-trailing-data',
    ],
    [
      'an invalidity date that is none',
      ofSingle({ extensions: extensions(extension('2.5.29.24', writeNull())) }),
      'der-unexpected-tag',
    ],
    [
      'a certID without serial number',
      ofSingle({ certID: writeSequence(writeSequence(), writeOctetString(none)) }),
      'der-truncated',
    ],
  ])('%s', (_, parts, code) => {
    expect(codeOf(response(parts))).toBe(code)
  })

  test('more than a mebibyte, before any of it is read', () => {
    expect(parseOcspResponse(new Uint8Array(1_048_577))).toMatchObject({
      failure: { code: 'der-length-too-large', offset: 1_048_576 },
    })
  })

  test('with the offset in the whole input, inside extensions too', () => {
    const value = writeOctetString(new Uint8Array(129).fill(9))
    const der = response(nonce(value))
    const parsed = parseOcspResponse(der)
    const end = offsetOf(der, value) + value.length
    expect(parsed).toMatchObject({ failure: { offset: end } })
  })
})

describe('fractions of a second, X.690 11.7', () => {
  test.each([
    ['20300101000000.5Z', 1_893_456_000],
    ['20300101000000.842539Z', 1_893_456_000],
    ['20300101000059.999Z', 1_893_456_059],
  ])('%s is read and cut off', (text, producedAt) => {
    expect(basicOf({ producedAt: time(text) }).producedAt).toBe(producedAt)
  })

  test.each([
    '20300101000000.Z',
    '20300101000000.50Z',
    '20300101000000,5Z',
    '20300101000000.5',
    '20300101000000.5+0000',
    '20301301000000.5Z',
    `20300101000000.${'1'.repeat(16)}Zaa`,
    `20300101000000.${'1'.repeat(17)}Z`,
  ])('%s is refused', (text) => {
    expect(codeOf(response({ producedAt: time(text) }))).toBe('der-time')
  })
})

describe('any octets', async () => {
  const root = await issueCa('Root CA')
  const signer = await root.issueOcspResponder('Responder')
  const { der } = await root.issueOcspResponse({
    signer,
    nonce: Uint8Array.of(1),
    responses: [{ serialNumber: 1 }, { serialNumber: 2, certStatus: 'revoked' }],
  })

  test('no beginning of a response is one', () => {
    for (let length = 0; length < der.length; length++) {
      expect(codeOf(der.subarray(0, length))).toBe('der-truncated')
    }
  })

  test('none make it throw, and what is refused is refused inside the input', () => {
    const change = fc.record({ at: fc.nat(der.length - 1), to: fc.nat(255) })
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const mutated = der.slice()
        for (const { at, to } of changes) mutated[at] = to
        const parsed = parseOcspResponse(mutated)
        return parsed.ok || (parsed.failure.offset >= 0 && parsed.failure.offset <= der.length)
      }),
    )
  })
})
