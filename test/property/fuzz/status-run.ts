/** Mutated lists and responses, most of them signed again, and what validations made of them. @module */

import { toHex } from '../../../src/base/hex.ts'
import type { Result } from '../../../src/base/result.ts'
import { parseCrls } from '../../../src/revocation/crls.ts'
import { parseOcspResponses } from '../../../src/revocation/responses.ts'
import type { StatusProblem } from '../../../src/revocation/status.ts'
import {
  type Intermediates,
  parseIntermediates,
  parseTrustAnchors,
  type RevocationOptions,
  type TrustAnchors,
  type Verdict,
  validateClientCertificateSync,
} from '../../../src/sync.ts'
import { type TestKey, testTime } from '../../../src/testing/index.ts'
import { usualScheme } from '../../../src/testing/sign.ts'
import type { CertificateList } from '../../../src/x509/crl.ts'
import type { ParseFailure } from '../../../src/x509/failure.ts'
import type { OcspResponse } from '../../../src/x509/ocsp.ts'
import { parseCrl } from '../../../src/x509/parse-crl.ts'
import { parseOcspResponse } from '../../../src/x509/parse-ocsp.ts'
import { signature } from '../forge.ts'
import { Random } from './random.ts'
import { type Lab, type Labs, makeStatusLabs, type Sample } from './status-labs.ts'
import { mutateResponse, mutateSigned } from './status-mutations.ts'
import { type Clock, type Item, type Opinion, opinionOf } from './status-oracle.ts'
import { clone, encodeTree, mutateBytes, mutateTree, type Node } from './tree.ts'

type ProblemCode = StatusProblem['code']

const problems: { readonly [C in ProblemCode]: true } = {
  'crl-missing': true,
  'crl-not-yet-valid': true,
  'crl-expired': true,
  'crl-too-old': true,
  'crl-out-of-scope': true,
  'crl-unknown-critical-extension': true,
  'crl-malformed': true,
  'crl-signer-unknown': true,
  'crl-signer-no-crl-sign': true,
  'crl-signer-revoked': true,
  'crl-signer-status-unknown': true,
  'crl-signature': true,
  'crl-delta-without-base': true,
  'crl-reasons-missing': true,
  'ocsp-missing': true,
  'ocsp-error': true,
  'ocsp-type-unknown': true,
  'ocsp-other-certificate': true,
  'ocsp-not-yet-valid': true,
  'ocsp-expired': true,
  'ocsp-too-old': true,
  'ocsp-produced-at': true,
  'ocsp-unknown-critical-extension': true,
  'ocsp-responder-unknown': true,
  'ocsp-responder-not-authorized': true,
  'ocsp-responder-revoked': true,
  'ocsp-signature': true,
  'ocsp-unknown': true,
  'status-limit': true,
}

/** Every reason why a list or a response does not count: octets can cause each of them. */
export const expectedProblems: readonly string[] = Object.keys(problems)

export interface StatusReport {
  readonly inputs: number
  /** Changed and then signed by whoever should. */
  readonly resigned: number
  /** What became of the clients: `good`, `revoked`, `unknown`, `unknown, allowed`, or another code. */
  readonly outcomes: ReadonlyMap<string, number>
  /** How many refusals had this problem among theirs. */
  readonly problems: ReadonlyMap<string, number>
  /** What the readers said of lists and responses, `crl` or `ocsp` before the code. */
  readonly unread: ReadonlyMap<string, number>
  /** What must not be, each with its seed and the octets. */
  readonly thrown: readonly string[]
  /** Accepted by what nobody signed, who may sign it, or what does not say by the oracle that the client is good. */
  readonly turned: readonly string[]
  /** Refused as revoked although nothing says so by the oracle. */
  readonly slandered: readonly string[]
}

/**
 * @param count - Inputs.
 * @param seed - The same seed gives the same inputs.
 * @param onProgress - Called now and then with the inputs done.
 */
