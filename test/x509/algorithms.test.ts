import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex } from '../../src/base/hex.ts'
import { DerReader } from '../../src/der/reader.ts'
import {
  writeBitString,
  writeElement,
  writeInteger,
  writeNull,
  writeObjectIdentifier,
  writeOctetString,
  writeSequence,
} from '../../src/der/writer.ts'
import {
  decodeSignatureScheme,
  describeKey,
  importableSpki,
  inheritDsaParameters,
  isStrictDsaSignature,
  isStrictEcdsaSignature,
} from '../../src/x509/algorithms.ts'
import type { Curve, SubjectPublicKeyInfo } from '../../src/x509/certificate.ts'
import {
  readAlgorithmIdentifier,
  readSubjectPublicKeyInfo,
} from '../../src/x509/parse-certificate.ts'

function algorithm(oid: string, ...parameters: Uint8Array[]) {
  const der = writeSequence(writeObjectIdentifier(oid), ...parameters)
  return readAlgorithmIdentifier(new DerReader(der), 'an algorithm')
}

function decode(oid: string, ...parameters: Uint8Array[]) {
  return decodeSignatureScheme(algorithm(oid, ...parameters))
}

function spkiOf(der: Uint8Array): SubjectPublicKeyInfo {
  return readSubjectPublicKeyInfo(new DerReader(der))
}

function spki(oid: string, parameters: Uint8Array | undefined, key: Uint8Array) {
  const identifier = writeSequence(
    writeObjectIdentifier(oid),
    ...(parameters === undefined ? [] : [parameters]),
  )
  return spkiOf(writeSequence(identifier, writeBitString(key)))
}

function exported(key: ReturnType<typeof generateKeyPairSync>['publicKey']) {
  return spkiOf(new Uint8Array(key.export({ type: 'spki', format: 'der' })))
}

const none = undefined
const rsaEncryption = '1.2.840.113549.1.1.1'
const rsassaPss = '1.2.840.113549.1.1.10'
const ecPublicKey = '1.2.840.10045.2.1'
const dsa = '1.2.840.10040.4.1'
const sha256 = '2.16.840.1.101.3.4.2.1'
const sha512 = '2.16.840.1.101.3.4.2.3'
const sha1 = '1.3.14.3.2.26'
const mgf1 = '1.2.840.113549.1.1.8'

