/** The rows of the table. Each builds its certificates outside the clock and has its answers checked before it is timed. @module */

import * as crypto from 'node:crypto'
import type { KeyKind } from '../src/testing/index.ts'
import { against, leastDisturbed, passesOf } from './against.ts'
import type { Subject } from './bundle.ts'
import { runCompiledPeers } from './compiled-peers.ts'
import { benchTime, issueAnchors, issueMesh, issuePool, type Material } from './material.ts'
import { interleave, median } from './measure.ts'
import { middlewareRows } from './middleware-rows.ts'
import { type Judge, parsers, peers } from './peers.ts'
import { type Work, workOf } from './result.ts'
import { revocationRows } from './revocation-rows.ts'
import type { Row, Run } from './row.ts'
import { call, checkJudge, countOf, optionsOf, supplyOf } from './supply.ts'

export const rows: readonly Row[] = [
  { name: 'client-leaf-ec256', work: (run) => knownIssuer(run, 'client-leaf-ec256', 'P-256') },
  {
    name: 'client-leaf-rsa2048',
    work: (run) => knownIssuer(run, 'client-leaf-rsa2048', 'RSA-2048'),
  },
  {
    name: 'client-leaf-ec256-async',
    work: (run) => awaited(run, 'client-leaf-ec256-async', 'P-256'),
  },
  {
    name: 'client-leaf-rsa2048-async',
    work: (run) => awaited(run, 'client-leaf-rsa2048-async', 'RSA-2048'),
  },
  { name: 'new-validator-ec256', work: (run) => newValidator(run, 'new-validator-ec256', 'P-256') },
  {
    name: 'new-validator-rsa2048',
    work: (run) => newValidator(run, 'new-validator-rsa2048', 'RSA-2048'),
  },
  { name: 'same-certificate-ec256', work: sameCertificate },
  { name: 'parse-ec256', work: parseAlone },
  { name: 'anchors-10000-load', work: loadAnchors },
  { name: 'anchors-10000-client', work: manyAnchors },
  { name: 'hostile-mesh-200', work: (run) => hostile(run, 'hostile-mesh-200') },
  { name: 'hostile-pool-10000', work: (run) => hostile(run, 'hostile-pool-10000') },
  ...revocationRows,
  ...middlewareRows,
]

/** The least that a verdict on one client can cost: its signature, under a key that is imported already. */
function signatureFloor({ subject }: Run, { issuing }: Material, leaves: readonly Uint8Array[]) {
  const key = importKey(issuing.key.publicKey)
  const signed = leaves.map((der) => signedOf(subject, der))
  return (index: number): void => {
    const { data, signature } = signed[index] as Signed
    if (!crypto.verify('sha256', data, key, signature)) throw new Error('floor: invalid signature')
  }
}

interface Signed {
  readonly data: Uint8Array
  readonly signature: Uint8Array
}

function signedOf(subject: Subject, der: Uint8Array): Signed {
  const parsed = subject.parseCertificate(der)
  if (!parsed.ok) throw new Error(parsed.failure.code)
  return { data: parsed.value.tbsCertificate.der, signature: parsed.value.signatureValue }
}

function importKey(spki: Uint8Array): crypto.KeyObject {
  return crypto.createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
}

async function knownIssuer(run: Run, name: string, kind: KeyKind): Promise<Work> {
  const supply = await supplyOf(kind, run)
  const { material } = supply
  const validator = run.subject.createClientCertificateValidatorSync(optionsOf(run, material), {
    verdicts: 0,
  })
  const judge: Judge = (leaf) => validator.validate(leaf, call).ok
  await checkJudge(run, name, judge, material)
  const floorOver = (leaves: readonly Uint8Array[]) => signatureFloor(run, material, leaves)
  // Half before the peers and half after them, as a machine is not the same for minutes.
  const source = { warm: supply.warm, take: () => supply.take(countOf(run)) }
  const first = await against(run.size, source, judge, floorOver)
  const others = await peerTimes(run, name, material, supply.warm, source.take())
  const second = await against(run.size, source, judge, floorOver)
  const { times, floor } = leastDisturbed([first, second])
  const note = 'one client, CA signature remembered; floor: one crypto.verify'
  return workOf(name, note, times, floor, others)
}