export async function runStatusFuzz(
  count: number,
  seed: number,
  onProgress?: (done: number) => void,
): Promise<StatusReport> {
  const made = await makeStatusLabs()
  const benches = made.labs.map(benchOf)
  const outcomes = new Map<string, number>()
  const problems = new Map<string, number>()
  const unread = new Map<string, number>()
  const thrown: string[] = []
  const turned: string[] = []
  const slandered: string[] = []
  let resigned = 0
  for (let i = 0; i < count; i++) {
    const random = new Random(seed + i)
    if (i % 5_000 === 0) onProgress?.(i)
    const bench = random.pick(benches)
    const clock = random.pick(clocks)
    const mode = random.chance(93) ? bench.lab.mode : random.pick(modes)
    const trial = makeTrial(bench.lab, made, random)
    const print = () =>
      `seed ${seed + i}, ${bench.lab.name}, ${trial.way}: ${toHex(trial.items[trial.at]?.der as Uint8Array)}`
    if (trial.way === 'resigned') resigned++
    try {
      const { verdict, read, failures } = judge(bench, trial, clock, mode)
      for (const failure of failures) add(unread, failure)
      add(outcomes, outcomeOf(verdict))
      for (const code of problemsOf(verdict)) add(problems, code)
      const counted = read.filter(({ kind }) => mode === 'crl-or-ocsp' || kind === mode)
      if (isCalledGood(verdict)) {
        const opinion = opinionOf(counted, bench.lab.subject, clock)
        const isForged = trial.way !== 'resigned' && bench.needs(trial.at, mode, clock)
        if (isForged || opinion.revoked === 'yes' || !opinion.good) turned.push(print())
      } else if (isCalledRevoked(verdict)) {
        if (opinionOf(counted, bench.lab.subject, clock).revoked === 'no') slandered.push(print())
      }
    } catch (error) {
      thrown.push(
        `${print()}: ${error instanceof Error ? error.stack?.split('\n', 4).join('\n') : String(error)}`,
      )
    }
  }
  onProgress?.(count)
  return { inputs: count, resigned, outcomes, problems, unread, thrown, turned, slandered }
}

/** What the oracle and the validation say of each lab as it was issued. */
export async function judgeUnchanged(): Promise<
  readonly { readonly name: string; readonly oracle: string; readonly verdict: string }[]
> {
  const { labs } = await makeStatusLabs()
  return labs.map((lab) => {
    const trial: Trial = { items: lab.samples, at: -1, way: 'unsigned' }
    const { verdict } = judge(benchOf(lab), trial, deny, lab.mode)
    return {
      name: lab.name,
      oracle: wordOf(opinionOf(lab.samples, lab.subject, deny)),
      verdict: outcomeOf(verdict),
    }
  })
}

function wordOf({ revoked, good }: Opinion): string {
  return revoked !== 'no' ? 'revoked' : good ? 'good' : 'unknown'
}

/** A lab with what is read once. */
interface Bench {
  readonly lab: Lab
  readonly trustAnchors: TrustAnchors
  readonly intermediates: Intermediates
  /** Samples as they are. */
  readonly known: Known
  /** Whether the client is not good as it is, nor without the sample: then no change of it may make it so. */
  readonly needs: (at: number, mode: Lab['mode'], clock: Clock) => boolean
}

interface Known {
  readonly lists: ReadonlyMap<Uint8Array, Result<CertificateList, ParseFailure>>
  readonly responses: ReadonlyMap<Uint8Array, Result<OcspResponse, ParseFailure>>
}

