/**
 * Writes what the portable program is judged by, as Node answers it: variants and signatures that only Node can make all of,
 * policies and their clients, the corpora, and our answers to them. `tsx test/portable/data.ts FILE`
 *
 * @module
 */
import { existsSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { encodeBase64 } from '../../src/base/base64.ts'
import type { SignatureScheme } from '../../src/base/signature-scheme.ts'
import { issueVariant, type KeyKind, poolKey, variantNames } from '../../src/testing/index.ts'
import { sign, usualScheme } from '../../src/testing/sign.ts'
import { corpora } from '../conformance/command.ts'
import { type Corpus, readCorpus } from '../conformance/corpus.ts'
import { makeDrivers } from '../conformance/drivers.ts'
import { suites } from '../conformance/suites/index.ts'
import { makePolicyData } from './policy-data.ts'
import {
  answerText,
  type CorpusData,
  type Data,
  type Signature,
  type VariantData,
} from './portable.ts'

const [, , file] = process.argv
if (file === undefined) throw new Error('usage: data.ts FILE')
const data: Data = {
  variants: await makeVariants(),
  signatures: await makeSignatures(),
  policies: await makePolicyData(),
  corpora: await readCorpora(),
}
writeFileSync(file, JSON.stringify(data))

async function makeVariants(): Promise<VariantData[]> {
  const variants: VariantData[] = []
  for (const name of variantNames) {
    const { client, anchorsPem, intermediatesPem, time, inputs, expected } =
      await issueVariant(name)
    const { pem } = client
    const code = expected.ok ? 'accepted' : expected.code
    variants.push({ name, pem, anchorsPem, intermediatesPem, time, inputs, expected: code })
  }
  return variants
}

async function makeSignatures(): Promise<Signature[]> {
  const signatures: Signature[] = []
  const octets = new TextEncoder().encode('tbsCertificate')
  for (const [kind, scheme] of schemes()) {
    const key = poolKey(kind, 0)
    const signature = await sign(key, scheme, octets, globalThis.crypto)
    signatures.push({
      name: `${kind} ${JSON.stringify(scheme)}`,
      kind,
      scheme,
      spki: encodeBase64(key.publicKey),
      data: encodeBase64(octets),
      signature: encodeBase64(signature),
    })
  }
  return signatures
}

/** Every kind of key that verifies, and every scheme that its kind allows. */
function schemes(): readonly (readonly [KeyKind, SignatureScheme])[] {
  const hashes = ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'] as const
  const curves = ['P-256', 'P-384', 'P-521'] as const
  const plain = ['Ed25519', 'Ed448', 'RSA-4096', 'RSA-8192', 'RSA-2048-e3', 'RSA-1024'] as const
  return [
    ...plain.map((kind) => [kind, usualScheme(kind)] as const),
    ...hashes.flatMap((hash) => [
      ...curves.map((kind) => [kind, { name: 'ECDSA', hash }] as const),
      ['RSA-2048', { name: 'RSASSA-PKCS1-v1_5', hash }] as const,
      ...[0, 20, 32, 64].map(
        (saltLength) => ['RSA-2048', { name: 'RSASSA-PSS', hash, saltLength }] as const,
      ),
    ]),
    ['RSA-2048', { name: 'RSASSA-PKCS1-v1_5', hash: 'MD5' }],
    ['RSA-2048', { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-224' }],
    ['secp256k1', { name: 'ECDSA', hash: 'SHA-256' }],
    ['P-224', { name: 'ECDSA', hash: 'SHA-256' }],
    ['DSA-2048', { name: 'DSA', hash: 'SHA-256' }],
  ]
}

async function readCorpora(): Promise<CorpusData[]> {
  const { async: driver } = makeDrivers()
  const all: CorpusData[] = []
  for (const suite of suites) {
    const path = new URL(suite.file, corpora)
    if (!existsSync(path)) continue
    const corpus = atOneTime(readCorpus(fileURLToPath(path)))
    const answers: string[] = []
    for (const one of suite.read(corpus)) {
      answers.push(answerText(await one.run(driver, 'interoperable')))
    }
    all.push({ suite: suite.name, corpus, answers })
  }
  return all
}

/** limbo's null means now, and every runtime must see the same moment. */
function atOneTime(corpus: Corpus): Corpus {
  const now = new Date().toISOString()
  const testcases = corpus.testcases?.map((one) =>
    one.validation_time === null ? { ...one, validation_time: now } : one,
  )
  return testcases === undefined ? corpus : { ...corpus, testcases }
}
