/** What a kill list is to a validation. Who has none need not load how its entries are read. @module */

import type { Steps } from '../effect/effect.ts'
import type { Refusal } from '../path/build.ts'
import type { ValidatedPath } from '../path/complete.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { KillListEntry } from './kill-list-entry.ts'

/** `index` is the position in the path: 0 is the target, the anchor comes last. */
export type KillFailure =
  /** An entry names the certificate, or the key that it holds. */
  | { readonly code: 'certificate-killed'; readonly index: number; readonly entry: KillListEntry }
  /** An entry names the CA at `index`, and with it every certificate below. */
  | { readonly code: 'issuer-killed'; readonly index: number; readonly entry: KillListEntry }

/** One validation's questions to the list, which may change meanwhile. */
export interface KillQuestions {
  /** Unix seconds: before that, an entry counted whose time is over. */
  readonly from: number
  /** Whether there is nothing to look up. */
  readonly isIdle: boolean
  /** Whether the list has changed since the target was looked up. */
  readonly isOutdated: boolean
  /** What can be said before a path is known: by the target's octets and key, and by the issuer that it claims. */
  target(target: Certificate): Steps<KillFailure | undefined>
  /** Every CA of the path, the anchor included; and the target in what takes its issuer's key, or is new. */
  path(path: ValidatedPath): Steps<Refusal<KillFailure> | undefined>
}

/** Only `KillList` is one. */
export abstract class KillLists {
  readonly #isOne = true

  /** Grows with each change. */
  abstract readonly epoch: number

  /** For one validation, at `time` in Unix seconds. */
  abstract ask(time: number): KillQuestions

  static isOne(value: unknown): value is KillLists {
    return typeof value === 'object' && value !== null && #isOne in value
  }
}