describe('signature algorithms', () => {
  test.each([
    ['1.2.840.113549.1.1.4', { name: 'RSASSA-PKCS1-v1_5', hash: 'MD5' }],
    ['1.2.840.113549.1.1.5', { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-1' }],
    ['1.2.840.113549.1.1.11', { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }],
    ['1.2.840.113549.1.1.12', { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384' }],
    ['1.2.840.113549.1.1.13', { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512' }],
    ['1.2.840.113549.1.1.14', { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-224' }],
  ])('%s takes NULL, and beside SHA-2 nothing: RFC 3279 §2.2.1, RFC 4055 §5', (oid, scheme) => {
    expect(decode(oid, writeNull())).toEqual({ ok: true, value: scheme })
    const refused = {
      ok: false,
      failure: { code: 'signature-algorithm-parameters', algorithm: oid, expected: 'null' },
    }
    const old = scheme.hash === 'MD5' || scheme.hash === 'SHA-1'
    expect(decode(oid)).toEqual(old ? refused : { ok: true, value: scheme })
    expect(decode(oid, writeOctetString(new Uint8Array()))).toEqual(refused)
    expect(decode(oid, Uint8Array.of(5, 1, 0))).toEqual(refused)
  })

  test.each([
    ['1.2.840.10045.4.1', { name: 'ECDSA', hash: 'SHA-1' }],
    ['1.2.840.10045.4.3.1', { name: 'ECDSA', hash: 'SHA-224' }],
    ['1.2.840.10045.4.3.2', { name: 'ECDSA', hash: 'SHA-256' }],
    ['1.2.840.10045.4.3.3', { name: 'ECDSA', hash: 'SHA-384' }],
    ['1.2.840.10045.4.3.4', { name: 'ECDSA', hash: 'SHA-512' }],
    ['1.2.840.10040.4.3', { name: 'DSA', hash: 'SHA-1' }],
    ['2.16.840.1.101.3.4.3.1', { name: 'DSA', hash: 'SHA-224' }],
    ['2.16.840.1.101.3.4.3.2', { name: 'DSA', hash: 'SHA-256' }],
    ['2.16.840.1.101.3.4.3.3', { name: 'DSA', hash: 'SHA-384' }],
    ['2.16.840.1.101.3.4.3.4', { name: 'DSA', hash: 'SHA-512' }],
    ['1.3.101.112', { name: 'Ed25519' }],
    ['1.3.101.113', { name: 'Ed448' }],
    ['2.16.840.1.101.3.4.3.17', { name: 'ML-DSA-44' }],
    ['2.16.840.1.101.3.4.3.18', { name: 'ML-DSA-65' }],
    ['2.16.840.1.101.3.4.3.19', { name: 'ML-DSA-87' }],
  ])('%s takes no parameters: RFC 5758 §3, RFC 8410 §3, RFC 9881 §2', (oid, scheme) => {
    expect(decode(oid)).toEqual({ ok: true, value: scheme })
    expect(decode(oid, writeNull())).toEqual({
      ok: false,
      failure: { code: 'signature-algorithm-parameters', algorithm: oid, expected: 'absent' },
    })
  })

  test.each(['1.2.3.4', rsaEncryption, ecPublicKey, sha256])('%s is no signature', (oid) => {
    expect(decode(oid, writeNull())).toEqual({
      ok: false,
      failure: { code: 'signature-algorithm-unknown', algorithm: oid },
    })
  })
})

describe('RSASSA-PSS-params, RFC 4055 §3.1', () => {
  const hash = (oid: string, ...parameters: Uint8Array[]) =>
    writeSequence(writeObjectIdentifier(oid), ...parameters)
  const field = (number: number, content: Uint8Array) => writeElement(0xa0 + number, content)
  const mask = (inner: Uint8Array) => writeSequence(writeObjectIdentifier(mgf1), inner)
  const both = (inner: Uint8Array) => [field(0, inner), field(1, mask(inner))]
  const salt = (length: number) => field(2, writeInteger(length))
  const pss = (name: string, saltLength: number) => ({
    ok: true,
    value: { name: 'RSASSA-PSS', hash: name, saltLength },
  })

  test.each([
    ['all defaults', [], pss('SHA-1', 20)],
    ['SHA-256 with NULL', [...both(hash(sha256, writeNull())), salt(32)], pss('SHA-256', 32)],
    ['SHA-256 without', [...both(hash(sha256)), salt(32)], pss('SHA-256', 32)],
    ['SHA-512, salt by default', both(hash(sha512, writeNull())), pss('SHA-512', 20)],
    ['no salt', [...both(hash(sha512)), salt(0)], pss('SHA-512', 0)],
    ['SHA-1 written out', [...both(hash(sha1, writeNull()))], pss('SHA-1', 20)],
    ['the trailer written out', [field(3, writeInteger(1))], pss('SHA-1', 20)],
  ])('%s is read', (_, fields, expected) => {
    expect(decode(rsassaPss, writeSequence(...fields))).toEqual(expected)
  })

  const good = [...both(hash(sha256)), salt(32)]
  test.each([
    ['none at all', []],
    ['NULL', [writeNull()]],
    ['octets after the fields', [writeSequence(...good, writeNull())]],
    ['hash and mask of different hashes', [writeSequence(field(0, hash(sha256)), salt(32))]],
    [
      'the mask of another hash',
      [writeSequence(field(0, hash(sha256)), field(1, mask(hash(sha512))), salt(32))],
    ],
    ['a hash that is none', [writeSequence(...both(hash(mgf1)))]],
    ['parameters of a hash', [writeSequence(...both(hash(sha256, writeInteger(1))))]],
    ['another mask than MGF1', [writeSequence(field(0, hash(sha1)), field(1, hash(sha1)))]],
    ['MGF1 without a hash', [writeSequence(field(0, hash(sha1)), field(1, hash(mgf1)))]],
    ['a salt of 20, which is the default', [writeSequence(...both(hash(sha256)), salt(20))]],
    ['a salt below zero', [writeSequence(field(2, Uint8Array.of(2, 1, 0xff)))]],
    ['a salt longer than any key', [writeSequence(salt(1025))]],
    ['trailer 2', [writeSequence(field(3, writeInteger(2)))]],
    ['trailer 0', [writeSequence(field(3, writeInteger(0)))]],
    ['fields out of order', [writeSequence(salt(32), ...both(hash(sha256)))]],
    ['a field twice', [writeSequence(...good, salt(32))]],
    ['a fifth field', [writeSequence(...good, field(4, writeInteger(1)))]],
    ['two values in a field', [writeSequence(field(3, new Uint8Array([2, 1, 1, 2, 1, 1])))]],
  ])('%s is refused', (_, parameters) => {
    expect(decode(rsassaPss, ...parameters)).toEqual({
      ok: false,
      failure: {
        code: 'signature-algorithm-parameters',
        algorithm: rsassaPss,
        expected: 'rsassa-pss',
      },
    })
  })

  test('a key carries them as its restriction, or is unrestricted: RFC 4055 §3.3', () => {
    const key = writeSequence(writeInteger((1n << 2047n) + 1n), writeInteger(65_537))
    const size = 2048
    const exponent = Uint8Array.of(1, 0, 1)
    expect(describeKey(spki(rsassaPss, none, key))).toEqual({ kind: 'RSA-PSS', size, exponent })
    expect(describeKey(spki(rsassaPss, writeSequence(...good), key))).toEqual({
      kind: 'RSA-PSS',
      size,
      exponent,
      restriction: { name: 'RSASSA-PSS', hash: 'SHA-256', saltLength: 32 },
    })
    expect(describeKey(spki(rsassaPss, writeNull(), key))).toMatchObject({ reason: 'parameters' })
  })

  test('a key is imported as rsaEncryption, every other key as it is', () => {
    const key = writeSequence(writeInteger((1n << 2047n) + 1n), writeInteger(65_537))
    const plain = spki(rsaEncryption, writeNull(), key)
    expect(importableSpki(spki(rsassaPss, writeSequence(...good), key))).toEqual(plain.der)
    expect(importableSpki(plain)).toBe(plain.der)
  })
})

describe('RSA keys, RFC 3279 §2.3.1', () => {
  const modulus = (1n << 2047n) + 1n
  const rsa = (n: bigint, e: bigint) => writeSequence(writeInteger(n), writeInteger(e))

  test.each([
    [(1n << 2047n) + 1n, 2048],
    [(1n << 2048n) - 1n, 2048],
    [(1n << 2046n) + 1n, 2047],
    [(1n << 2048n) + 1n, 2049],
    [1n, 1],
  ])('the size is the bit length of the modulus', (n, size) => {
    const key = describeKey(spki(rsaEncryption, writeNull(), rsa(n, 3n)))
    expect(key).toEqual({ kind: 'RSA', size, exponent: Uint8Array.of(3) })
  })

  test('Node agrees', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1032, publicExponent: 3 })
    const key = describeKey(exported(publicKey))
    expect(key).toEqual({ kind: 'RSA', size: 1032, exponent: Uint8Array.of(3) })
  })

  const key = rsa(modulus, 65_537n)
  const negative = Uint8Array.of(2, 1, 0x80)
  test.each([
    ['parameters', none, key],
    ['parameters', writeSequence(), key],
    ['key', writeNull(), new Uint8Array()],
    ['key', writeNull(), key.subarray(1)],
    ['key', writeNull(), Uint8Array.of(...key, 0)],
    ['key', writeNull(), writeSequence(writeInteger(modulus))],
    ['key', writeNull(), writeSequence(writeInteger(modulus), writeInteger(3), writeInteger(3))],
    ['key', writeNull(), writeSequence(writeInteger(modulus), Uint8Array.of(2, 2, 0, 3))],
    ['modulus', writeNull(), writeSequence(negative, writeInteger(3))],
    ['modulus', writeNull(), rsa(0n, 3n)],
    ['modulus-even', writeNull(), rsa(modulus + 1n, 3n)],
    ['exponent', writeNull(), writeSequence(writeInteger(modulus), negative)],
    ['exponent', writeNull(), rsa(modulus, 0n)],
  ])('malformed: %s', (reason, parameters, bytes) => {
    expect(describeKey(spki(rsaEncryption, parameters, bytes))).toEqual({
      kind: 'malformed',
      algorithm: rsaEncryption,
      reason,
    })
  })
})

describe('EC keys, RFC 5480 §2', () => {
  test.each(['P-256', 'P-384', 'P-521', 'secp256k1', 'secp224r1', 'prime192v1'])('%s', (name) => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: name })
    const curve = { secp224r1: 'P-224', prime192v1: 'P-192' }[name] ?? name
    const size = curve === 'secp256k1' ? 256 : Number(curve.slice(2))
    expect(describeKey(exported(publicKey))).toEqual({ kind: 'EC', curve, size })
  })

  const p256 = writeObjectIdentifier('1.2.840.10045.3.1.7')
  const point = Uint8Array.of(4, ...new Uint8Array(64))
  test.each([
    ['curve-absent', none, point],
    ['curve-absent', writeNull(), point],
    ['curve-explicit', writeSequence(writeInteger(1)), point],
    ['curve', writeInteger(1), point],
    ['curve', Uint8Array.of(6, 1, 0x80), point],
    ['point-compressed', p256, Uint8Array.of(2, ...new Uint8Array(32))],
    ['point-compressed', p256, Uint8Array.of(3, ...new Uint8Array(32))],
    ['point-form', p256, new Uint8Array()],
    ['point-form', p256, Uint8Array.of(0)],
    ['point-form', p256, Uint8Array.of(6, ...new Uint8Array(64))],
    ['point-length', p256, point.subarray(0, 64)],
    ['point-length', p256, Uint8Array.of(...point, 0)],
  ])('malformed: %s', (reason, parameters, bytes) => {
    expect(describeKey(spki(ecPublicKey, parameters, bytes))).toEqual({
      kind: 'malformed',
      algorithm: ecPublicKey,
      reason,
    })
  })

  test('a curve that is not in the table is unknown by its own name', () => {
    const brainpool = writeObjectIdentifier('1.3.36.3.3.2.8.1.1.7')
    expect(describeKey(spki(ecPublicKey, brainpool, point))).toEqual({
      kind: 'unknown',
      algorithm: '1.3.36.3.3.2.8.1.1.7',
    })
  })
})

describe('keys without structure, RFC 8410 §4 and RFC 9881 §4', () => {
  test.each([
    ['1.3.101.112', 'Ed25519', 32],
    ['1.3.101.113', 'Ed448', 57],
    ['2.16.840.1.101.3.4.3.17', 'ML-DSA-44', 1312],
    ['2.16.840.1.101.3.4.3.18', 'ML-DSA-65', 1952],
    ['2.16.840.1.101.3.4.3.19', 'ML-DSA-87', 2592],
  ])('%s is %s of %i octets', (oid, kind, length) => {
    const key = (octets: number, parameters?: Uint8Array) =>
      describeKey(spki(oid, parameters, new Uint8Array(octets)))
    expect(key(length)).toEqual({ kind, size: length * 8 })
    expect(key(length - 1)).toMatchObject({ kind: 'malformed', reason: 'key-length' })
    expect(key(length + 1)).toMatchObject({ kind: 'malformed', reason: 'key-length' })
    expect(key(length, writeNull())).toMatchObject({ kind: 'malformed', reason: 'parameters' })
  })

  test('X25519 signs nothing and is unknown', () => {
    const { publicKey } = generateKeyPairSync('x25519')
    expect(describeKey(exported(publicKey))).toEqual({ kind: 'unknown', algorithm: '1.3.101.110' })
  })
})

describe('DSA keys, RFC 3279 §2.3.2', () => {
  const { publicKey } = generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 })
  const whole = exported(publicKey)

  test('with parameters the size is that of p', () => {
    expect(describeKey(whole)).toEqual({ kind: 'DSA', size: 1024, hasParameters: true })
  })

  test('without, they may be inherited', () => {
    const bare = spki(dsa, none, whole.subjectPublicKey)
    expect(describeKey(bare)).toMatchObject({ kind: 'DSA', hasParameters: false })
    const heir = inheritDsaParameters(bare, whole.algorithm.parameters!)
    expect(heir).toEqual(whole)
    expect(describeKey(heir)).toEqual({ kind: 'DSA', size: 1024, hasParameters: true })
  })

  const y = writeInteger(5)
  const three = (...numbers: number[]) => writeSequence(...numbers.map(writeInteger))
  test.each([
    ['key', three(7, 3, 2), new Uint8Array()],
    ['key', three(7, 3, 2), writeInteger(0)],
    ['key', three(7, 3, 2), Uint8Array.of(...y, 0)],
    ['parameters', writeNull(), y],
    ['parameters', three(7, 3), y],
    ['parameters', three(7, 3, 2, 1), y],
    ['parameters', three(0, 3, 2), y],
    ['parameters', three(7, 0, 2), y],
    ['parameters', three(7, 3, 0), y],
  ])('malformed: %s', (reason, parameters, key) => {
    expect(describeKey(spki(dsa, parameters, key))).toEqual({
      kind: 'malformed',
      algorithm: dsa,
      reason,
    })
  })
})

