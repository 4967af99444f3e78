/** The name of a resource, which comes from the path: a body may repeat it, so that what was read can be written back. @module */

import type { Fields } from '../../policy/fields.ts'
import { invalidField } from './refusal.ts'

export function readSameName(fields: Fields, name: string): void {
  if (!isSame(fields.get('name'), name)) fields.problem('name', 'conflict', expected)
}

/** @throws Refusal `invalid`. */
export function demandSameName(given: unknown, name: string): void {
  if (!isSame(given, name)) throw invalidField('name', expected, 'conflict')
}

function isSame(given: unknown, name: string): boolean {
  return given === undefined || given === name
}

const expected = 'the name in the path, or none'
