import { describe, expect, test } from 'vitest'
import { fromHex } from '../../src/base/hex.ts'
import { DerReader } from '../../src/der/reader.ts'
import { tagGeneralizedTime, tagUtcTime } from '../../src/der/tags.ts'
import { writeElement, writeText } from '../../src/der/writer.ts'
import { derFailure, hex } from './support.ts'

const at = (text: string) => new DerReader(hex(text))

describe('identifier octets, X.690 8.1.2', () => {
  test.each<[string, string, number]>([
    ['another tag', '040100', 0],
    ['a constructed form of a primitive type', '22 03 020100', 0],
    ['a context tag', '820100', 0],
  ])('%s is refused where it stands', (_, text, offset) => {
    expect(derFailure(() => at(text).integer('a number'))).toEqual({
      code: 'der-unexpected-tag',
      offset,
      expected: 'a number',
    })
  })
  test.each(['1f8101 00', '3f0100', '9f1f00', 'bf8100', 'ff7f00', '0000'])(
    'a tag of several octets, or none, is refused: %s',
    (text) => {
      expect(derFailure(() => at(text).readAny('anything'))).toEqual({
        code: 'der-unexpected-tag',
        offset: 0,
        expected: 'anything',
      })
    },
  )
  test.each(['1e00', '3000', '0101ff', '9e00', 'be00', '8000', 'c000'])(
    'a tag of one octet is read: %s',
    (text) => {
      const reader = at(text)
      expect(reader.readAny('anything')).toBe(hex(text)[0])
      expect(reader.atEnd()).toBe(true)
    },
  )
  test('nothing left to read', () => {
    const reader = at('0500')
    reader.null('nothing')
    const failure = { code: 'der-truncated', offset: 2, expected: 'x' }
    expect(derFailure(() => reader.read(0x05, 'x'))).toEqual(failure)
    expect(derFailure(() => reader.readAny('x'))).toEqual(failure)
    expect(reader.peek()).toBe(-1)
  })
  test('a reader ends where its element ends, not where the buffer does', () => {
    const reader = at('3002 0500 0500')
    const inner = reader.enter(0x30, 'a sequence')
    inner.null('nothing')
    expect([inner.peek(), inner.atEnd(), reader.peek(), reader.atEnd()]).toEqual([
      -1,
      true,
      0x05,
      false,
    ])
    expect(derFailure(() => inner.null('more'))).toEqual({
      code: 'der-truncated',
      offset: 4,
      expected: 'more',
    })
  })
  test.each(['00', '1f', '3f'])('what follows that end is not looked at: %s', (next) => {
    const inner = at(`3000 ${next}00`).enter(0x30, 'a sequence')
    expect(derFailure(() => inner.readAny('more'))).toEqual({
      code: 'der-truncated',
      offset: 2,
      expected: 'more',
    })
  })
})