function benchOf(lab: Lab): Bench {
  const ders = (kind: Sample['kind']) =>
    lab.samples.filter((one) => one.kind === kind).map(({ der }) => der)
  const isGood = (samples: readonly Item[], mode: Lab['mode'], clock: Clock) => {
    const counted = samples.filter(({ kind }) => mode === 'crl-or-ocsp' || kind === mode)
    return wordOf(opinionOf(counted, lab.subject, clock)) === 'good'
  }
  const needs = new Map<string, boolean>()
  return {
    lab,
    known: {
      lists: new Map(ders('crl').map((der) => [der, parseCrl(der)])),
      responses: new Map(ders('ocsp').map((der) => [der, parseOcspResponse(der)])),
    },
    trustAnchors: parseTrustAnchors(lab.anchor.der),
    intermediates: parseIntermediates(lab.intermediates.map(({ der }) => der)),
    needs: (at, mode, clock) => {
      const key = `${at} ${mode} ${clocks.indexOf(clock)}`
      const others = lab.samples.filter((_, other) => other !== at)
      const needed =
        needs.get(key) ?? !(isGood(lab.samples, mode, clock) || isGood(others, mode, clock))
      needs.set(key, needed)
      return needed
    },
  }
}

/** `stranger`: signed by a key that is not the right one. `borrowed`: with the signature of something else. */
type Way = 'resigned' | 'unsigned' | 'stranger' | 'borrowed'

interface Trial {
  readonly items: readonly Item[]
  /** Which of them was changed. */
  readonly at: number
  readonly way: Way
}

function makeTrial(lab: Lab, { labs, stranger, donors }: Labs, random: Random): Trial {
  const at = random.below(lab.samples.length)
  const sample = lab.samples[at] as Sample
  const way = random.pick(ways)
  const tree = clone(sample.tree)
  const { tbs, bits, certificates } = partsOf(tree, sample.kind)
  const donor = random.chance(50) ? random.pick(donors) : sample.tree
  const items: Item[] = [...lab.samples]
  const done = (der: Uint8Array): Trial => {
    items[at] = { kind: sample.kind, der }
    return { items, at, way }
  }
  if (way === 'unsigned') {
    if (random.chance(30)) return done(mutateBytes(sample.der, random))
    if (sample.kind === 'ocsp' && random.chance(40)) mutateResponse(tree, lab, random)
    else if (random.chance(50)) mutateTree(tree, donor, random)
    else mutateSigned(tbs, donor, lab, random)
    return done(encodeTree(tree))
  }
  const certificate = certificates?.children?.[0]
  if (certificate !== undefined && random.chance(15)) {
    mutateSigned(certificate.children?.[0] as Node, donor, lab, random)
    resign(
      certificate,
      certificate.children?.[2] as Node,
      way === 'stranger' ? stranger : lab.issuerKey,
    )
    return done(encodeTree(tree))
  }
  // A stranger may copy to the letter.
  const changes = way === 'stranger' && random.chance(30) ? 0 : random.chance(75) ? 1 : 2
  for (let left = changes; left > 0; left--) mutateSigned(tbs, donor, lab, random)
  const whole = sample.kind === 'crl' ? tree : (basicOf(tree) as Node)
  if (way === 'borrowed') {
    const other = random.pick(random.pick(labs).samples)
    bits.children = undefined
    bits.content = contentOf(partsOf(other.tree, other.kind).bits)
  } else resign(whole, bits, way === 'stranger' ? stranger : sample.key)
  return done(encodeTree(tree))
}

/** Of a list; of the basic response inside a response. */
function partsOf(tree: Node, kind: Sample['kind']) {
  const whole = kind === 'crl' ? tree : (basicOf(tree) as Node)
  const [tbs, , bits, wrapped] = whole.children as [Node, Node, Node, Node?]
  return { tbs, bits, certificates: wrapped?.children?.[0] }
}

function basicOf(tree: Node): Node | undefined {
  return tree.children?.[1]?.children?.[0]?.children?.[1]?.children?.[0]
}

function contentOf(bits: Node): Uint8Array {
  const encoded = encodeTree({ ...bits, tag: 0, header: new Uint8Array(0) })
  return encoded
}