async function awaited(run: Run, name: string, kind: KeyKind): Promise<Work> {
  const supply = await supplyOf(kind, run)
  const { material } = supply
  const validator = run.subject.createClientCertificateValidator(optionsOf(run, material), {
    verdicts: 0,
  })
  await checkJudge(run, name, async (leaf) => (await validator.validate(leaf, call)).ok, material)
  const { times, floor } = await against(
    run.size,
    { warm: supply.warm, take: () => supply.take(countOf(run)) },
    (leaf) => validator.validate(leaf, call),
    (leaves) => signatureFloor(run, material, leaves),
  )
  return workOf(name, 'the same, awaited', times, floor)
}

/** Handlers of its own, so that neither keys nor signatures are remembered; anchors and intermediates are read from DER too. */
async function newValidator(run: Run, name: string, kind: KeyKind): Promise<Work> {
  const supply = await supplyOf(kind, run)
  const { material } = supply
  const { subject } = run
  const seconds = subject.secondsOf(benchTime)
  const validate = (leaf: Uint8Array) => {
    const prepared = subject.prepareOptions(optionsOf(run, material))
    return subject.runSync(subject.validateSteps(leaf, prepared, seconds), subject.nodeHandlers())
  }
  await checkJudge(run, name, (leaf) => validate(leaf).ok, material)
  const issuing = signedOf(subject, material.issuing.der)
  const { times, floor } = await against(
    run.size,
    { warm: supply.warm, take: () => supply.take(countOf(run)) },
    validate,
    (leaves) => {
      const signed = leaves.map((der) => signedOf(subject, der))
      return (index) => {
        const { data, signature } = signed[index] as Signed
        const upper = importKey(material.root.key.publicKey)
        const lower = importKey(material.issuing.key.publicKey)
        crypto.verify('sha256', issuing.data, upper, issuing.signature)
        crypto.verify('sha256', data, lower, signature)
      }
    },
  )
  const note = 'nothing remembered, CAs read too; floor: 2 crypto.verify + 2 key imports'
  return workOf(name, note, times, floor)
}

async function sameCertificate(run: Run): Promise<Work> {
  const name = 'same-certificate-ec256'
  const supply = await supplyOf('P-256', run)
  const { material } = supply
  const validator = run.subject.createClientCertificateValidatorSync(optionsOf(run, material))
  await checkJudge(run, name, (leaf) => validator.validate(leaf, call).ok, material)
  const leaves = supply.take(countOf(run))
  for (const leaf of leaves) validator.validate(leaf, call)
  // As a server has them: in other buffers than those that were judged.
  const again = leaves.map((leaf) => leaf.slice())
  run.checked(`${name}: every verdict is kept`, validator.size() === leaves.length + 1)
  const passes = passesOf(run.size)
  const contender = { run: (i: number) => validator.validate(again[i] as Uint8Array, call) }
  let times: readonly number[] = []
  for (let pass = 0; pass < passes; pass++) {
    times = (await interleave([contender], 0, again.length))[0] as number[]
  }
  return workOf(name, 'seen before, from bytes: the verdict cache', times)
}

async function parseAlone(run: Run): Promise<Work> {
  const name = 'parse-ec256'
  const supply = await supplyOf('P-256', run)
  const leaves = supply.take(countOf(run))
  const { parseCertificate } = run.subject
  run.checked(`${name}: reads`, parseCertificate(leaves[0] as Uint8Array).ok)
  run.checked(`${name}: refuses half`, !parseCertificate((leaves[0] as Uint8Array).subarray(9)).ok)
  const all: Record<string, (der: Uint8Array) => unknown> = {
    'mtls-policy': parseCertificate,
    'node X509Certificate': (der) => new crypto.X509Certificate(der),
    ...(run.peers === 'all' ? parsers : {}),
  }
  const contenders = Object.values(all).map((parse) => ({
    run: (i: number) => parse(leaves[i] as Uint8Array),
  }))
  await interleave(contenders, 0, leaves.length)
  const times = await interleave(contenders, 0, leaves.length)
  const others = Object.keys(all).slice(1)
  return workOf(
    name,
    'DER to data alone',
    times[0] as number[],
    [],
    Object.fromEntries(others.map((peer, i) => [peer, median(times[i + 1] as number[])])),
  )
}

async function loadAnchors(run: Run): Promise<Work> {
  const name = 'anchors-10000-load'
  const anchors = await anchorsOf(run)
  const { subject } = run
  const passes = run.size === 'full' ? 5 : 1
  const times: number[] = []
  for (let pass = 0; pass < passes; pass++) {
    const begin = performance.now()
    const loaded = subject.parseTrustAnchors(anchors)
    times.push((performance.now() - begin) * 1000)
    run.checked(`${name}: all are there`, loaded.anchors.length === anchors.length)
  }
  return workOf(name, '10,000 anchors from DER, parsed and indexed', times)
}

