/** What every source asks of its options. @module */

import { misuse } from '../../client/misuse.ts'

/** Refuses what is no object of options, and options that the source does not have: a slip of the pen must not loosen a rule. */
export function checkOptionNames(options: object, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw misuse('option-missing', 'a source needs options', { option: 'options' })
  }
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) {
      throw misuse('option-unknown', `there is no option ${name}`, { option: name })
    }
  }
}

export function checkFlag(option: string, value: boolean | undefined): void {
  if (value !== undefined && typeof value !== 'boolean') {
    throw misuse('option-invalid', `${option} must be true or false`, { option })
  }
}

export function checkOneOf<T extends string>(
  option: string,
  value: T | undefined,
  allowed: readonly T[],
): void {
  if (value === undefined || allowed.includes(value)) return
  throw misuse('option-invalid', `${option} must be ${allowed.join(' or ')}`, { option })
}
