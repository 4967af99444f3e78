/** The clients of the rows, issued once, and the first questions that every judge of them is asked. @module */

import type { KeyKind } from '../src/testing/index.ts'
import { benchTime, issueMaterial, type Material } from './material.ts'
import type { Judge } from './peers.ts'
import type { Run } from './row.ts'

export const call = { time: benchTime }

/** Certificates are issued once for all rows of a kind; whoever judges sees each once. */
export class Supply {
  readonly #material: Material
  #taken = warmLeaves

  constructor(material: Material) {
    this.#material = material
  }

  get material(): Material {
    return this.#material
  }

  /** The first leaves, over and over: what compiles the code. */
  get warm(): readonly Uint8Array[] {
    return this.#material.leaves.slice(0, warmLeaves)
  }

  /** Those after the ones taken last; from the beginning again when all were taken. */
  take(count: number): readonly Uint8Array[] {
    const { leaves } = this.#material
    if (this.#taken + count > leaves.length) this.#taken = warmLeaves
    const taken = leaves.slice(this.#taken, this.#taken + count)
    if (taken.length < count) throw new RangeError('too few leaves were issued')
    this.#taken += count
    return taken
  }
}

const supplies = new Map<KeyKind, Promise<Supply>>()

export function supplyOf(kind: KeyKind, run: Run): Promise<Supply> {
  let supply = supplies.get(kind)
  if (supply === undefined) {
    const count = warmLeaves + (run.size === 'full' ? 20 : 1) * leavesPerRow
    run.say(`issuing ${count} client certificates, ${kind}`)
    supply = issueMaterial(kind, count).then((material) => new Supply(material))
    supplies.set(kind, supply)
  }
  return supply
}

export function optionsOf({ subject }: Run, { root, issuing }: Material) {
  return {
    trustAnchors: subject.parseTrustAnchors(root.der),
    intermediates: subject.parseIntermediates(issuing.der),
  }
}

/** A fast wrong answer is no result. */
export async function checkJudge(
  run: Run,
  name: string,
  judge: Judge,
  { leaves, forged }: Material,
): Promise<void> {
  run.checked(`${name}: accepts`, (await judge(leaves[0] as Uint8Array)) === true)
  run.checked(`${name}: refuses a forged twin`, (await judge(forged)) === false)
}

export function countOf({ size }: Run): number {
  return size === 'full' ? leavesPerRow : 5
}

const warmLeaves = 400
export const leavesPerRow = 1000
