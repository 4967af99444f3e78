import { describe, expect, test } from 'vitest'
import { DerReader } from '../../src/der/reader.ts'
import {
  writeBoolean,
  writeElement,
  writeInteger,
  writeNull,
  writeObjectIdentifier,
  writeOctetString,
  writeSequence,
  writeSetOf,
  writeText,
} from '../../src/der/writer.ts'
import type { Extensions } from '../../src/x509/extensions.ts'
import {
  isKnownExtension,
  noExtensions,
  readExtensions,
  readExtensionValue,
} from '../../src/x509/parse-extensions.ts'
import { derFailure, hex } from '../der/support.ts'

const oid = writeObjectIdentifier
const seq = writeSequence
const dns = (text: string) => writeText(0x82, text)
const name = seq(writeSetOf(seq(oid('2.5.4.3'), writeText(0x0c, 'x'))))
const cps = seq(oid('1.3.6.1.5.5.7.2.1'), writeText(0x16, 'https://e'))
const notice = seq(oid('1.3.6.1.5.5.7.2.2'), seq())

const ids = {
  authorityKeyIdentifier: '2.5.29.35',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  certificatePolicies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  subjectAltName: '2.5.29.17',
  issuerAltName: '2.5.29.18',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  cRLDistributionPoints: '2.5.29.31',
  freshestCRL: '2.5.29.46',
  inhibitAnyPolicy: '2.5.29.54',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
  subjectInfoAccess: '1.3.6.1.5.5.7.1.11',
  noRevAvail: '2.5.29.56',
} as const
type Field = keyof typeof ids

const read = (field: Field, value: Uint8Array, critical = false): Extensions =>
  readExtensionValue(ids[field], critical, value)

