/** Hundreds of thousands of random and mutated inputs, most of them signed again after the mutation, and what became of them. @module */

import { decodeBase64 } from '../../../src/base/base64.ts'
import { bytesEqual } from '../../../src/base/bytes.ts'
import { toHex } from '../../../src/base/hex.ts'
import { prepareOptions } from '../../../src/client/options.ts'
import { parseTrustAnchors } from '../../../src/client/trust-anchors.ts'
import { validateSteps } from '../../../src/client/validate.ts'
import type { Verdict } from '../../../src/client/verdict.ts'
import { type Handlers, runSync } from '../../../src/effect/effect.ts'
import { nodeHandlers } from '../../../src/runtime/node.ts'
import {
  issueVariant,
  type KeyKind,
  poolKey,
  poolSize,
  type TestKey,
  testTime,
  variantNames,
} from '../../../src/testing/index.ts'
import { usualScheme } from '../../../src/testing/sign.ts'
import { parseCertificate } from '../../../src/x509/parse-certificate.ts'
import { signature, verifies } from '../forge.ts'
import { Random } from './random.ts'
import { type Input, type ProvokedCode, recipes, richClient } from './recipes.ts'
import { issuing, root, settings } from './settings.ts'
import { encodeTree, mutateBytes, mutateTree, type Node, parseTree } from './tree.ts'

export interface FuzzReport {
  readonly inputs: number
  /** Inputs that were changed and then signed by the key of the right issuer. */
  readonly resigned: number
  readonly accepted: number
  /** Code → how many refusals. `certificate-too-large` is counted where the certificate alone is read. */
  readonly histogram: ReadonlyMap<string, number>
  /** What must not be: errors thrown, and acceptances of what no issuer signed. Seed and hexadecimal of each input. */
  readonly thrown: readonly string[]
  readonly forged: readonly string[]
}

/**
 * @param count - Inputs.
 * @param seed - The same seed gives the same inputs but for the randomness of ECDSA signatures.
 * @param onProgress - Called now and then with the inputs done.
 */
export async function runFuzz(
  count: number,
  seed: number,
  onProgress?: (done: number) => void,
): Promise<FuzzReport> {
  const labs = await makeLabs()
  const handlers = nodeHandlers()
  const histogram = new Map<string, number>()
  const thrown: string[] = []
  const forged: string[] = []
  let resigned = 0
  let accepted = 0
  const codes = Object.keys(recipes) as ProvokedCode[]
  for (let i = 0; i < count; i++) {
    const random = new Random(seed + i)
    if (i % 5_000 === 0) onProgress?.(i)
    const code = random.chance(40) ? random.pick(codes) : undefined
    try {
      const trial: Trial =
        code === undefined ? mutateLab(random.pick(labs), random) : ofRecipe(recipes[code](random))
      if (trial.resigned) resigned++
      const verdict = trial.judge(handlers)
      const outcome = codeOf(verdict, trial.presented)
      if (outcome === 'accepted') accepted++
      else histogram.set(outcome, (histogram.get(outcome) ?? 0) + 1)
      if (verdict.ok && verdict.verified && restsOn(verdict.path, trial.unsigned)) {
        forged.push(`seed ${seed + i}: ${printed(trial.presented)}`)
      }
    } catch (error) {
      thrown.push(`seed ${seed + i}: ${error instanceof Error ? error.stack : String(error)}`)
    }
  }
  onProgress?.(count)
  return { inputs: count, resigned, accepted, histogram, thrown, forged }
}

interface Trial {
  readonly presented: Input['presented']
  readonly resigned: boolean
  /** Signed parts that were changed after they were signed. */
  readonly unsigned: readonly Uint8Array[]
  readonly judge: (handlers: Handlers) => Verdict
}

function ofRecipe({ presented, setting, resigned }: Input): Trial {
  return {
    presented,
    resigned,
    unsigned: [],
    judge: (handlers) => runSync(validateSteps(presented, settings[setting], testTime), handlers),
  }
}

/** One PKI whose certificates are mutated one at a time. */
interface Lab {
  readonly certificates: readonly Sample[]
  readonly prepared: ReturnType<typeof prepareOptions>
}

interface Sample {
  readonly der: Uint8Array
  readonly tree: Node | undefined
  /** Of the issuer; absent when the pool does not have it. */
  readonly signingKey: TestKey | undefined
}

/** Every variant of the test PKI, and a client with every extension. */
async function makeLabs(): Promise<readonly Lab[]> {
  const keys = keysBySpki()
  const labs: Lab[] = []
  for (const name of variantNames) {
    const { client, intermediatesPem, anchorsPem, inputs, expected } = await issueVariant(name)
    const anchors = blocksOf(anchorsPem)
    const intermediates = blocksOf(intermediatesPem)
    const above = [...intermediates, ...anchors]
    const samples = [client.der, ...intermediates].map((der, index) =>
      sampleOf(der, above, keys, index === 0 ? above : undefined),
    )
    const lab = {
      certificates: samples,
      prepared: prepareOptions({ trustAnchors: parseTrustAnchors(anchors), ...inputs }),
    }
    // A mutation matters most where nothing else is wrong.
    for (let i = expected.ok ? 4 : 1; i > 0; i--) labs.push(lab)
  }
  const rich = [richClient(), issuing.der].map((der) =>
    sampleOf(der, [issuing.der, root.der], keys),
  )
  for (const setting of ['default', 'rfc5280', 'server'] as const) {
    for (let i = 0; i < 3; i++) labs.push({ certificates: rich, prepared: settings[setting] })
  }
  return labs
}

