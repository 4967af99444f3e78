import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { DerReader } from '../../src/der/reader.ts'
import {
  writeBitString,
  writeElement,
  writeInteger,
  writeNull,
  writeObjectIdentifier,
  writeSequence,
} from '../../src/der/writer.ts'
import { type Handlers, runAsync, runSync, type SignatureAnswer } from '../../src/effect/effect.ts'
import { type AlgorithmPolicy, algorithmPolicy } from '../../src/path/algorithms.ts'
import { checkSignature, checkSignedData, type SignatureCheck } from '../../src/path/signature.ts'
import { nodeHandlers } from '../../src/runtime/node.ts'
import { webHandlers } from '../../src/runtime/web.ts'
import { describeKey, inheritDsaParameters } from '../../src/x509/algorithms.ts'
import {
  readAlgorithmIdentifier,
  readSubjectPublicKeyInfo,
} from '../../src/x509/parse-certificate.ts'
import { anyAlgorithm } from './any-algorithm.ts'

const data = new TextEncoder().encode('tbsCertificate')
const node = nodeHandlers()
const web = webHandlers()

function identifier(oid: string, ...parameters: Uint8Array[]): Uint8Array {
  return writeSequence(writeObjectIdentifier(oid), ...parameters)
}

function pss(hash: string, saltLength: number): Uint8Array {
  const inner = identifier(hash, writeNull())
  return writeSequence(
    writeElement(0xa0, inner),
    writeElement(0xa1, identifier('1.2.840.113549.1.1.8', inner)),
    writeElement(0xa2, writeInteger(saltLength)),
  )
}

const sha256 = '2.16.840.1.101.3.4.2.1'
const algorithms = {
  ecdsaSha256: identifier('1.2.840.10045.4.3.2'),
  ecdsaSha1: identifier('1.2.840.10045.4.1'),
  rsaSha256: identifier('1.2.840.113549.1.1.11', writeNull()),
  rsaSha1: identifier('1.2.840.113549.1.1.5', writeNull()),
  pssSha256: identifier('1.2.840.113549.1.1.10', pss(sha256, 32)),
  dsaSha256: identifier('2.16.840.1.101.3.4.3.2'),
  ed25519: identifier('1.3.101.112'),
  ed448: identifier('1.3.101.113'),
}

const keys = {
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  p521: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  secp256k1: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  rsa1024: generateKeyPairSync('rsa', { modulusLength: 1024 }),
  dsa: generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }),
  ed25519: generateKeyPairSync('ed25519'),
  ed448: generateKeyPairSync('ed448'),
}

function spkiOf(key: KeyObject) {
  const der = new Uint8Array(key.export({ type: 'spki', format: 'der' }))
  return readSubjectPublicKeyInfo(new DerReader(der))
}

function pssSpki(parameters?: Uint8Array) {
  const { subjectPublicKey } = spkiOf(keys.rsa.publicKey)
  const algorithm = identifier('1.2.840.113549.1.1.10', ...(parameters ? [parameters] : []))
  const der = writeSequence(algorithm, writeBitString(subjectPublicKey))
  return readSubjectPublicKeyInfo(new DerReader(der))
}

function question(
  key: keyof typeof keys,
  algorithm: keyof typeof algorithms,
  policy: AlgorithmPolicy = algorithmPolicy(),
): SignatureCheck {
  const { privateKey, publicKey } = keys[key]
  const hash = key.startsWith('ed') ? null : algorithm.endsWith('Sha1') ? 'sha1' : 'sha256'
  const padded =
    algorithm === 'pssSha256' ? { key: privateKey, padding: 6, saltLength: 32 } : privateKey
  return {
    algorithm: readAlgorithmIdentifier(new DerReader(algorithms[algorithm]), 'an algorithm'),
    data,
    signature: new Uint8Array(sign(hash, data, padded)),
    spki: spkiOf(publicKey),
    policy,
    memorable: false,
    budget: { signatures: 100 },
  }
}

async function codes(check: SignatureCheck): Promise<readonly (string | undefined)[]> {
  const copy = () => ({ ...check, budget: { ...check.budget } })
  return [
    runSync(checkSignature(copy()), node)?.code,
    (await runAsync(checkSignature(copy()), web))?.code,
  ]
}

const yes = [undefined, undefined]
const no = ['signature-invalid', 'signature-invalid']
const loose = anyAlgorithm