describe('extensions decoded, RFC 5280 §4.2', () => {
  const subtree = (base: Uint8Array) => seq(base)
  test.each<[Field, string, Uint8Array, object]>([
    ['authorityKeyIdentifier', 'empty', seq(), { keyIdentifier: undefined }],
    [
      'authorityKeyIdentifier',
      'all fields',
      seq(
        writeElement(0x80, hex('0a')),
        writeElement(0xa1, dns('a')),
        writeElement(0x82, hex('05')),
      ),
      {
        keyIdentifier: hex('0a'),
        authorityCertIssuer: [{ kind: 'dNSName', value: 'a' }],
        authorityCertSerialNumber: hex('05'),
      },
    ],
    [
      'subjectKeyIdentifier',
      'octets',
      writeOctetString(hex('0a0b')),
      { keyIdentifier: hex('0a0b') },
    ],
    ['keyUsage', 'digitalSignature', hex('03020780'), { bits: 1 }],
    ['keyUsage', 'decipherOnly', hex('0303070080'), { bits: 1 << 8 }],
    [
      'certificatePolicies',
      'one',
      seq(seq(oid('1.2.3'))),
      { policies: [{ policyIdentifier: '1.2.3', policyQualifiers: [] }] },
    ],
    [
      'certificatePolicies',
      'qualifiers',
      seq(
        seq(oid('2.5.29.32.0'), seq(cps, notice)),
        seq(oid('1.2.4'), seq(seq(oid('1.2.5'), writeNull()))),
      ),
      {
        policies: [
          {
            policyIdentifier: '2.5.29.32.0',
            policyQualifiers: [
              { policyQualifierId: '1.3.6.1.5.5.7.2.1', qualifier: writeText(0x16, 'https://e') },
              { policyQualifierId: '1.3.6.1.5.5.7.2.2', qualifier: seq() },
            ],
          },
          {
            policyIdentifier: '1.2.4',
            policyQualifiers: [{ policyQualifierId: '1.2.5', qualifier: writeNull() }],
          },
        ],
      },
    ],
    [
      'policyMappings',
      'two',
      seq(seq(oid('1.2.3'), oid('1.2.4')), seq(oid('1.2.5'), oid('1.2.6'))),
      {
        mappings: [
          { issuerDomainPolicy: '1.2.3', subjectDomainPolicy: '1.2.4' },
          { issuerDomainPolicy: '1.2.5', subjectDomainPolicy: '1.2.6' },
        ],
      },
    ],
    [
      'subjectAltName',
      'two',
      seq(dns('a'), dns('b')),
      {
        names: [
          { kind: 'dNSName', value: 'a' },
          { kind: 'dNSName', value: 'b' },
        ],
      },
    ],
    ['issuerAltName', 'one', seq(dns('a')), { names: [{ kind: 'dNSName', value: 'a' }] }],
    ['basicConstraints', 'empty', seq(), { cA: false, pathLenConstraint: undefined }],
    ['basicConstraints', 'cA', seq(writeBoolean(true)), { cA: true, pathLenConstraint: undefined }],
    [
      'basicConstraints',
      'path length',
      seq(writeBoolean(true), writeInteger(255)),
      { cA: true, pathLenConstraint: 255 },
    ],
    [
      'basicConstraints',
      'path length without cA',
      seq(writeInteger(0)),
      { cA: false, pathLenConstraint: 0 },
    ],
    [
      'nameConstraints',
      'permitted',
      seq(writeElement(0xa0, subtree(dns('a')))),
      {
        permittedSubtrees: [{ base: { kind: 'dNSName', value: 'a' } }],
        excludedSubtrees: undefined,
      },
    ],
    [
      'nameConstraints',
      'excluded',
      seq(writeElement(0xa1, subtree(dns('a')), subtree(dns('b')))),
      {
        permittedSubtrees: undefined,
        excludedSubtrees: [
          { base: { kind: 'dNSName', value: 'a' } },
          { base: { kind: 'dNSName', value: 'b' } },
        ],
      },
    ],
    [
      'nameConstraints',
      'an address with its mask',
      seq(writeElement(0xa0, subtree(writeElement(0x87, new Uint8Array(8))))),
      { permittedSubtrees: [{ base: { kind: 'iPAddress', octets: new Uint8Array(8) } }] },
    ],
    [
      'policyConstraints',
      'explicit',
      seq(writeElement(0x80, hex('03'))),
      { requireExplicitPolicy: 3, inhibitPolicyMapping: undefined },
    ],
    [
      'policyConstraints',
      'mapping',
      seq(writeElement(0x81, hex('00'))),
      { requireExplicitPolicy: undefined, inhibitPolicyMapping: 0 },
    ],
    [
      'extendedKeyUsage',
      'two',
      seq(oid('1.3.6.1.5.5.7.3.2'), oid('1.2.3')),
      { purposes: ['1.3.6.1.5.5.7.3.2', '1.2.3'] },
    ],
    [
      'cRLDistributionPoints',
      'a full name with reasons',
      seq(
        seq(writeElement(0xa0, writeElement(0xa0, writeText(0x86, 'http://e'))), hex('81020640')),
      ),
      {
        points: [
          {
            fullName: [{ kind: 'uniformResourceIdentifier', value: 'http://e' }],
            nameRelativeToCRLIssuer: undefined,
            reasons: 2,
            cRLIssuer: undefined,
          },
        ],
      },
    ],
    [
      'cRLDistributionPoints',
      'a CRL issuer alone',
      seq(seq(writeElement(0xa2, writeElement(0xa4, name)))),
      { points: [{ fullName: undefined, cRLIssuer: [{ kind: 'directoryName' }] }] },
    ],
    [
      'freshestCRL',
      'a relative name',
      seq(seq(writeElement(0xa0, writeElement(0xa1, seq(oid('2.5.4.3'), writeText(0x0c, 'x')))))),
      {
        points: [{ fullName: undefined, nameRelativeToCRLIssuer: [{ type: '2.5.4.3', tag: 12 }] }],
      },
    ],
    ['inhibitAnyPolicy', 'none to skip', writeInteger(0), { skipCerts: 0 }],
    [
      'authorityInfoAccess',
      'one',
      seq(seq(oid('1.3.6.1.5.5.7.48.1'), dns('a'))),
      {
        descriptions: [
          { accessMethod: '1.3.6.1.5.5.7.48.1', accessLocation: { kind: 'dNSName', value: 'a' } },
        ],
      },
    ],
    [
      'subjectInfoAccess',
      'one',
      seq(seq(oid('1.2.3'), dns('a'))),
      { descriptions: [{ accessMethod: '1.2.3' }] },
    ],
    ['noRevAvail', 'NULL, RFC 9608 §2', writeNull(), {}],
  ])('%s: %s', (field, _, value, expected) => {
    for (const critical of [false, true]) {
      const extensions = read(field, value, critical)
      expect(extensions[field]).toMatchObject({ ...expected, critical })
      expect(extensions.all).toEqual([{ oid: ids[field], critical, value }])
    }
    expect(derFailure(() => read(field, Uint8Array.of(...value, 5, 0)))).toMatchObject({
      code: 'der-trailing-data',
      offset: value.length,
    })
    expect(derFailure(() => read(field, new Uint8Array()))?.code).toBe('der-truncated')
    expect(derFailure(() => read(field, writeText(0x0c, 'x')))?.code).toBe('der-unexpected-tag')
  })
  test('every decoded extension is known, others are not', () => {
    for (const id of Object.values(ids)) expect(isKnownExtension(id)).toBe(true)
    for (const id of ['2.5.29.9', '1.2.3', '', '2.5.29.37.0']) {
      expect(isKnownExtension(id)).toBe(false)
    }
  })
  test('an unknown one stays octets', () => {
    const value = hex('ffff')
    expect(readExtensionValue('1.2.3', true, value)).toEqual({
      all: [{ oid: '1.2.3', critical: true, value }],
    })
  })
})