/** A list repeats the algorithm of its signed part, as whoever issues it would write it. */
function resign(whole: Node, bits: Node, key: TestKey): void {
  const [tbs, outer] = whole.children as [Node, Node]
  const inner = tbs.children?.find(
    ({ tag, children }) => tag === 0x30 && children?.[0]?.tag === 0x06 && children.length < 3,
  )
  const isList = inner !== undefined && tbs.children?.[0]?.tag !== 0xa1 && outer !== inner
  if (isList) (whole.children as Node[])[1] = inner
  bits.children = undefined
  bits.content = Buffer.concat([
    Uint8Array.of(0),
    signature(encodeTree(tbs), key, usualScheme(key.kind)),
  ])
}

const deny: Clock = {
  time: testTime,
  tolerance: 0,
  staleFor: 0,
  maxAge: undefined,
  onUnknown: 'deny',
}
const clocks: readonly Clock[] = [
  ...Array.from({ length: 7 }, () => deny),
  { ...deny, onUnknown: 'allow' },
  { ...deny, tolerance: 300, maxAge: 172_800 },
  { ...deny, staleFor: 86_400 },
]
const modes: readonly Lab['mode'][] = ['crl', 'ocsp', 'crl-or-ocsp']
const ways: readonly Way[] = [
  ...Array.from({ length: 15 }, () => 'resigned' as const),
  'unsigned',
  'unsigned',
  'unsigned',
  'stranger',
  'borrowed',
]

interface Judgement {
  readonly verdict: Verdict
  /** Items that the readers took. */
  readonly read: readonly Item[]
  readonly failures: readonly string[]
}

function judge(bench: Bench, { items }: Trial, clock: Clock, mode: Lab['mode']): Judgement {
  const { lab, known, trustAnchors, intermediates } = bench
  const lists: CertificateList[] = []
  const responses: OcspResponse[] = []
  const read: Item[] = []
  const failures: string[] = []
  for (const item of items) {
    const { kind, der } = item
    const failure =
      kind === 'crl'
        ? take(known.lists.get(der) ?? parseCrl(der), lists)
        : take(known.responses.get(der) ?? parseOcspResponse(der), responses)
    if (failure === undefined) read.push(item)
    else failures.push(`${kind} ${failure}`)
  }
  const { tolerance, staleFor, maxAge, onUnknown } = clock
  const shared = {
    depth: lab.depth,
    onUnknown,
    onStale: staleFor === 0 ? 'deny' : { allowFor: staleFor },
    maxAge,
  } as const
  const crls = parseCrls(lists)
  const ocspResponses = parseOcspResponses(responses)
  const revocation: RevocationOptions =
    mode === 'crl'
      ? { ...shared, mode, crls }
      : mode === 'ocsp'
        ? { ...shared, mode, ocspResponses }
        : { ...shared, mode, crls, ocspResponses }
  const verdict = validateClientCertificateSync(lab.client, {
    trustAnchors,
    intermediates,
    time: new Date(testTime * 1000),
    profile: lab.profile,
    clockTolerance: tolerance,
    revocation,
  })
  return { verdict, read, failures }
}

/** @returns The code of what could not be read. */
function take<T>(result: Result<T, ParseFailure>, into: T[]): string | undefined {
  if (!result.ok) return result.failure.code
  into.push(result.value)
  return undefined
}

function isCalledGood(verdict: Verdict): boolean {
  return verdict.ok && verdict.verified && verdict.revocation[0]?.status !== 'unknown'
}

function isCalledRevoked({ ok, ...verdict }: Verdict): boolean {
  return (
    !ok &&
    'failure' in verdict &&
    verdict.failure.code === 'certificate-revoked' &&
    verdict.failure.index === 0
  )
}

function outcomeOf(verdict: Verdict): string {
  if (verdict.ok) return isCalledGood(verdict) ? 'good' : 'unknown, allowed'
  const { code } = verdict.failure
  if (code === 'certificate-revoked') return 'revoked'
  return code === 'revocation-unknown' ? 'unknown' : code
}

function problemsOf(verdict: Verdict): ReadonlySet<string> {
  if (verdict.ok || verdict.failure.code !== 'revocation-unknown') return new Set()
  return new Set(verdict.failure.problems.map(({ code }) => code))
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
