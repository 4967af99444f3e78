/** The JSON form: an array of entries, each checked field by field. @module */

import { unixSeconds } from '../base/time.ts'
import { makeClientAcl } from './client.ts'
import { type Acl, positions, type ReadEntry } from './compiled.ts'
import type { ClientDecider, decider, IssuerDecider } from './decider.ts'
import {
  type AclEffect,
  type AclPosition,
  type AnchorMatch,
  type ClientAclEntry,
  type ClientAclMatch,
  type IssuerAclEntry,
  type IssuerAclMatch,
  limits,
} from './entry.ts'
import { nameFact } from './facts.ts'
import { makeIssuerAcl } from './issuer.ts'
import { invalid, type Where, within } from './misuse.ts'
import {
  clientReaders,
  companions,
  digestFormat,
  type Fields,
  issuerReaders,
  type MatchReader,
  nameFormat,
  type ReadMatch,
  readField,
} from './readers.ts'

export interface IssuerAcl extends Acl<IssuerAclEntry> {
  readonly [decider]: IssuerDecider
}
export interface ClientAcl extends Acl<ClientAclEntry> {
  readonly [decider]: ClientDecider
}

/**
 * Reads an issuer ACL from JSON data: an array of {@link IssuerAclEntry}, `at` being `issuer` when left out. An empty
 * array is an ACL that allows nobody.
 *
 * @throws `TypeError` with `code: 'acl-invalid'`, `field` (such as `[3].match.dn`) and `expected`.
 * @example
 * const acl = issuerAclFromJson([{ effect: 'allow', match: { dn: 'CN=Example Issuing CA,O=Example' } }])
 * console.log(acl.entries[0]?.at) // issuer
 */
export function issuerAclFromJson(value: unknown): IssuerAcl {
  return makeIssuerAcl(readArray(value).map((one, i) => readIssuerEntry(one, { field: `[${i}]` })))
}

/**
 * As {@link issuerAclFromJson}, for what an ACL may say of a client.
 *
 * @example
 * const acl = clientAclFromJson([{ effect: 'allow', match: { sanDns: 'client-a.example' } }])
 * console.log(acl.entries.length) // 1
 */
export function clientAclFromJson(value: unknown): ClientAcl {
  return makeClientAcl(readArray(value).map((one, i) => readClientEntry(one, { field: `[${i}]` })))
}

export function readIssuerEntry(value: unknown, where: Where): ReadEntry<IssuerAclEntry> {
  const { at = 'issuer', ...rest } = readRecord(value, where)
  if (at !== 'issuer' && at !== 'path' && at !== 'anchor') {
    throw invalid(within(where, 'at'), 'issuer, path or anchor')
  }
  const position: AclPosition = at
  const read = readEntry<IssuerAclMatch>(rest, issuerReaders, where)
  const { effect, match, ...options } = read.entry
  const entry: IssuerAclEntry = Object.freeze({ effect, match, at: position, ...options })
  return { ...read, entry, position: positions[position] }
}

export function readClientEntry(value: unknown, where: Where): ReadEntry<ClientAclEntry> {
  const read = readEntry<ClientAclMatch>(readRecord(value, where), clientReaders, where)
  return { ...read, entry: Object.freeze(read.entry), position: positions.issuer }
}

function readEntry<M>(
  fields: Fields,
  readers: Readonly<Record<string, MatchReader<M>>>,
  where: Where,
): Omit<ReadEntry<PlainEntry<M>>, 'position'> {
  const { effect, match, under, expires, note, ...unknown } = fields
  refuseUnknown(unknown, where)
  if (effect !== 'allow' && effect !== 'deny') {
    throw invalid(within(where, 'effect'), 'allow or deny')
  }
  const { match: normal, matcher } = readMatch(match, effect, readers, within(where, 'match'))
  const anchor = under === undefined ? undefined : readUnder(under, within(where, 'under'))
  if (note !== undefined && (typeof note !== 'string' || /[\r\n]/.test(note))) {
    throw invalid(within(where, 'note'), 'a text of one line')
  }
  const entry: PlainEntry<M> = {
    effect,
    match: Object.freeze(normal),
    ...(anchor === undefined ? {} : { under: anchor.match }),
    ...(expires === undefined ? {} : { expires: readTime(expires, within(where, 'expires')) }),
    ...(note === undefined ? {} : { note }),
  }
  return { entry, matcher, under: anchor?.fact }
}

function readMatch<M>(
  value: unknown,
  effect: AclEffect,
  readers: Readonly<Record<string, MatchReader<M>>>,
  where: Where,
): ReadMatch<M> {
  const fields = readRecord(value, where)
  const names = Object.keys(fields)
  const kind = names.find((name) => Object.hasOwn(readers, name))
  const reader = kind === undefined ? undefined : readers[kind]
  if (kind === undefined || reader === undefined) {
    throw invalid(where, `one of ${Object.keys(readers).join(', ')}`)
  }
  const other = names.find((name) => name !== kind && !companions[kind]?.includes(name))
  if (other !== undefined) throw invalid(within(where, other), `nothing beside ${kind}`)
  return reader(fields, effect, where)
}

function readUnder(value: unknown, where: Where): { match: AnchorMatch; fact: string } {
  const { dn, spkiSha256, ...unknown } = readRecord(value, where)
  refuseUnknown(unknown, where)
  if ((dn === undefined) === (spkiSha256 === undefined)) {
    throw invalid(where, 'either dn or spkiSha256')
  }
  if (dn === undefined) {
    const digest = readField({ spkiSha256 }, 'spkiSha256', where, digestFormat)
    return { match: Object.freeze({ spkiSha256: digest }), fact: `spki:${digest}` }
  }
  const name = readField({ dn }, 'dn', where, nameFormat)
  return { match: Object.freeze({ dn: dn as string }), fact: nameFact(name) }
}

/** Unix seconds as a number, or a time of RFC 3339 in UTC as a text. */
function readTime(value: unknown, where: Where): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= lastSecond) {
    return value
  }
  const parts = typeof value === 'string' ? rfc3339.exec(value)?.slice(1).map(Number) : undefined
  const [year, month, day, hour, minute, second] = (parts ?? []) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const seconds =
    parts === undefined ? undefined : unixSeconds(year, month, day, hour, minute, second)
  if (seconds === undefined || seconds < 0) {
    throw invalid(where, 'Unix seconds, or a time in UTC such as 2027-12-31T23:59:59Z')
  }
  return seconds
}

function readArray(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid({ field: '' }, 'an array of entries')
  if (value.length > limits.entries) {
    throw invalid({ field: '' }, `at most ${limits.entries} entries`)
  }
  return Array.from(value as readonly unknown[])
}

function readRecord(value: unknown, where: Where): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(where, 'an object')
  }
  // What is undefined was left out. Only own fields count.
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined))
}

function refuseUnknown(fields: Fields, where: Where): void {
  const [unknown] = Object.keys(fields)
  if (unknown !== undefined) throw invalid(within(where, unknown), 'no field of this name')
}

interface PlainEntry<M> {
  readonly effect: AclEffect
  readonly match: M
  readonly under?: AnchorMatch
  readonly expires?: number
  readonly note?: string
}

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z$/
/** 9999-12-31T23:59:59Z */
const lastSecond = 253_402_300_799