describe('malformed extensions are refused, critical or not', () => {
  const qualifier = (id: string, value: Uint8Array) => seq(seq(oid(id), value))
  test.each<[Field, string, Uint8Array, string, number]>([
    [
      'authorityKeyIdentifier',
      'an issuer without a serial number, RFC 5280 §4.2.1.1',
      seq(writeElement(0xa1, dns('a'))),
      'extension-malformed',
      7,
    ],
    [
      'authorityKeyIdentifier',
      'a serial number without an issuer, RFC 5280 §4.2.1.1',
      seq(hex('820105')),
      'extension-malformed',
      5,
    ],
    [
      'authorityKeyIdentifier',
      'a serial number that is not minimal',
      seq(writeElement(0xa1, dns('a')), hex('82020005')),
      'der-integer',
      9,
    ],
    [
      'authorityKeyIdentifier',
      'an empty issuer',
      seq(hex('a100'), hex('820105')),
      'der-truncated',
      4,
    ],
    ['authorityKeyIdentifier', 'another field', seq(hex('830105')), 'der-trailing-data', 2],
    ['keyUsage', 'no bit, RFC 5280 §4.2.1.3', hex('030100'), 'extension-malformed', 3],
    ['keyUsage', 'a trailing zero bit, X.690 11.2.2', hex('03020680'), 'der-bit-string', 3],
    ['keyUsage', 'a tenth bit', hex('0303060040'), 'der-bit-string', 2],
    ['certificatePolicies', 'no policy, RFC 5280 §4.2.1.4', seq(), 'der-truncated', 2],
    [
      'certificatePolicies',
      'no qualifier in their list',
      seq(seq(oid('1.2.3'), seq())),
      'der-truncated',
      10,
    ],
    [
      'certificatePolicies',
      'an octet after the qualifiers',
      seq(seq(oid('1.2.3'), seq(cps), writeNull())),
      'der-trailing-data',
      33,
    ],
    [
      'certificatePolicies',
      'a CPS that is no IA5String',
      seq(seq(oid('1.2.3'), qualifier('1.3.6.1.5.5.7.2.1', writeText(0x0c, 'x')))),
      'der-unexpected-tag',
      22,
    ],
    [
      'certificatePolicies',
      'a notice that is no SEQUENCE',
      seq(seq(oid('1.2.3'), qualifier('1.3.6.1.5.5.7.2.2', writeText(0x0c, 'x')))),
      'der-unexpected-tag',
      22,
    ],
    [
      'certificatePolicies',
      'another qualifier beside anyPolicy, RFC 5280 §4.2.1.4',
      seq(seq(oid('2.5.29.32.0'), qualifier('1.2.3', writeNull()))),
      'extension-malformed',
      18,
    ],
    [
      'certificatePolicies',
      'a third field in a qualifier',
      seq(seq(oid('1.2.3'), seq(seq(oid('1.2.5'), writeNull(), writeNull())))),
      'der-trailing-data',
      18,
    ],
    ['policyMappings', 'no mapping, RFC 5280 §4.2.1.5', seq(), 'der-truncated', 2],
    [
      'policyMappings',
      'three policies',
      seq(seq(oid('1.2.3'), oid('1.2.4'), oid('1.2.5'))),
      'der-trailing-data',
      12,
    ],
    ['subjectAltName', 'no name, RFC 5280 §4.2.1.6', seq(), 'der-truncated', 2],
    ['issuerAltName', 'no name, RFC 5280 §4.2.1.7', seq(), 'der-truncated', 2],
    [
      'basicConstraints',
      'FALSE written, X.690 11.5',
      seq(writeBoolean(false)),
      'der-default-value',
      2,
    ],
    ['basicConstraints', 'TRUE as 0x01, X.690 11.1', hex('3003010101'), 'der-boolean', 4],
    ['basicConstraints', 'a negative path length', hex('30030201ff'), 'der-integer', 4],
    [
      'basicConstraints',
      'a path length of 256',
      seq(writeBoolean(true), writeInteger(256)),
      'der-integer',
      7,
    ],
    [
      'basicConstraints',
      'another field',
      seq(writeBoolean(true), writeNull()),
      'der-trailing-data',
      5,
    ],
    [
      'basicConstraints',
      'the fields in the wrong order',
      seq(writeInteger(0), writeBoolean(true)),
      'der-trailing-data',
      5,
    ],
    ['nameConstraints', 'no subtrees, RFC 5280 §4.2.1.10', seq(), 'extension-malformed', 2],
    ['nameConstraints', 'an empty list of permitted', seq(hex('a000')), 'der-truncated', 4],
    ['nameConstraints', 'an empty list of excluded', seq(hex('a100')), 'der-truncated', 4],
    ['nameConstraints', 'an empty subtree', seq(writeElement(0xa0, seq())), 'der-truncated', 6],
    [
      'nameConstraints',
      'a minimum, RFC 5280 §4.2.1.10',
      seq(writeElement(0xa0, seq(dns('a'), hex('800101')))),
      'extension-malformed',
      9,
    ],
    [
      'nameConstraints',
      'the minimum 0 written',
      seq(writeElement(0xa0, seq(dns('a'), hex('800100')))),
      'extension-malformed',
      9,
    ],
    [
      'nameConstraints',
      'a maximum',
      seq(writeElement(0xa0, seq(dns('a'), hex('810105')))),
      'extension-malformed',
      9,
    ],
    [
      'nameConstraints',
      'the lists in the wrong order',
      seq(writeElement(0xa1, seq(dns('a'))), writeElement(0xa0, seq(dns('a')))),
      'der-trailing-data',
      9,
    ],
    [
      'nameConstraints',
      'an address without a mask',
      seq(writeElement(0xa0, seq(writeElement(0x87, new Uint8Array(4))))),
      'extension-malformed',
      8,
    ],
    ['policyConstraints', 'nothing, RFC 5280 §4.2.1.11', seq(), 'extension-malformed', 2],
    ['policyConstraints', 'a negative count', seq(hex('8001ff')), 'der-integer', 4],
    ['policyConstraints', 'a count of 256', seq(hex('81020100')), 'der-integer', 4],
    [
      'policyConstraints',
      'another field',
      seq(hex('800100'), hex('820100')),
      'der-trailing-data',
      5,
    ],
    ['extendedKeyUsage', 'no purpose, RFC 5280 §4.2.1.12', seq(), 'der-truncated', 2],
    ['cRLDistributionPoints', 'no point, RFC 5280 §4.2.1.13', seq(), 'der-truncated', 2],
    ['cRLDistributionPoints', 'an empty point', seq(seq()), 'extension-malformed', 4],
    [
      'cRLDistributionPoints',
      'reasons alone, RFC 5280 §4.2.1.13',
      seq(seq(hex('81020640'))),
      'extension-malformed',
      8,
    ],
    ['cRLDistributionPoints', 'an empty name', seq(seq(hex('a000'))), 'der-truncated', 6],
    [
      'cRLDistributionPoints',
      'two names',
      seq(seq(writeElement(0xa0, writeElement(0xa0, dns('a')), writeElement(0xa0, dns('a'))))),
      'der-trailing-data',
      11,
    ],
    [
      'cRLDistributionPoints',
      'another field',
      seq(seq(writeElement(0xa0, writeElement(0xa0, dns('a'))), hex('830100'))),
      'der-trailing-data',
      11,
    ],
    [
      'cRLDistributionPoints',
      'a tenth reason',
      seq(seq(writeElement(0xa0, writeElement(0xa0, dns('a'))), hex('8103060040'))),
      'der-bit-string',
      13,
    ],
    ['freshestCRL', 'no point, RFC 5280 §4.2.1.15', seq(), 'der-truncated', 2],
    ['inhibitAnyPolicy', 'a negative count', hex('0201ff'), 'der-integer', 2],
    ['inhibitAnyPolicy', 'a count of 256', writeInteger(256), 'der-integer', 2],
    ['authorityInfoAccess', 'no description, RFC 5280 §4.2.2.1', seq(), 'der-truncated', 2],
    [
      'authorityInfoAccess',
      'a description without a location',
      seq(seq(oid('1.2.3'))),
      'der-truncated',
      8,
    ],
    [
      'authorityInfoAccess',
      'a third field',
      seq(seq(oid('1.2.3'), dns('a'), writeNull())),
      'der-trailing-data',
      11,
    ],
    ['subjectInfoAccess', 'no description, RFC 5280 §4.2.2.2', seq(), 'der-truncated', 2],
    ['noRevAvail', 'a NULL with contents', hex('050100'), 'der-trailing-data', 2],
  ])('%s: %s', (field, _, value, code, offset) => {
    for (const critical of [false, true]) {
      const failure = derFailure(() => read(field, value, critical))
      expect([failure?.code, failure?.offset]).toEqual([code, offset])
    }
  })
})

