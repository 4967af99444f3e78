/**
 * The program that runs under every JavaScript runtime, bundled: the package as the runtime finds it, its guards in the runtime's own
 * server, and the core over its cryptography. What the runtime lacks must come out as unsupported, never as a bad signature.
 *
 * @module
 */
import { decodeBase64 } from '../../src/base/base64.ts'
import type { SignatureScheme } from '../../src/base/signature-scheme.ts'
import { type AsyncHandlers, runAsync } from '../../src/effect/effect.ts'
import type { Verdict } from '../../src/index.ts'
import { createAsyncClient } from '../../src/runtime/async-client.ts'
import { webHandlers } from '../../src/runtime/web.ts'
import type * as syncLibrary from '../../src/sync.ts'
import type { VariantInputs } from '../../src/testing/index.ts'
import type { Corpus } from '../conformance/corpus.ts'
import type { Driver } from '../conformance/drivers.ts'
import type { Outcome } from '../conformance/suite.ts'
import { suites } from '../conformance/suites/index.ts'
import { type Check, differs } from './check.ts'
import { checkGuards, type GuardEntries, type Platform } from './guards.ts'
import { checkPolicies, type PolicyData } from './policies.ts'

export interface Data {
  readonly variants: readonly VariantData[]
  readonly signatures: readonly Signature[]
  readonly policies: PolicyData
  /** Empty in a clone without corpora. */
  readonly corpora: readonly CorpusData[]
}

export interface VariantData {
  readonly name: string
  readonly pem: string
  readonly anchorsPem: string
  readonly intermediatesPem: string
  /** Unix seconds. */
  readonly time: number
  readonly inputs: VariantInputs
  /** `accepted` or a failure code. */
  readonly expected: string
}

/** A right signature; base64 of what `verifySignature` asks with. */
export interface Signature {
  readonly name: string
  readonly kind: string
  readonly scheme: SignatureScheme
  readonly spki: string
  readonly data: string
  readonly signature: string
}

export interface CorpusData {
  readonly suite: string
  readonly corpus: Corpus
  /** `answerText` of each case, in their order. */
  readonly answers: readonly string[]
}

export interface Surroundings {
  readonly data: Data
  /** `mtls-policy` and what serves policies, as this runtime resolves them. */
  readonly entries: GuardEntries
  /** `mtls-policy/sync`, where the runtime has `node:crypto`. */
  readonly sync?: typeof syncLibrary
  /** The core's handlers over `node:crypto`, likewise. */
  readonly nodeHandlers?: () => AsyncHandlers
  readonly platform: Platform
  readonly say: (line: string) => void
}

export interface Summary {
  readonly passed: number
  readonly failed: number
  /** Schemes that a driver calls unsupported: `web: Ed448` … */
  readonly lacks: readonly string[]
}

