/**
 * Makes src/testing/key-pool.json: the private keys of the test PKI. They are public, so they protect nothing. Run it only to
 * add a kind: new keys change every certificate that the tests issue.
 *
 * `node scripts/make-key-pool.mjs` keeps the keys that are there and adds what is missing; `--fresh` makes all anew.
 *
 * @module
 */
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const file = fileURLToPath(new URL('../src/testing/key-pool.json', import.meta.url))

/** @type {Record<string, [count: number, type: string, options: object]>} */
const kinds = {
  'P-256': [64, 'ec', { namedCurve: 'P-256' }],
  'P-384': [16, 'ec', { namedCurve: 'P-384' }],
  'P-521': [16, 'ec', { namedCurve: 'P-521' }],
  Ed25519: [16, 'ed25519', {}],
  Ed448: [8, 'ed448', {}],
  'RSA-2048': [8, 'rsa', { modulusLength: 2048 }],
  'RSA-3072': [4, 'rsa', { modulusLength: 3072 }],
  'RSA-4096': [4, 'rsa', { modulusLength: 4096 }],
  'RSA-8192': [2, 'rsa', { modulusLength: 8192 }],
  'RSA-1024': [2, 'rsa', { modulusLength: 1024 }],
  'RSA-2048-e3': [2, 'rsa', { modulusLength: 2048, publicExponent: 3 }],
  'RSA-PSS-2048': [2, 'rsa-pss', { modulusLength: 2048 }],
  'RSA-PSS-2048-SHA-256': [
    2,
    'rsa-pss',
    { modulusLength: 2048, hashAlgorithm: 'sha256', mgf1HashAlgorithm: 'sha256', saltLength: 32 },
  ],
  'P-224': [2, 'ec', { namedCurve: 'secp224r1' }],
  'P-192': [2, 'ec', { namedCurve: 'prime192v1' }],
  secp256k1: [2, 'ec', { namedCurve: 'secp256k1' }],
  'DSA-1024': [2, 'dsa', { modulusLength: 1024, divisorLength: 160 }],
  'DSA-2048': [2, 'dsa', { modulusLength: 2048, divisorLength: 256 }],
}

/** @returns {Record<string, [pkcs8: string, spki: string][]>} */
function existing() {
  if (process.argv.includes('--fresh')) return {}
  try {
    return JSON.parse(readFileSync(file, 'utf8')).keys
  } catch (error) {
    if (error.code === 'ENOENT') return {}
    throw error
  }
}

const keys = existing()
for (const [kind, [count, type, options]] of Object.entries(kinds)) {
  keys[kind] ??= []
  while (keys[kind].length < count) {
    const pair = generateKeyPairSync(type, {
      ...options,
      privateKeyEncoding: { type: 'pkcs8', format: 'der' },
      publicKeyEncoding: { type: 'spki', format: 'der' },
    })
    keys[kind].push([pair.privateKey.toString('base64'), pair.publicKey.toString('base64')])
  }
  console.error(`${kind}: ${keys[kind].length}`)
}

const note = 'PUBLIC TEST KEYS. Everybody has them: use none for anything but tests.'
writeFileSync(file, `${JSON.stringify({ note, keys }, null, 2)}\n`)