describe('lengths, X.690 8.1.3 and 10.1', () => {
  test.each<[string, string]>([
    ['3080 0000', 'a definite length'],
    ['30850000000001 00', 'a length of at most four octets'],
    ['30817f', 'a length in as few octets as it needs'],
  ])('%s: the failure says what it wants, %s', (text, expected) => {
    expect(derFailure(() => at(text).readAny('a sequence'))).toMatchObject({ offset: 1, expected })
  })
  test.each<[string, string, string, number]>([
    ['indefinite', '3080 0000', 'der-indefinite-length', 1],
    ['long form for 0', '308100', 'der-length-not-minimal', 1],
    ['long form for 127', `30817f${'00'.repeat(127)}`, 'der-length-not-minimal', 1],
    ['a leading zero octet', `30820080${'00'.repeat(128)}`, 'der-length-not-minimal', 1],
    ['leading zeros before a large length', '3083000100', 'der-length-not-minimal', 1],
    ['four octets where one does', '308400000001 00', 'der-length-not-minimal', 1],
    ['five octets', '30850000000001 00', 'der-length-too-large', 1],
    ['the reserved 0xff', '30ff00', 'der-length-too-large', 1],
    ['no length', '30', 'der-truncated', 0],
    ['half a length', '308201', 'der-truncated', 0],
    ['a length that ends the input', '308180', 'der-truncated', 0],
    ['one octet of contents too few', '3002 00', 'der-truncated', 0],
    ['4 GiB', '3084ffffffff00', 'der-truncated', 0],
    ['2 GiB, where a signed number would turn', '308480000000 00', 'der-truncated', 0],
  ])('%s is refused', (_, text, code, offset) => {
    const failure = derFailure(() => at(text).enter(0x30, 'a sequence'))
    expect(failure?.code).toBe(code)
    expect(failure?.offset).toBe(offset)
    expect(derFailure(() => at(text).readAny('a sequence'))?.code).toBe(code)
  })
  test.each([0, 1, 127, 128, 255, 256, 65_535, 65_536])('%i octets are read', (length) => {
    const reader = new DerReader(writeElement(0x04, new Uint8Array(length)))
    reader.read(0x04, 'octets')
    expect(reader.content()).toHaveLength(length)
    expect(reader.start).toBe(0)
    expect(reader.element()).toHaveLength(reader.bytes.length)
    expect(reader.atEnd()).toBe(true)
  })
  test('an element may not reach over the end of the one that holds it', () => {
    const inner = at('3003 0402 00 00').enter(0x30, 'outer')
    expect(derFailure(() => inner.read(0x04, 'inner'))).toEqual({
      code: 'der-truncated',
      offset: 2,
      expected: 'inner',
    })
  })
  test('nor may its length octets', () => {
    const inner = at('3002 0481 80').enter(0x30, 'outer')
    expect(derFailure(() => inner.readAny('inner'))?.code).toBe('der-truncated')
    const short = at('3001 04 00').enter(0x30, 'outer')
    expect(derFailure(() => short.readAny('inner'))?.code).toBe('der-truncated')
  })
})

describe('octets left over, X.690 8.1.1', () => {
  test('are refused where they start', () => {
    const reader = at('0500 00')
    reader.null('nothing')
    expect(derFailure(() => reader.finish())).toEqual({
      code: 'der-trailing-data',
      offset: 2,
      expected: 'nothing after the last element',
    })
  })
  test('are none where the last element ends, though the buffer goes on', () => {
    const inner = at('3002 0500 00').enter(0x30, 'a sequence')
    expect(derFailure(() => inner.finish())).toMatchObject({ offset: 2 })
    inner.null('nothing')
    expect(() => inner.finish()).not.toThrow()
  })
  test('a NULL has no contents', () => {
    expect(derFailure(() => at('050100').null('a null'))).toEqual({
      code: 'der-trailing-data',
      offset: 2,
      expected: 'an empty a null',
    })
    expect(() => at('0500').null('a null')).not.toThrow()
  })
})

describe('BOOLEAN, X.690 11.1', () => {
  test.each([
    ['0101ff', true],
    ['010100', false],
  ])('%s is %s', (text, value) => {
    expect(at(text).boolean('a flag')).toBe(value)
  })
  test.each(['010101', '0101fe', '010180', '0100', '01020000', '0102ffff'])(
    '%s is refused',
    (text) => {
      expect(derFailure(() => at(text).boolean('a flag'))).toEqual({
        code: 'der-boolean',
        offset: 2,
        expected: '0xff for TRUE or 0x00 for FALSE',
      })
    },
  )
})