describe('the list of extensions, RFC 5280 §4.1.2.9', () => {
  const list = (...items: Uint8Array[]) => readExtensions(new DerReader(seq(...items)))
  const value = writeOctetString(writeNull())
  test('each with its criticality, in their order', () => {
    const all = list(seq(oid('1.2.3'), writeBoolean(true), value), seq(oid('1.2.4'), value)).all
    expect(all).toEqual([
      { oid: '1.2.3', critical: true, value: writeNull() },
      { oid: '1.2.4', critical: false, value: writeNull() },
    ])
    expect(noExtensions.all).toEqual([])
  })
  test.each<[string, Uint8Array[], string, number]>([
    ['none', [], 'der-truncated', 2],
    [
      'FALSE written, X.690 11.5',
      [seq(oid('1.2.3'), writeBoolean(false), value)],
      'der-default-value',
      8,
    ],
    ['TRUE as 0x01, X.690 11.1', [seq(oid('1.2.3'), hex('010101'), value)], 'der-boolean', 10],
    ['no value', [seq(oid('1.2.3'))], 'der-truncated', 8],
    ['a value that is no OCTET STRING', [seq(oid('1.2.3'), writeNull())], 'der-unexpected-tag', 8],
    ['a fourth field', [seq(oid('1.2.3'), value, writeNull())], 'der-trailing-data', 12],
    [
      'the same twice',
      [
        seq(oid('1.2.3'), value),
        seq(oid('1.2.4'), value),
        seq(oid('1.2.3'), writeBoolean(true), value),
      ],
      'extension-duplicate',
      22,
    ],
    [
      'a known one twice',
      [seq(oid('2.5.29.56'), value), seq(oid('2.5.29.56'), value)],
      'extension-duplicate',
      13,
    ],
    [
      'a malformed one, at its own octet',
      [seq(oid('2.5.29.56'), writeOctetString(hex('050100')))],
      'der-trailing-data',
      13,
    ],
  ])('%s is refused', (_, items, code, offset) => {
    const failure = derFailure(() => list(...items))
    expect([failure?.code, failure?.offset]).toEqual([code, offset])
  })
})