async function manyAnchors(run: Run): Promise<Work> {
  const name = 'anchors-10000-client'
  const supply = await supplyOf('P-256', run)
  const { material } = supply
  const { subject } = run
  const few = optionsOf(run, material)
  const many = {
    ...few,
    trustAnchors: subject.parseTrustAnchors([material.root.der, ...(await anchorsOf(run))]),
  }
  const [one, all] = [few, many].map((options) =>
    subject.createClientCertificateValidatorSync(options, { verdicts: 0 }),
  ) as [ValidatorSync, ValidatorSync]
  await checkJudge(run, name, (leaf) => all.validate(leaf, call).ok, material)
  const { times, floor } = await against(
    run.size,
    { warm: supply.warm, take: () => supply.take(countOf(run)) },
    (leaf) => all.validate(leaf, call),
    (leaves) => (index) => one.validate(leaves[index] as Uint8Array, call),
  )
  return workOf(name, 'one client under 10,001 anchors; floor: under one', times, floor)
}

type ValidatorSync = ReturnType<Subject['createClientCertificateValidatorSync']>

async function hostile(run: Run, name: 'hostile-mesh-200' | 'hostile-pool-10000'): Promise<Work> {
  const isFull = run.size === 'full'
  const { subject } = run
  const { root, intermediates, leaf } =
    name === 'hostile-mesh-200'
      ? await issueMesh(isFull ? 200 : 20)
      : await issuePool(isFull ? 10_000 : 100)
  const prepared = {
    trustAnchors: subject.parseTrustAnchors(root),
    intermediates: subject.parseIntermediates(intermediates),
  }
  const times: number[] = []
  for (let pass = 0; pass < (isFull ? 5 : 1); pass++) {
    const validate = () =>
      subject.runSync(
        subject.validateSteps(leaf, subject.prepareOptions(prepared), subject.secondsOf(benchTime)),
        subject.nodeHandlers(),
      )
    const begin = performance.now()
    const verdict = validate()
    times.push((performance.now() - begin) * 1000)
    run.checked(`${name}: refused`, !verdict.ok)
    run.checked(
      `${name}: within the budget, or nothing left to try`,
      !verdict.ok && hostileCodes.has(verdict.failure.code),
    )
  }
  return workOf(
    name,
    name === 'hostile-mesh-200'
      ? '200 CAs of one name that signed one another, no way to the anchor'
      : '10,000 intermediates of the issuer’s name, none of them its',
    times,
  )
}

const hostileCodes: ReadonlySet<string> = new Set([
  'budget-exhausted',
  'issuer-unknown',
  'signature-invalid',
])

let anchors: Promise<readonly Uint8Array[]> | undefined

function anchorsOf(run: Run): Promise<readonly Uint8Array[]> {
  if (anchors === undefined) {
    const count = run.size === 'full' ? 10_000 : 100
    run.say(`issuing ${count} trust anchors`)
    anchors = issueAnchors(count)
  }
  return anchors
}

async function peerTimes(
  run: Run,
  name: string,
  material: Material,
  warm: readonly Uint8Array[],
  leaves: readonly Uint8Array[],
): Promise<Readonly<Record<string, number>>> {
  if (run.peers === 'none') return {}
  const times: Record<string, number> = {}
  const pki = { root: material.root.der, issuing: material.issuing.der, time: benchTime }
  for (const [peer, start] of Object.entries(peers)) {
    if (peer === 'node-forge' && material.kind !== 'RSA-2048') continue
    run.say(`${name}: ${peer}`)
    const judge = start(pki)
    await checkJudge(run, `${name}: ${peer}`, judge, material)
    const count = run.size === 'full' ? 200 : 1
    await interleave([{ run: (i) => judge(warm[i] as Uint8Array) }], 0, count)
    const [all] = await interleave([{ run: (i) => judge(leaves[i] as Uint8Array) }], 0, count)
    times[peer] = median(all as number[])
  }
  if (run.size === 'check') return times
  run.say(`${name}: compiled peers`)
  const { forged } = material
  return { ...times, ...(await runCompiledPeers({ ...pki, leaves, forged }, 2, run.say)) }
}