describe('INTEGER, X.690 8.3', () => {
  test.each(['0200', '02020000', '0202007f', '0202ffff', '0202ff80', '020300007f'])(
    '%s is refused: empty, or an octet too many',
    (text) => {
      const failure = derFailure(() => at(text).integer('a number'))
      expect([failure?.code, failure?.offset]).toEqual(['der-integer', 2])
    },
  )
  test.each(['020100', '02017f', '0201ff', '02020080', '0202ff7f', '020200ff', '02028000'])(
    '%s is read',
    (text) => {
      expect(at(text).integer('a number')).toEqual(hex(text).subarray(2))
    },
  )
  test.each<[string, number, number]>([
    ['020100', 0, 0],
    ['02017f', 127, 127],
    ['020200ff', 255, 255],
    ['02020100', 256, 256],
    ['02047fffffff', 0x7fffffff, 0x7fffffff],
  ])('%s from 0 to its own value is %i', (text, value, max) => {
    expect(at(text).smallInteger('a count', max)).toBe(value)
  })
  test.each<[string, number]>([
    ['020101', 0],
    ['020200ff', 254],
    ['0201ff', 255],
    ['020180', 255],
    ['0202ff7f', 255],
    ['02050100000001', 255],
    ['0205010000000000', 0x7fffffff],
  ])('%s above %i, or negative, is refused', (text, max) => {
    const failure = derFailure(() => at(text).smallInteger('a count', max))
    expect(failure).toEqual({
      code: 'der-integer',
      offset: 2,
      expected: `a count from 0 to ${max}`,
    })
  })
  test('a small one is minimal too', () => {
    expect(derFailure(() => at('02020001').smallInteger('a count', 9))?.expected).toBe(
      'no superfluous leading octet',
    )
    expect(derFailure(() => at('0200').smallInteger('a count', 9))?.expected).toBe(
      'at least one octet',
    )
  })
  test('under a context tag', () => {
    expect(at('800107').smallInteger('a count', 9, 0x80)).toBe(7)
    expect(at('82020080').integer('a number', 0x82)).toEqual(hex('0080'))
    expect(derFailure(() => at('020107').smallInteger('a count', 9, 0x80))?.code).toBe(
      'der-unexpected-tag',
    )
  })
})

describe('BIT STRING, X.690 8.6 and 11.2', () => {
  test.each(['0300', '03020100', '030101', '030280 00'])(
    'a key or signature without whole octets is refused: %s',
    (text) => {
      expect(derFailure(() => at(text).octetsOfBitString('a key'))).toEqual({
        code: 'der-bit-string',
        offset: 2,
        expected: 'a key without unused bits',
      })
    },
  )
  test('an empty one does not borrow its first octet from what follows', () => {
    expect(derFailure(() => at('0300 00').octetsOfBitString('a key'))).toEqual({
      code: 'der-bit-string',
      offset: 2,
      expected: 'a key without unused bits',
    })
    expect(derFailure(() => at('0300 00').bitString('bits'))?.code).toBe('der-bit-string')
  })
  test('whole octets', () => {
    expect(at('030300abcd').octetsOfBitString('a key')).toEqual(hex('abcd'))
    expect(at('030100').octetsOfBitString('a key')).toHaveLength(0)
  })
  const counted = '0 to 7 unused bits in bits'
  const cleared = 'zero in unused bits'
  test.each<[string, number, string]>([
    ['0300', 2, counted],
    ['030101', 2, counted],
    ['030107', 2, counted],
    ['03020880', 2, counted],
    ['0302ff80', 2, counted],
    ['03020101', 3, cleared],
    ['03020740', 3, cleared],
    ['0303048f 08', 4, cleared],
  ])(
    'unused bits are 0 to 7, there are octets for them, and they are zero: %s',
    (text, offset, expected) => {
      const code = 'der-bit-string'
      expect(derFailure(() => at(text).bitString('bits'))).toEqual({ code, offset, expected })
    },
  )
  test.each(['030100', '03020780', '03020001', '030304fff0', '030207 00'])('%s is read', (text) => {
    expect(at(text).bitString('bits')).toEqual(hex(text).subarray(2))
  })
  test.each<[string, number]>([
    ['030100', 0],
    ['03020780', 1 << 0],
    ['03020640', 1 << 1],
    ['03020001', 1 << 7],
    ['030205a0', (1 << 0) | (1 << 2)],
    ['030307 00 80', 1 << 8],
    ['030307 80 80', (1 << 0) | (1 << 8)],
  ])('named bits %s', (text, bits) => {
    expect(at(text).namedBits('usage', 9)).toBe(bits)
  })
  test.each<[string, number, string]>([
    ['03020680', 3, 'no trailing zero bits in usage'],
    ['03030780 00', 4, 'no trailing zero bits in usage'],
    ['030200 80', 3, 'no trailing zero bits in usage'],
    ['030200 00', 3, 'no trailing zero bits in usage'],
    ['0303 06 00 40', 2, 'at most 9 bits in usage'],
    ['0304 00 80 00 01', 2, 'at most 9 bits in usage'],
  ])('named bits %s are refused', (text, offset, expected) => {
    expect(derFailure(() => at(text).namedBits('usage', 9))).toEqual({
      code: 'der-bit-string',
      offset,
      expected,
    })
  })
  test('bits beyond 31 are not folded onto the named ones', () => {
    const far = `0306 00 00000000 01`
    expect(derFailure(() => at(far).namedBits('usage', 9))?.expected).toBe(
      'at most 9 bits in usage',
    )
  })
  test('under a context tag', () => {
    expect(at('8102 0640').namedBits('reasons', 9, 0x81)).toBe(2)
  })
})