export async function run({
  data,
  entries,
  sync,
  nodeHandlers,
  platform,
  say,
}: Surroundings): Promise<Summary> {
  const { library } = entries
  let [passed, failed] = [0, 0]
  const lacks: string[] = []
  const check: Check = (name, problem) => {
    if (problem === undefined) passed++
    else {
      failed++
      if (failed <= 50) say(`FAIL ${name}: ${problem}`)
    }
  }
  const handlers: readonly (readonly [string, AsyncHandlers])[] = [
    ['web', webHandlers()],
    ...(nodeHandlers ? [['node', nodeHandlers()] as const] : []),
  ]
  for (const [name, driver] of handlers) {
    for (const one of data.signatures) {
      const answers = [await verify(driver, one), await verify(driver, damaged(one))]
      const texts = answers.join(' ')
      if (texts === 'unsupported unsupported') lacks.push(`${name}: ${schemeName(one)}`)
      const right = texts === 'valid invalid' || texts === 'unsupported unsupported'
      check(`${name} ${one.name}`, right ? undefined : `right and damaged: ${texts}`)
    }
  }
  for (const variant of data.variants) {
    const options = {
      trustAnchors: library.parseTrustAnchors(variant.anchorsPem),
      ...(variant.intermediatesPem === '' ? {} : { intermediates: variant.intermediatesPem }),
      time: new Date(variant.time * 1000),
      ...variant.inputs,
    }
    const verdict = codeOf(await library.validateClientCertificate(variant.pem, options))
    check(`variant ${variant.name}`, differs(variant.expected, verdict))
    if (sync) {
      const other = codeOf(sync.validateClientCertificateSync(variant.pem, options))
      check(`sync variant ${variant.name}`, differs(variant.expected, other))
    }
  }
  const counted = async (what: string, checks: () => Promise<void>): Promise<void> => {
    const [passedBefore, failedBefore] = [passed, failed]
    await checks()
    say(`${what}: ${passed - passedBefore} passed, ${failed - failedBefore} failed`)
  }
  await counted('policies', () => checkPolicies(data.policies, entries, check))
  await counted('guards', () => checkGuards(data.policies, entries, platform, check))
  for (const [name, driver] of handlers) {
    const asDriver = driverOver(driver)
    for (const { suite: suiteName, corpus, answers } of data.corpora) {
      const suite = suites.find((one) => one.name === suiteName)
      let [same, unsupported] = [0, 0]
      for (const [i, one] of (suite?.read(corpus) ?? []).entries()) {
        const outcome = await one.run(asDriver, 'interoperable')
        const answer = answerText(outcome)
        const expected = expectedOf(answers[i] ?? '', outcome)
        const isLack = mayLack.has(suiteName) && isUnsupported(answer)
        if (answer === expected) same++
        else if (isLack) unsupported++
        check(`${name} ${suiteName} ${one.id}`, isLack ? undefined : differs(expected, answer))
      }
      say(`${name} ${suiteName}: ${same} as expected, ${unsupported} unsupported here`)
    }
  }
  return { passed, failed, lacks }
}

/** One outcome as a text to compare. */
export function answerText(outcome: Outcome): string {
  if (outcome.kind === 'skipped') return `skipped: ${outcome.reason}`
  return `${outcome.actual} ${outcome.code ?? ''}`.trim()
}

/** Suites with schemes that some runtimes lack; in all others a runtime answers as Node does. */
const mayLack: ReadonlySet<string> = new Set([
  'client-cases',
  'signed-data',
  'algorithm-chains',
  'wycheproof-signatures',
])

/** What Node lacked, another runtime may have: then the suite itself says what is right. */
function expectedOf(byNode: string, outcome: Outcome): string {
  const judgedHereOnly = byNode.startsWith('skipped: ') && outcome.kind === 'answered'
  if (!judgedHereOnly || outcome.actual !== outcome.expected) return byNode
  return answerText(outcome)
}

function isUnsupported(answer: string): boolean {
  return /signature-algorithm-unsupported$|^skipped: /.test(answer)
}

function codeOf(verdict: Verdict): string {
  return verdict.ok ? 'accepted' : verdict.failure.code
}

function schemeName({ kind, scheme }: Signature): string {
  return 'hash' in scheme ? `${kind} ${scheme.name} ${scheme.hash}` : kind
}

/** The last octet but three, which is inside the last number of an ECDSA signature. */
function damaged(one: Signature): Signature {
  const changed = Uint8Array.from(bytes(one.signature))
  changed[changed.length - 4]! ^= 1
  return { ...one, signature: btoa(String.fromCharCode(...changed)) }
}

async function verify(handlers: AsyncHandlers, one: Signature): Promise<string> {
  try {
    return await handlers.verifySignature({
      op: 'verifySignature',
      scheme: one.scheme,
      spki: bytes(one.spki),
      data: bytes(one.data),
      signature: bytes(one.signature),
      memorable: false,
    })
  } catch (error) {
    return `threw ${error}`
  }
}

function bytes(base64: string): Uint8Array {
  const decoded = decodeBase64(base64)
  if (decoded === undefined) throw new Error('no base64')
  return decoded
}

/** Suites make anchors and ACLs with the bundled sources, so that these judge them too. */
function driverOver(handlers: AsyncHandlers): Driver {
  const client = createAsyncClient(handlers)
  return {
    name: 'async',
    run: (steps) => runAsync(steps, handlers),
    validate: async (certificate, { issuerAcl, ...options }) => {
      const whole = issuerAcl ? { ...options, issuerAcl } : options
      const verdict = await client.validateClientCertificate(certificate, whole)
      if (verdict.ok && !verdict.verified) throw new Error('nothing was validated')
      return verdict
    },
  }
}
