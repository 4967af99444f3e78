/** A validator for many clients under one configuration, with a bounded cache of verdicts. @module */

import { bytesEqual } from '../base/bytes.ts'
import type { PresentedSource } from '../client/certificate-source.ts'
import type { Failure } from '../client/failure.ts'
import { misuse } from '../client/misuse.ts'
import {
  type Live,
  type Prepared,
  prepareOptions,
  secondsOf,
  type ValidateOptions,
} from '../client/options.ts'
import { validateSteps } from '../client/validate.ts'
import type { Verdict } from '../client/verdict.ts'
import type { Steps } from '../effect/effect.ts'
import { now } from './clock.ts'

/** Options of all calls; the time is each call's own. */
export type ValidatorOptions = WithoutTime<ValidateOptions>

/** Of each member of the union by itself: what only some of them have is an option, too. */
type WithoutTime<O> = O extends unknown ? Omit<O, 'time'> : never

export interface ValidatorCapacity {
  /** Verdicts that are kept; 0 keeps none. Default 10,000: with usual certificates some 70 MB when full. */
  readonly verdicts?: number
}

export interface CallOptions {
  /** Absent: now. */
  readonly time?: Date | undefined
}

/**
 * The part that a sync and an async validator share. A verdict is kept under every octet that was presented, and only while the clock
 * is within its `[validFrom, validUntil]`; a refusal only when neither time nor new input could mend it. Replacing the
 * options forgets everything, and so does a change of a list among them.
 */
export class VerdictCache {
  readonly #check: (prepared: Prepared) => void
  #prepared: Prepared
  /** Of each part of the options that changes between calls, when the entries were made. */
  #epochs: readonly number[]
  readonly #capacity: number
  #entries = new Map<string, Entry>()

  /** @param check - Throws on options that this kind of validator does not take. */
  constructor(
    options: ValidatorOptions,
    capacity: ValidatorCapacity,
    check: (prepared: Prepared) => void = () => {},
  ) {
    refuseOthers(capacity, 'verdicts')
    const { verdicts = 10_000 } = capacity
    this.#check = check
    this.#prepared = this.#prepare(options)
    this.#epochs = epochsOf(this.#prepared)
    if (!Number.isInteger(verdicts) || verdicts < 0) {
      throw misuse('option-invalid', 'verdicts must be a whole number from 0', {
        option: 'verdicts',
      })
    }
    this.#capacity = verdicts
  }

  /** Puts other options in force, atomically: calls that have begun end under the old ones, and are not remembered. */
  update(options: ValidatorOptions): void {
    this.#prepared = this.#prepare(options)
    this.#forget()
  }

  /** How many verdicts are kept now. */
  get size(): number {
    this.#keepUp()
    return this.#entries.size
  }

  /** What is known, or the steps to find out. */
  look(source: PresentedSource, call: CallOptions = {}): Known | Unknown {
    refuseOthers(call, 'time')
    const { time = now() } = call
    const seconds = secondsOf(time)
    this.#keepUp()
    const key = this.#capacity === 0 ? undefined : keyOf(source)
    if (key !== undefined) {
      const entry = this.#entries.get(key)
      if (
        entry !== undefined &&
        entry.from <= seconds &&
        seconds <= entry.until &&
        isSame(entry.own, source)
      ) {
        // Map keeps the order of insertion: what is used moves to the end, what is not falls off the front.
        this.#entries.delete(key)
        this.#entries.set(key, entry)
        return { verdict: entry.verdict }
      }
    }
    const entries = this.#entries
    // What a kept verdict shows must be the octets that were judged, not what the caller's buffer holds by then.
    const own = key === undefined ? source : copyOf(source)
    return {
      steps: validateSteps(own, this.#prepared, seconds),
      remember: (verdict) => {
        const period = periodOf(verdict)
        this.#keepUp()
        if (key === undefined || entries !== this.#entries || period === undefined) return
        if (entries.size >= this.#capacity) entries.delete(entries.keys().next().value as string)
        entries.set(key, { verdict, own: shared(own, verdict), ...period })
      },
    }
  }

  #prepare(options: ValidatorOptions): Prepared {
    const prepared = prepareTimeless(options as ValidateOptions)
    this.#check(prepared)
    return prepared
  }

  /** Forgets everything once a list has changed; calls that have begun before are not remembered then. */
  #keepUp(): void {
    const { live } = this.#prepared
    for (let i = 0; i < live.length; i++) {
      if ((live[i] as Live).epoch !== this.#epochs[i]) {
        this.#forget()
        return
      }
    }
  }

  #forget(): void {
    this.#epochs = epochsOf(this.#prepared)
    this.#entries = new Map()
  }
}