describe('OBJECT IDENTIFIER, X.690 8.19', () => {
  test.each<[string, string]>([
    ['no octets', '0600'],
    ['an arc that is cut off', '06022a80'],
    ['an arc that is cut off after an octet', '06022aff'],
    ['a leading 0x80 in the first arc', '06038001 01'],
    ['a leading 0x80 in a later arc', '0603 2a8001'],
    ['more than 64 octets', `0641${'01'.repeat(65)}`],
  ])('%s: refused', (_, text) => {
    expect(derFailure(() => at(text).objectIdentifier('an id'))?.code).toBe('der-object-identifier')
  })
  test('a failure names the octets of the arcs', () => {
    expect(
      derFailure(() => at('3004 0602 2a80').enter(0x30, '').objectIdentifier('an id')),
    ).toEqual({ code: 'der-object-identifier', offset: 4, expected: 'arcs of an id' })
  })
  test('arcs, and a context tag', () => {
    expect(at('06032a8648').objectIdentifier('an id', 0x06)).toBe('1.2.840')
    expect(at('8803 2a0304').objectIdentifier('an id', 0x88)).toBe('1.2.3.4')
  })
})

describe('SET OF, X.690 11.6', () => {
  const order = (text: string) => {
    const set = at(text).enter(0x31, 'a set')
    set.readAny('first')
    const { start, position } = set
    set.readAny('second')
    set.checkSetOrder(start, position)
  }
  test.each(['3106 020101 020102', '3106 020101 020101', '3107 0401ff 04020000'])(
    '%s is in order, or equal',
    (text) => {
      expect(derFailure(() => order(text))).toBeUndefined()
    },
  )
  test('a descending one is refused at the second element', () => {
    expect(derFailure(() => order('3106 020102 020101'))).toEqual({
      code: 'der-set-order',
      offset: 5,
      expected: 'the elements of a SET OF in ascending order',
    })
  })
})