describe('a signature verifies under both drivers, and no other does', () => {
  test.each<[keyof typeof keys, keyof typeof algorithms]>([
    ['p256', 'ecdsaSha256'],
    ['p384', 'ecdsaSha256'],
    ['p521', 'ecdsaSha256'],
    ['rsa', 'rsaSha256'],
    ['rsa', 'pssSha256'],
    ['ed25519', 'ed25519'],
    ['ed448', 'ed448'],
  ])('%s, %s', async (key, algorithm) => {
    const check = question(key, algorithm)
    expect(await codes(check)).toEqual(yes)
    expect(await codes({ ...check, key: describeKey(check.spki) })).toEqual(yes)
    expect(await codes({ ...check, data: Uint8Array.of(...data, 0) })).toEqual(no)
    expect(await codes({ ...check, signature: check.signature.subarray(1) })).toEqual(no)
    expect(await codes({ ...check, signature: Uint8Array.of(...check.signature, 0) })).toEqual(no)
    const flipped = check.signature.slice()
    flipped[flipped.length - 1]! ^= 1
    expect(await codes({ ...check, signature: flipped })).toEqual(no)
  })

  test('SHA-1 and RSA-1024 under options that say so', async () => {
    const options = { dangerouslyAllowSha1: true, dangerouslyMinimumRsaBits: 1024 }
    const check = question('rsa1024', 'rsaSha1', algorithmPolicy(options))
    expect(await codes(check)).toEqual(yes)
    expect(await codes({ ...check, data: check.signature })).toEqual(no)
    const ecdsa = question('p256', 'ecdsaSha1', algorithmPolicy(options))
    expect(await codes(ecdsa)).toEqual(yes)
  })

  test('an RSASSA-PSS key verifies RSASSA-PSS within its restriction: RFC 4055 §3.3', async () => {
    const check = question('rsa', 'pssSha256')
    const mismatch = ['signature-algorithm-key-mismatch', 'signature-algorithm-key-mismatch']
    expect(await codes({ ...check, spki: pssSpki() })).toEqual(yes)
    expect(await codes({ ...check, spki: pssSpki(pss(sha256, 32)) })).toEqual(yes)
    expect(await codes({ ...check, spki: pssSpki(pss(sha256, 33)) })).toEqual(mismatch)
    const pkcs1 = question('rsa', 'rsaSha256')
    expect(await codes({ ...pkcs1, spki: pssSpki() })).toEqual(mismatch)
  })

  test('a salt of another length than the parameters say is no signature', async () => {
    const check = question('rsa', 'pssSha256')
    const other = identifier('1.2.840.113549.1.1.10', pss(sha256, 31))
    const algorithm = readAlgorithmIdentifier(new DerReader(other), 'an algorithm')
    expect(await codes({ ...check, algorithm })).toEqual(no)
  })
})

test('a salt for which the key has no room is no signature and asks nobody: RFC 8017 §9.1.2 (3)', () => {
  const check = question('rsa', 'pssSha256')
  const asked: number[] = []
  const handlers: Handlers = {
    ...node,
    verifySignature: () => {
      asked.push(1)
      return 'invalid'
    },
  }
  // 2048 bits: 256 octets less the hash's 32 and two.
  for (const [saltLength, count] of [
    [223, 0],
    [222, 1],
  ] as const) {
    const der = identifier('1.2.840.113549.1.1.10', pss(sha256, saltLength))
    const algorithm = readAlgorithmIdentifier(new DerReader(der), 'an algorithm')
    expect(runSync(checkSignature({ ...check, algorithm }), handlers)?.code).toBe(
      'signature-invalid',
    )
    expect(asked).toHaveLength(count)
  }
})

describe('what a runtime lacks is never "invalid"', () => {
  test('DSA and secp256k1 are not in WebCrypto', async () => {
    const both = [undefined, 'signature-algorithm-unsupported']
    expect(await codes(question('dsa', 'dsaSha256', loose))).toEqual(both)
    expect(await codes(question('secp256k1', 'ecdsaSha256', loose))).toEqual(both)
  })

  test('a DSA key inherits parameters or cannot be used: RFC 3279 §2.3.2', async () => {
    const check = question('dsa', 'dsaSha256', loose)
    const whole = check.spki
    const algorithm = identifier('1.2.840.10040.4.1')
    const der = writeSequence(algorithm, writeBitString(whole.subjectPublicKey))
    const spki = readSubjectPublicKeyInfo(new DerReader(der))
    const missing = ['key-parameters-missing', 'key-parameters-missing']
    expect(await codes({ ...check, spki })).toEqual(missing)
    const heir = inheritDsaParameters(spki, whole.algorithm.parameters!)
    expect((await codes({ ...check, spki: heir }))[0]).toBeUndefined()
    const s = Uint8Array.of(...check.signature, 0)
    expect(await codes({ ...check, signature: s })).toEqual(no)
  })

  test('a point off the curve is a key that cannot be imported', async () => {
    const check = question('p256', 'ecdsaSha256')
    const der = check.spki.der.slice()
    der[der.length - 1]! ^= 1
    const unsupported = ['signature-algorithm-unsupported', 'signature-algorithm-unsupported']
    const spki = readSubjectPublicKeyInfo(new DerReader(der))
    expect(await codes({ ...check, spki })).toEqual(unsupported)
  })

  test.each([
    ['2.16.840.1.101.3.4.3.17', 1312, 2420],
    ['2.16.840.1.101.3.4.3.18', 1952, 3309],
    ['2.16.840.1.101.3.4.3.19', 2592, 4627],
  ])('ML-DSA %s has signatures of one length', (oid, keyLength, length) => {
    const asked: string[] = []
    const handlers: Handlers = {
      ...node,
      verifySignature: ({ scheme }) => {
        asked.push(scheme.name)
        return 'unsupported'
      },
    }
    const der = writeSequence(identifier(oid), writeBitString(new Uint8Array(keyLength)))
    const check = {
      ...question('ed25519', 'ed25519'),
      algorithm: readAlgorithmIdentifier(new DerReader(identifier(oid)), 'an algorithm'),
      spki: readSubjectPublicKeyInfo(new DerReader(der)),
    }
    const code = (octets: number) =>
      runSync(checkSignature({ ...check, signature: new Uint8Array(octets) }), handlers)?.code
    expect(code(length - 1)).toBe('signature-invalid')
    expect(asked).toHaveLength(0)
    expect(code(length)).toBe('signature-algorithm-unsupported')
    expect(asked).toHaveLength(1)
  })
})

