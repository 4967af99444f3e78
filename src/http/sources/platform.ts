/** Reading what a platform hands over beside the request. It is no stranger's, but a wrong type is still refused and never guessed at. @module */

import type { ForwardingFailure } from '../failure.ts'
import { maxCertificates, type ReadFailure } from '../headers/limits.ts'
import { type Unbelievable, unbelievable } from '../source.ts'

/** A field of the object's own, never a prototype's. */
export function member(parent: object, name: string): unknown {
  return Object.hasOwn(parent, name)
    ? (parent as Readonly<Record<string, unknown>>)[name]
    : undefined
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** JSON writers have `null` for what is not there. */
export function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null
}

/** @param field - Where in the platform's object, such as `cf.tlsClientAuth.certVerified`; it stands where headers have their name. */
export function missing(field: string): Unbelievable {
  return unbelievable({ code: 'header-missing', header: field })
}

export function malformed(field: string, expected: string): Unbelievable {
  return unbelievable({ code: 'header-malformed', header: field, expected })
}

/** What a reader of certificates could not read, as a failure of the header or field that it stood in. */
export function unread({ problem, expected }: ReadFailure, header: string): ForwardingFailure {
  if (problem === 'repeated') return { code: 'header-repeated', header }
  return problem === 'too-many'
    ? { code: 'header-too-many-certificates', header, maximum: maxCertificates }
    : { code: 'header-malformed', header, expected }
}