describe('ECDSA signature values, RFC 3279 §2.2.3', () => {
  const orders: readonly (readonly [Curve, bigint])[] = [
    ['P-192', 0xffffffffffffffffffffffff99def836146bc9b1b4d22831n],
    ['P-224', 0xffffffffffffffffffffffffffff16a2e0b8f03e13dd29455c5c2a3dn],
    ['P-256', 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n],
    [
      'P-384',
      0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    ],
    [
      'P-521',
      BigInt(
        `0x01${'f'.repeat(64)}fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409`,
      ),
    ],
    ['secp256k1', 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n],
  ]

  test.each(orders)('%s: r and s are in [1, n - 1]', (curve, n) => {
    const strict = (r: bigint, s: bigint) =>
      isStrictEcdsaSignature(writeSequence(writeInteger(r), writeInteger(s)), curve)
    expect(strict(1n, 1n)).toBe(true)
    expect(strict(n - 1n, n - 1n)).toBe(true)
    for (const wrong of [0n, n, n + 1n, n << 8n]) {
      expect(strict(wrong, 1n)).toBe(false)
      expect(strict(1n, wrong)).toBe(false)
    }
    fc.assert(
      fc.property(fc.bigInt(0n, 2n * n), fc.bigInt(0n, 2n * n), (r, s) => {
        return strict(r, s) === (r > 0n && r < n && s > 0n && s < n)
      }),
    )
  })

  test.each([
    ['', 'nothing'],
    ['3006020101020101', 'the plain form', true],
    ['300602010102010100', 'an octet after it'],
    ['3009020101020101020101', 'a third number'],
    ['3003020101', 'one number'],
    ['308106020101020101', 'a length in two octets'],
    ['3080020101020101 0000', 'an indefinite length'],
    ['300702020001020101', 'a padded r'],
    ['300702010102020001', 'a padded s'],
    ['30060201ff020101', 'a negative r'],
    ['3006020101020180', 'a negative s'],
    ['3005020002 0101', 'an empty r'],
    ['3106020101020101', 'a SET'],
    ['3006030101020101', 'a BIT STRING for r'],
    ['3007020101020101', 'a length beyond the end'],
  ])('%s: %s', (hex, _, strict = false) => {
    const bytes = fromHex(hex.replaceAll(' ', ''))!
    expect(isStrictEcdsaSignature(bytes, 'P-256')).toBe(strict)
    expect(isStrictDsaSignature(bytes)).toBe(strict)
  })
})

test('no bytes make a key, a scheme or a signature throw', () => {
  const oid = fc.constantFrom(rsaEncryption, rsassaPss, ecPublicKey, dsa, '1.3.101.112', '1.2.3')
  const bytes = fc.uint8Array({ maxLength: 40 })
  fc.assert(
    fc.property(oid, fc.option(bytes, { nil: undefined }), bytes, (name, parameters, key) => {
      const identifier = { der: key, algorithm: name, parameters }
      const described = describeKey({ der: key, algorithm: identifier, subjectPublicKey: key })
      expect(typeof described.kind).toBe('string')
      expect(typeof decodeSignatureScheme(identifier).ok).toBe('boolean')
      expect(typeof isStrictEcdsaSignature(key, 'P-256')).toBe('boolean')
      expect(typeof isStrictDsaSignature(key)).toBe('boolean')
    }),
  )
})