/** @param otherwise - Who signs what is no certificate and names no issuer: the first of these. */
function sampleOf(
  der: Uint8Array,
  above: readonly Uint8Array[],
  keys: ReadonlyMap<string, TestKey>,
  otherwise?: readonly Uint8Array[],
): Sample {
  const parsed = parseCertificate(der)
  const issuer = parsed.ok ? parsed.value.tbsCertificate.issuer.der : undefined
  const candidates = parsed.ok ? above : (otherwise ?? []).slice(0, 1)
  for (const candidate of candidates) {
    const read = parseCertificate(candidate)
    if (!read.ok) continue
    const { subject, subjectPublicKeyInfo } = read.value.tbsCertificate
    if (issuer !== undefined && !bytesEqual(issuer, subject.der)) continue
    const signingKey = keys.get(toHex(subjectPublicKeyInfo.der))
    if (signingKey !== undefined) return { der, tree: parseTree(der), signingKey }
  }
  return { der, tree: parseTree(der), signingKey: undefined }
}

function keysBySpki(): ReadonlyMap<string, TestKey> {
  const kinds: readonly KeyKind[] = [
    'P-256',
    'Ed25519',
    'RSA-2048',
    'RSA-PSS-2048',
    'RSA-PSS-2048-SHA-256',
    'RSA-1024',
  ]
  const keys = new Map<string, TestKey>()
  for (const kind of kinds) {
    for (let i = 0; i < poolSize(kind); i++) {
      const key = poolKey(kind, i)
      keys.set(toHex(key.publicKey), key)
    }
  }
  return keys
}

function mutateLab(lab: Lab, random: Random): Trial {
  const { certificates } = lab
  const at = random.chance(65) ? 0 : random.below(certificates.length)
  const sample = certificates[at] as Sample
  const donor = random.pick(certificates).tree ?? sample.tree
  const presented = certificates.map(({ der }) => der)
  let resigned = false
  let changed: Uint8Array
  if (sample.tree === undefined || donor === undefined || random.chance(6)) {
    changed = mutateBytes(sample.der, random)
  } else {
    const tree = structuredClone(sample.tree)
    const tbs = tree.children?.[0]
    if (sample.signingKey !== undefined && tbs?.children !== undefined && random.chance(85)) {
      for (let left = random.chance(80) ? 1 : 2; left > 0; left--) mutateTree(tbs, donor, random)
      changed = signAgain(tree, sample.signingKey)
      resigned = true
    } else {
      mutateTree(tree, donor, random)
      changed = encodeTree(tree)
    }
  }
  presented[at] = changed
  const unsigned = resigned ? undefined : unsignedPart(changed, sample)
  return {
    presented,
    resigned,
    unsigned: unsigned === undefined ? [] : [unsigned],
    judge: (handlers) => runSync(validateSteps(presented, lab.prepared, testTime), handlers),
  }
}

/** The outer algorithm follows the one of the signed part, as an issuer would write it. */
function signAgain(tree: Node, key: TestKey): Uint8Array {
  const [tbs, algorithm, bits] = tree.children as [Node, Node, Node]
  const inner = tbs.children?.[tbs.children[0]?.tag === 0xa0 ? 2 : 1]
  const signed = signature(encodeTree(tbs), key, usualScheme(key.kind))
  const outer = inner?.tag === 0x30 ? inner : algorithm
  const value: Node = {
    tag: bits.tag,
    content: Buffer.concat([Uint8Array.of(0), signed]),
    children: undefined,
    prefix: new Uint8Array(0),
  }
  return encodeTree({ ...tree, children: [tbs, outer, value] })
}

/** The signed part of `der`, when it is another than in `original` and the issuer never signed it. */
function unsignedPart(der: Uint8Array, original: Sample): Uint8Array | undefined {
  const parsed = parseCertificate(der)
  if (!parsed.ok) return undefined
  const { tbsCertificate, signatureValue } = parsed.value
  // By chance a mutation may mend what was broken after it was signed: OpenSSL is asked, not the code under test.
  const { signingKey } = original
  const mended =
    signingKey !== undefined && verifies(tbsCertificate.der, signatureValue, signingKey)
  return mended || Buffer.from(original.der).includes(Buffer.from(tbsCertificate.der))
    ? undefined
    : tbsCertificate.der
}

function restsOn(
  path: readonly { readonly tbsCertificate: { readonly der: Uint8Array } }[],
  unsigned: readonly Uint8Array[],
): boolean {
  return unsigned.some((tbs) =>
    path.some(({ tbsCertificate }) => bytesEqual(tbsCertificate.der, tbs)),
  )
}

function codeOf(verdict: Verdict, presented: Input['presented']): string {
  if (verdict.ok) return 'accepted'
  const { code } = verdict.failure
  // A client that presents this much is refused before anything is read: the reader's own limit shows where nobody presents.
  if (code === 'presented-too-large' && presented instanceof Uint8Array) {
    const read = parseCertificate(presented)
    if (!read.ok) return read.failure.code
  }
  return code
}

function printed(presented: Input['presented']): string {
  if (typeof presented === 'string') return JSON.stringify(presented)
  return presented instanceof Uint8Array ? toHex(presented) : presented.map(toHex).join(' ')
}

function blocksOf(pem: string): Uint8Array[] {
  return [...pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----/g)].map(
    ([, text = '']) => decodeBase64(text) as Uint8Array,
  )
}