describe('times, RFC 5280 §4.1.2.5', () => {
  const utc = (text: string) => new DerReader(writeText(tagUtcTime, text)).time('notAfter')
  const generalized = (text: string) =>
    new DerReader(writeText(tagGeneralizedTime, text)).time('notAfter')
  const unix = (text: string) => Date.parse(text) / 1000

  test.each([
    ['500101000000Z', '1950-01-01T00:00:00Z'],
    ['991231235959Z', '1999-12-31T23:59:59Z'],
    ['000101000000Z', '2000-01-01T00:00:00Z'],
    ['000229120000Z', '2000-02-29T12:00:00Z'],
    ['240229000000Z', '2024-02-29T00:00:00Z'],
    ['491231235959Z', '2049-12-31T23:59:59Z'],
    ['700101000000Z', '1970-01-01T00:00:00Z'],
  ])('UTCTime %s is %s: the century turns at 50, RFC 5280 §4.1.2.5.1', (text, time) => {
    expect(utc(text)).toBe(unix(time))
  })
  test.each([
    ['20491231235959Z', '2049-12-31T23:59:59Z'],
    ['20500101000000Z', '2050-01-01T00:00:00Z'],
    ['19490101000000Z', '1949-01-01T00:00:00Z'],
    ['21000228000000Z', '2100-02-28T00:00:00Z'],
    ['24000229000000Z', '2400-02-29T00:00:00Z'],
    ['99991231235959Z', '9999-12-31T23:59:59Z'],
    ['00000101000000Z', '0000-01-01T00:00:00Z'],
  ])('GeneralizedTime %s is %s, before 2050 too, RFC 5280 §4.1.2.5.2', (text, time) => {
    expect(generalized(text)).toBe(unix(time))
  })
  test.each([
    ['no seconds', '2401010000Z'],
    ['no Z', '240101000000'],
    ['an offset', '240101000000+0100'],
    ['an offset of zero', '240101000000+0000'],
    ['a small z', '240101000000z'],
    ['a letter', '24010100000OZ'],
    ['a sign', '-40101000000Z'],
    ['a blank', '24010100000 Z'],
    ['a colon, the octet after 9', '24010100000:Z'],
    ['a slash, the octet before 0', '24010100000/Z'],
    ['an octet after it', '240101000000Z0'],
    ['four digits of year', '20240101000000Z'],
    ['nothing', ''],
    ['month 0', '240001000000Z'],
    ['month 13', '241301000000Z'],
    ['day 0', '240100000000Z'],
    ['32 January', '240132000000Z'],
    ['31 April', '240431000000Z'],
    ['29 February of a common year', '230229000000Z'],
    ['hour 24', '240101240000Z'],
    ['minute 60', '240101006000Z'],
    ['second 60', '240101000060Z'],
  ])('UTCTime with %s is refused', (_, text) => {
    expect(derFailure(() => utc(text))).toEqual({
      code: 'der-time',
      offset: 2,
      expected: 'notAfter as YYMMDDHHMMSSZ',
    })
  })
  test.each([
    ['a fraction', '20240101000000.5Z'],
    ['a fraction of zero', '20240101000000.0Z'],
    ['a comma', '20240101000000,5Z'],
    ['no seconds', '202401010000Z'],
    ['no Z', '20240101000000'],
    ['an offset', '20240101000000+0100'],
    ['two digits of year', '240101000000Z'],
    ['29 February 2100', '21000229000000Z'],
    ['29 February 1900', '19000229000000Z'],
  ])('GeneralizedTime with %s is refused', (_, text) => {
    expect(derFailure(() => generalized(text))).toEqual({
      code: 'der-time',
      offset: 2,
      expected: 'notAfter as YYYYMMDDHHMMSSZ',
    })
  })
  test('another type is refused', () => {
    expect(derFailure(() => at('0500').time('notAfter'))).toEqual({
      code: 'der-unexpected-tag',
      offset: 0,
      expected: 'notAfter',
    })
    expect(derFailure(() => at('').time('notAfter'))?.code).toBe('der-truncated')
  })
})

test('offsets inside are those of the whole input', () => {
  const outer = at('3005 3003 0101 01')
  const inner = outer.enter(0x30, 'outer').enter(0x30, 'inner')
  expect(derFailure(() => inner.boolean('a flag'))?.offset).toBe(6)
  const again = at('3005 3003 0101 ff')
  again.read(0x30, 'outer')
  const within = again.inside()
  within.read(0x30, 'inner')
  expect(within.content()).toEqual(fromHex('0101ff'))
})