describe('general names, RFC 5280 §4.2.1.6', () => {
  const mailbox = '1.3.6.1.5.5.7.8.9'
  const names = (one: Uint8Array) => read('subjectAltName', seq(one)).subjectAltName?.names
  const utf8 = writeText(0x0c, 'x')
  test.each<[string, Uint8Array, object]>([
    ['rfc822Name', writeText(0x81, 'a@b'), { value: 'a@b' }],
    ['dNSName', dns('a.b'), { value: 'a.b' }],
    ['dNSName', dns(''), { value: '' }],
    ['uniformResourceIdentifier', writeText(0x86, 'spiffe://a/b'), { value: 'spiffe://a/b' }],
    ['iPAddress', hex('8704 c0000201'), { octets: hex('c0000201') }],
    ['iPAddress', writeElement(0x87, new Uint8Array(16)), { octets: new Uint8Array(16) }],
    ['directoryName', writeElement(0xa4, name), { name: { der: name } }],
    [
      'otherName',
      writeElement(0xa0, oid('1.2.3'), writeElement(0xa0, utf8)),
      { typeId: '1.2.3', value: utf8 },
    ],
    ['otherName', writeElement(0xa0, oid('1.2.3'), utf8), { typeId: '1.2.3', value: utf8 }],
    [
      'otherName',
      writeElement(0xa0, oid(mailbox), writeElement(0xa0, utf8)),
      { typeId: mailbox, value: utf8 },
    ],
    ['registeredID', hex('88022a03'), { oid: '1.2.3' }],
    ['x400Address', hex('a300'), { der: hex('a300') }],
    ['ediPartyName', hex('a50281 00'), { der: hex('a5028100') }],
  ])('%s', (kind, der, expected) => {
    expect(names(der)).toMatchObject([{ kind, ...expected }])
  })
  test.each<[string, Uint8Array, string, number]>([
    ['an octet beyond IA5', hex('8202 61 80'), 'der-string', 5],
    ['an octet beyond IA5 in a URI', hex('8601 ff'), 'der-string', 4],
    ['an octet beyond IA5 in a mailbox', hex('8101 c3'), 'der-string', 4],
    ['an address of no octets', hex('8700'), 'extension-malformed', 4],
    ['an address of 5 octets', writeElement(0x87, new Uint8Array(5)), 'extension-malformed', 4],
    ['an address with a mask', writeElement(0x87, new Uint8Array(8)), 'extension-malformed', 4],
    ['an address of 17 octets', writeElement(0x87, new Uint8Array(17)), 'extension-malformed', 4],
    [
      'an implicitly tagged directory name',
      writeElement(0xa4, writeSetOf()),
      'der-unexpected-tag',
      4,
    ],
    ['two directory names', writeElement(0xa4, seq(), seq()), 'der-trailing-data', 6],
    [
      'another name without a type',
      writeElement(0xa0, writeElement(0xa0, utf8)),
      'der-unexpected-tag',
      4,
    ],
    ['another name without a value', writeElement(0xa0, oid('1.2.3')), 'der-truncated', 8],
    [
      'an SmtpUTF8Mailbox without its [0], RFC 9598 §3',
      writeElement(0xa0, oid(mailbox), utf8),
      'der-unexpected-tag',
      14,
    ],
    [
      'two values',
      writeElement(0xa0, oid('1.2.3'), writeElement(0xa0, utf8, utf8)),
      'der-trailing-data',
      13,
    ],
    ['an empty [0]', writeElement(0xa0, oid('1.2.3'), hex('a000')), 'der-truncated', 10],
    [
      'an octet after the value',
      writeElement(0xa0, oid('1.2.3'), writeElement(0xa0, utf8), writeNull()),
      'der-trailing-data',
      13,
    ],
    [
      'an octet after a value without [0]',
      writeElement(0xa0, oid('1.2.3'), utf8, writeNull()),
      'der-trailing-data',
      11,
    ],
    ['a registered id that is none', hex('8800'), 'der-object-identifier', 4],
    ['a form that does not exist', hex('8900'), 'der-unexpected-tag', 2],
    ['a constructed dNSName', hex('a200'), 'der-unexpected-tag', 2],
    ['a primitive directory name', hex('8400'), 'der-unexpected-tag', 2],
    ['a universal type', writeText(0x16, 'a'), 'der-unexpected-tag', 2],
  ])('%s is refused', (_, der, code, offset) => {
    const failure = derFailure(() => names(der))
    expect([failure?.code, failure?.offset]).toEqual([code, offset])
  })
})

