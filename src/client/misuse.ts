/** A caller's nonsense, which throws; what a client sends never does. @module */

export interface Misuse extends TypeError {
  readonly code: MisuseCode
  /** The failure of the bytes, where bytes are to blame. */
  readonly failure?: unknown
}

export type MisuseCode =
  | 'trust-anchors-missing'
  | 'trust-anchor-unreadable'
  | 'intermediates-unreadable'
  | 'option-unknown'
  | 'option-invalid'
  | 'option-missing'
  | 'options-conflict'

export function misuse(code: MisuseCode, message: string, facts: object = {}): Misuse {
  return Object.assign(new TypeError(message), { code, ...facts }) as Misuse
}