function epochsOf({ live }: Prepared): readonly number[] {
  return live.map(({ epoch }) => epoch)
}

/** A time for all calls would be passed over: the clock is each call's own. */
function prepareTimeless(options: ValidateOptions): Prepared {
  const prepared = prepareOptions(options)
  if (options.time === undefined) return prepared
  throw misuse('options-conflict', 'time is an option of each call', { option: 'time' })
}

interface Known {
  readonly verdict: Verdict
}
interface Unknown {
  readonly verdict?: undefined
  readonly steps: Steps<Verdict>
  readonly remember: (verdict: Verdict) => void
}

interface Entry {
  readonly verdict: Verdict
  readonly from: number
  readonly until: number
  /** What was judged, to be compared octet for octet. */
  readonly own: PresentedSource
}

/** A misspelt field would be taken for an absent one. */
function refuseOthers(fields: object, only: string): void {
  for (const name of Object.keys(fields)) {
    if (name !== only) {
      throw misuse('option-unknown', `unknown option: ${name} (did you mean ${only}?)`, {
        option: name,
      })
    }
  }
}

function periodOf(verdict: Verdict): { readonly from: number; readonly until: number } | undefined {
  if (verdict.ok && verdict.verified) {
    return { from: verdict.validFrom.getTime() / 1000, until: verdict.validUntil.getTime() / 1000 }
  }
  return !verdict.ok && isLasting(verdict.failure)
    ? { from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY }
    : undefined
}

/** Whether it refuses the target's own octets: what no reader takes (`ParseFailure` has an offset) no clock, path or list mends. */
function isLasting(failure: Failure): boolean {
  // That nothing was given says nothing about octets.
  return (
    'offset' in failure || (failure.code.startsWith('input-') && failure.code !== 'input-empty')
  )
}

/** A short key that nearly always tells inputs apart; the whole input is compared before a verdict is given. */
function keyOf(source: PresentedSource): string | undefined {
  if (typeof source === 'string') return source
  if (source instanceof Uint8Array) return tail(source)
  if (!Array.isArray(source)) return undefined
  let key = ''
  for (const part of source) {
    if (!(part instanceof Uint8Array)) return undefined
    key += `${tail(part)} `
  }
  return key
}

/** The end of a certificate is its signature. Two octets in a code unit: so short a text an engine keeps in one piece. */
function tail(bytes: Uint8Array): string {
  let key = `${bytes.length}:`
  for (let i = Math.max(1, bytes.length - 15); i < bytes.length; i += 2) {
    key += String.fromCharCode((bytes[i - 1] as number) * 256 + (bytes[i] as number))
  }
  return key
}

/** Copies what the caller may overwrite: a text, octets, or a list of octets. */
function copyOf(source: PresentedSource): PresentedSource {
  if (typeof source === 'string') return source
  if (source instanceof Uint8Array) return new Uint8Array(source)
  return (source as readonly Uint8Array[]).map((part) => new Uint8Array(part))
}

/** The same octets as `own`, where the verdict has them those of its certificates: an entry needs no second copy. */
function shared(own: PresentedSource, verdict: Verdict): PresentedSource {
  if (!verdict.ok || !verdict.verified) return own
  const share = (part: Uint8Array): Uint8Array =>
    verdict.path.find(({ der }) => bytesEqual(der, part))?.der ?? part
  if (own instanceof Uint8Array) return share(own)
  return Array.isArray(own) ? (own as readonly Uint8Array[]).map(share) : own
}

function isSame(own: PresentedSource, other: PresentedSource): boolean {
  if (typeof own === 'string') return other === own
  if (own instanceof Uint8Array) return other instanceof Uint8Array && bytesEqual(own, other)
  const parts = own as readonly Uint8Array[]
  return (
    Array.isArray(other) &&
    other.length === parts.length &&
    parts.every((part, index) => bytesEqual(part, other[index] as Uint8Array))
  )
}
