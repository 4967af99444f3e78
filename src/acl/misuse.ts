/** What a configuration that is no ACL throws. @module */

/** Where in the configuration; `field` is a path such as `[3].match.dn`, `line` counts from 1. */
export interface Where {
  readonly line?: number
  readonly field: string
}

/** A `TypeError` with `code: 'acl-invalid'`, `field`, what was `expected`, and `line` when the text form was read. */
export interface AclInvalid extends TypeError {
  readonly code: 'acl-invalid'
  readonly line?: number
  readonly field: string
  readonly expected: string
}

export function invalid(where: Where, expected: string): AclInvalid {
  const place = where.line === undefined ? '' : ` line ${where.line}`
  const field = where.field === '' ? '' : ` ${where.field}`
  return Object.assign(new TypeError(`ACL${place}${field}: expected ${expected}`), {
    code: 'acl-invalid' as const,
    ...where,
    expected,
  })
}

export function within(where: Where, name: string | number): Where {
  const field =
    typeof name === 'number'
      ? `${where.field}[${name}]`
      : where.field === ''
        ? name
        : `${where.field}.${name}`
  return { ...where, field }
}