describe('the budget is counted in costs, before asking', () => {
  function counting(answer: SignatureAnswer) {
    const asked: boolean[] = []
    const handlers: Handlers = {
      ...node,
      verifySignature: ({ memorable }) => {
        asked.push(memorable)
        return answer
      },
    }
    return { asked, handlers }
  }

  test.each<[keyof typeof keys, keyof typeof algorithms, number]>([
    ['p256', 'ecdsaSha256', 1],
    ['p521', 'ecdsaSha256', 17],
    ['rsa', 'rsaSha256', 0.25],
  ])('%s, %s costs %d', (key, algorithm, cost) => {
    const { asked, handlers } = counting('invalid')
    const check = { ...question(key, algorithm), budget: { signatures: 2 * cost }, memorable: true }
    const code = () => runSync(checkSignature(check), handlers)?.code
    expect([code(), code()]).toEqual(no)
    expect(check.budget.signatures).toBe(0)
    expect(code()).toBe('budget-exhausted')
    expect(asked).toEqual([true, true])
  })

  test('what policy, parameters or form settle costs nothing and asks nobody', () => {
    const { asked, handlers } = counting('valid')
    const check = question('p256', 'ecdsaSha256')
    const code = (change: Partial<SignatureCheck>) =>
      runSync(checkSignature({ ...check, ...change }), handlers)?.code
    const unknown = { ...check.algorithm, algorithm: '1.2.3' }
    const withNull = { ...check.algorithm, parameters: writeNull() }
    expect(code({ algorithm: unknown })).toBe('signature-algorithm-unknown')
    expect(code({ algorithm: withNull })).toBe('signature-algorithm-parameters')
    expect(code({ key: { kind: 'unknown', algorithm: '1.2.3' } })).toBe('key-algorithm-unknown')
    const sha1 = readAlgorithmIdentifier(new DerReader(algorithms.ecdsaSha1), 'an algorithm')
    expect(code({ algorithm: sha1 })).toBe('signature-algorithm-weak')
    expect(code({ signature: new Uint8Array() })).toBe('signature-invalid')
    expect(code(question('rsa1024', 'rsaSha256'))).toBe('key-too-weak')
    expect(check.budget.signatures).toBe(100)
    expect(asked).toHaveLength(0)
    expect(code({})).toBeUndefined()
  })
})

describe('signed data as DER that stands alone', () => {
  const good = question('p256', 'ecdsaSha256')
  const signed = {
    spki: good.spki.der,
    algorithm: good.algorithm.der,
    data,
    signature: writeBitString(good.signature),
  }
  const code = (change: Partial<typeof signed>) =>
    runSync(checkSignedData({ ...signed, ...change }, algorithmPolicy()), node)?.code

  test('verifies', () => expect(code({})).toBeUndefined())

  test.each([
    ['spki', 'der-trailing-data'],
    ['algorithm', 'der-trailing-data'],
    ['signature', 'der-trailing-data'],
    ['data', 'signature-invalid'],
  ] as const)('an octet after %s: %s', (part, expected) => {
    expect(code({ [part]: Uint8Array.of(...signed[part], 0) })).toBe(expected)
  })

  test('a signature with unused bits is none', () => {
    const bits = writeElement(3, Uint8Array.of(1), good.signature.subarray(0, -1), Uint8Array.of(2))
    expect(code({ signature: bits })).toBe('der-bit-string')
  })
})