describe('names, RFC 5280 §4.1.2.4', () => {
  const attribute = (type: string, tag: number, text: string) =>
    seq(oid(type), writeText(tag, text))
  const directoryName = (...rdns: Uint8Array[]) => {
    const der = seq(writeElement(0xa4, seq(...rdns)))
    const first = read('subjectAltName', der).subjectAltName?.names[0]
    return first?.kind === 'directoryName' ? first.name.rdns : undefined
  }
  test('RDNs of one attribute and of several', () => {
    const rdns = directoryName(
      writeSetOf(attribute('2.5.4.6', 0x13, 'DE')),
      writeSetOf(
        attribute('2.5.4.3', 0x0c, 'a'),
        attribute('2.5.4.10', 0x0c, 'b'),
        attribute('2.5.4.11', 0x0c, 'c'),
      ),
    )
    expect(rdns?.map((rdn) => rdn.map(({ type }) => type))).toEqual([
      ['2.5.4.6'],
      ['2.5.4.3', '2.5.4.10', '2.5.4.11'],
    ])
    expect(directoryName()).toEqual([])
  })
  test('a constructed value is kept whole', () => {
    const [rdn] = directoryName(writeSetOf(seq(oid('2.5.4.3'), seq(writeNull())))) ?? []
    expect(rdn?.[0]).toEqual({ type: '2.5.4.3', tag: 0x30, value: seq(writeNull()) })
    const [tagged] = directoryName(writeSetOf(seq(oid('2.5.4.3'), hex('800105')))) ?? []
    expect(tagged?.[0]).toEqual({ type: '2.5.4.3', tag: 0x80, value: hex('800105') })
  })
  const a = attribute('2.5.4.3', 0x0c, 'a')
  const b = attribute('2.5.4.3', 0x0c, 'b')
  test.each<[string, Uint8Array, string, number]>([
    ['an empty RDN', writeSetOf(), 'der-truncated', 8],
    ['attributes in the wrong order, X.690 11.6', writeElement(0x31, b, a), 'der-set-order', 18],
    ['the third out of order', writeElement(0x31, a, b, a), 'der-set-order', 28],
    ['an RDN that is a SEQUENCE', seq(a), 'der-unexpected-tag', 6],
    ['an attribute without a value', writeSetOf(seq(oid('2.5.4.3'))), 'der-truncated', 15],
    [
      'an attribute with two',
      writeSetOf(seq(oid('2.5.4.3'), writeNull(), writeNull())),
      'der-trailing-data',
      17,
    ],
    [
      'an asterisk in a PrintableString',
      writeSetOf(attribute('2.5.4.3', 0x13, '*')),
      'der-string',
      17,
    ],
  ])('%s is refused', (_, rdn, code, offset) => {
    const failure = derFailure(() => directoryName(rdn))
    expect([failure?.code, failure?.offset]).toEqual([code, offset])
  })
})
