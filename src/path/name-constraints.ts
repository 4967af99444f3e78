/** Name constraints: RFC 5280 §4.2.1.10, applied at RFC 5280 §6.1.3 (b)(c) and RFC 5280 §6.1.4 (g). @module */

import type { Certificate } from '../x509/certificate.ts'
import type { NameConstraints } from '../x509/extensions.ts'
import type { GeneralName, GeneralSubtree } from '../x509/general-name.ts'
import type { AttributeTypeAndValue, Name } from '../x509/name.ts'
import { nameKey } from '../x509/name-match.ts'
import { formatName } from '../x509/name-text.ts'
import {
  attributeText,
  checkAttributeValue,
  tagIA5String,
  tagUtf8String,
} from '../x509/name-value.ts'
import {
  type Mailbox,
  parseHostName,
  parseInternationalMailbox,
  parseMailbox,
  parsePresentedHost,
  parseUriHost,
} from './host-name.ts'
import { ipAddressText } from './ip-address.ts'
import type { Profile } from './profile.ts'

export type NameForm = GeneralName['kind']

export type NameConstraintFailure =
  | {
      readonly code: 'name-not-permitted'
      readonly form: NameForm
      readonly name: string
      /** The permitted subtrees of one certificate that the name is in none of: the first 16. */
      readonly subtrees: readonly string[]
    }
  | {
      readonly code: 'name-excluded'
      readonly form: NameForm
      readonly name: string
      readonly subtree: string
    }
  /** A name of a form that is constrained, but whose constraints we cannot process. */
  | { readonly code: 'name-form-unsupported'; readonly form: NameForm }
  /** A name that is no host name, mailbox or URI with a host, while names of its form are constrained. */
  | { readonly code: 'name-malformed'; readonly form: NameForm; readonly name: string }
  | {
      readonly code: 'name-constraint-malformed'
      readonly form: NameForm
      readonly subtree: string
    }
  | { readonly code: 'budget-exhausted'; readonly of: 'name-comparisons' }

/**
 * permitted_subtrees and excluded_subtrees of RFC 5280 §6.1.2 (b)(c). It belongs to one path and grows with it: never share it.
 */
export interface NameConstraintsState {
  /** By form: one set for each certificate that permits; a name must be in a subtree of every set. */
  readonly permitted: Map<NameForm, Subtree[][]>
  readonly excluded: Map<NameForm, Subtree[]>
}

/** Nothing constrained. The initial subtrees of RFC 5280 §6.1.1 (h)(i) are applied like any other. */
export function initialNameConstraints(): NameConstraintsState {
  return { permitted: new Map(), excluded: new Map() }
}

/**
 * Narrows `state` by the constraints of one CA certificate or trust anchor, critical or not. RFC 5280 §6.1.4 (g)
 *
 * @param profile - `rfc5280` refuses a malformed subtree at once, `interoperable` when a name of its form comes along.
 */
export function applyNameConstraints(
  state: NameConstraintsState,
  constraints: NameConstraints,
  profile: Profile,
): NameConstraintFailure | undefined {
  const permitted = new Map<NameForm, Subtree[]>()
  for (const subtree of constraints.permittedSubtrees ?? []) {
    const failure = addSubtree(permitted, subtree, 'permitted', profile)
    if (failure !== undefined) return failure
  }
  for (const [form, set] of permitted) {
    const sets = state.permitted.get(form)
    if (sets === undefined) state.permitted.set(form, [set])
    else sets.push(set)
  }
  for (const subtree of constraints.excludedSubtrees ?? []) {
    const failure = addSubtree(state.excluded, subtree, 'excluded', profile)
    if (failure !== undefined) return failure
  }
  return undefined
}

/**
 * Reports why the names of `certificate` do not fit. RFC 5280 §6.1.3 (b)(c); whether a self-issued certificate is exempt is the
 * caller's to know.
 *
 * @param budget - Comparisons of a name with a subtree that are left. Counted before they are made, so that 2048 names under
 * 2048 constraints end at once.
 */
export function checkNameConstraints(
  state: NameConstraintsState,
  certificate: Certificate,
  budget: { nameComparisons: number },
): NameConstraintFailure | undefined {
  if (state.permitted.size === 0 && state.excluded.size === 0) return undefined
  const { subject, extensions } = certificate.tbsCertificate
  if (subject.rdns.length > 0 && isConstrained(state, 'directoryName')) {
    const failure = checkPresented(state, presentDirectoryName(subject), budget)
    if (failure !== undefined) return failure
  }
  const mailboxesConstrained = isConstrained(state, 'rfc822Name')
  for (const name of extensions.subjectAltName?.names ?? []) {
    const failure = checkGeneralName(state, name, mailboxesConstrained, budget)
    if (failure !== undefined) return failure
  }
  // RFC 5280 §4.2.1.10 asks for this when there is no subjectAltName at all; one must not be a way around, whatever it holds.
  return mailboxesConstrained ? checkSubjectMailboxes(state, subject, budget) : undefined
}

function isConstrained(state: NameConstraintsState, form: NameForm): boolean {
  return state.permitted.has(form) || state.excluded.has(form)
}

/** A subtree, made ready to be compared many times. */
type Subtree = { readonly text: string } & (
  | { readonly kind: 'everything' | 'nothing' | 'malformed' | 'unsupported' }
  /** `exact`: this host; `within`: it and all below; `below`: all below. */
  | { readonly kind: 'host'; readonly host: string; readonly reach: 'exact' | 'within' | 'below' }
  | ({ readonly kind: 'mailbox' } & Mailbox)
  | { readonly kind: 'address'; readonly address: Uint8Array; readonly mask: Uint8Array }
  | { readonly kind: 'directory'; readonly key: string }
)

/** A name of a certificate, made ready likewise. */
type Presented = { readonly form: NameForm; readonly text: () => string } & (
  | { readonly kind: 'host'; readonly host: string }
  | ({ readonly kind: 'mailbox'; readonly inSubject: boolean } & Mailbox)
  | { readonly kind: 'address'; readonly address: Uint8Array }
  | { readonly kind: 'directory'; readonly key: string }
)

function addSubtree(
  subtrees: Map<NameForm, Subtree[]>,
  { base }: GeneralSubtree,
  list: 'permitted' | 'excluded',
  profile: Profile,
): NameConstraintFailure | undefined {
  const subtree = compileSubtree(base, list, profile)
  // An address range with holes could be read in two ways; no profile guesses.
  if (subtree.kind === 'malformed' && (profile === 'rfc5280' || base.kind === 'iPAddress')) {
    return { code: 'name-constraint-malformed', form: base.kind, subtree: subtree.text }
  }
  const same = subtrees.get(base.kind)
  if (same === undefined) subtrees.set(base.kind, [subtree])
  else same.push(subtree)
  return undefined
}

function compileSubtree(
  base: GeneralName,
  list: 'permitted' | 'excluded',
  profile: Profile,
): Subtree {
  switch (base.kind) {
    case 'dNSName':
      return compileDnsSubtree(base.value, profile)
    case 'rfc822Name':
      return compileMailboxSubtree(base.value, list)
    case 'uniformResourceIdentifier':
      return compileHostSubtree(base.value, list)
    case 'iPAddress':
      return compileAddressSubtree(base.octets)
    case 'directoryName':
      return { kind: 'directory', text: formatName(base.name), key: nameKey(base.name) }
    default:
      return { kind: 'unsupported', text: base.kind }
  }
}

function compileDnsSubtree(text: string, profile: Profile): Subtree {
  if (text === '') return { kind: 'everything', text }
  if (text.startsWith('.')) {
    // RFC 5280 §4.2.1.10 gives a leading period to URIs only. Where it is read for DNS names, it means subdomains.
    const host = profile === 'rfc5280' ? undefined : parseHostName(text.slice(1))
    if (host !== undefined) return { kind: 'host', text, host, reach: 'below' }
    return { kind: 'malformed', text }
  }
  const host = parseHostName(text)
  return host === undefined
    ? { kind: 'malformed', text }
    : { kind: 'host', text, host, reach: 'within' }
}

function compileMailboxSubtree(text: string, list: 'permitted' | 'excluded'): Subtree {
  if (!text.includes('@')) return compileHostSubtree(text, list)
  const mailbox = parseMailbox(text)
  return mailbox === undefined ? { kind: 'malformed', text } : { kind: 'mailbox', text, ...mailbox }
}

/** A host, or with a leading period all below it. Empty, which is not defined, it is read so that it only forbids. */
function compileHostSubtree(text: string, list: 'permitted' | 'excluded'): Subtree {
  if (text === '') return { kind: list === 'permitted' ? 'nothing' : 'everything', text }
  const below = text.startsWith('.')
  const host = parseHostName(below ? text.slice(1) : text)
  if (host === undefined) return { kind: 'malformed', text }
  return { kind: 'host', text, host, reach: below ? 'below' : 'exact' }
}

function compileAddressSubtree(octets: Uint8Array): Subtree {
  const text = ipAddressText(octets)
  const half = octets.length / 2
  const mask = octets.subarray(half)
  if ((half !== 4 && half !== 16) || !isContiguous(mask)) return { kind: 'malformed', text }
  return { kind: 'address', text, address: octets.subarray(0, half), mask }
}

/** Ones, then zeros. RFC 4632 §3.1 */
function isContiguous(mask: Uint8Array): boolean {
  let ended = false
  for (const octet of mask) {
    const zeros = ~octet & 0xff
    if (ended ? octet !== 0 : (zeros & (zeros + 1)) !== 0) return false
    if (zeros !== 0) ended = true
  }
  return true
}

function isMailbox(name: GeneralName): boolean {
  return (
    name.kind === 'rfc822Name' || (name.kind === 'otherName' && name.typeId === smtpUtf8Mailbox)
  )
}

function checkGeneralName(
  state: NameConstraintsState,
  name: GeneralName,
  mailboxesConstrained: boolean,
  budget: { nameComparisons: number },
): NameConstraintFailure | undefined {
  if (isConstrained(state, name.kind)) {
    const presented = present(name)
    if ('code' in presented) return presented
    return checkPresented(state, presented, budget)
  }
  if (mailboxesConstrained && isMailbox(name) && name.kind === 'otherName') {
    // RFC 9598 §6: constraints on rfc822Name hold for these too.
    const presented = presentInternationalMailbox(name.value)
    if ('code' in presented) return presented
    return checkPresented(state, presented, budget)
  }
  return undefined
}

function checkSubjectMailboxes(
  state: NameConstraintsState,
  subject: Name,
  budget: { nameComparisons: number },
): NameConstraintFailure | undefined {
  for (const rdn of subject.rdns) {
    for (const attribute of rdn) {
      if (attribute.type !== emailAddress) continue
      const presented = presentSubjectMailbox(attribute)
      if ('code' in presented) return presented
      const failure = checkPresented(state, presented, budget)
      if (failure !== undefined) return failure
    }
  }
  return undefined
}

function present(name: GeneralName): Presented | NameConstraintFailure {
  switch (name.kind) {
    case 'dNSName':
      return presentHost(name.kind, name.value, parsePresentedHost(name.value))
    case 'uniformResourceIdentifier':
      return presentHost(name.kind, name.value, parseUriHost(name.value))
    case 'rfc822Name':
      return presentMailbox(name.value, parseMailbox(name.value))
    case 'iPAddress': {
      const { octets } = name
      if (octets.length !== 4 && octets.length !== 16) {
        return { code: 'name-malformed', form: name.kind, name: ipAddressText(octets) }
      }
      return {
        kind: 'address',
        form: name.kind,
        text: () => ipAddressText(octets),
        address: octets,
      }
    }
    case 'directoryName':
      return presentDirectoryName(name.name)
    default:
      return { code: 'name-form-unsupported', form: name.kind }
  }
}

function presentHost(
  form: NameForm,
  text: string,
  host: string | undefined,
): Presented | NameConstraintFailure {
  if (host === undefined) return { code: 'name-malformed', form, name: text }
  return { kind: 'host', form, text: () => text, host }
}

function presentMailbox(
  text: string,
  mailbox: Mailbox | undefined,
  inSubject = false,
): Presented | NameConstraintFailure {
  const form = 'rfc822Name'
  if (mailbox === undefined) return { code: 'name-malformed', form, name: text }
  return { kind: 'mailbox', form, text: () => text, inSubject, ...mailbox }
}

function presentInternationalMailbox(element: Uint8Array): Presented | NameConstraintFailure {
  const text = utf8StringText(element)
  if (text === undefined) return { code: 'name-malformed', form: 'otherName', name: '' }
  return presentMailbox(text, parseInternationalMailbox(text))
}

function presentSubjectMailbox(
  attribute: AttributeTypeAndValue,
): Presented | NameConstraintFailure {
  const text = attributeText(attribute)
  const mailbox = attribute.tag === tagIA5String ? parseMailbox(text) : undefined
  return presentMailbox(text, mailbox, true)
}

function presentDirectoryName(name: Name): Presented {
  return {
    kind: 'directory',
    form: 'directoryName',
    text: () => formatName(name),
    key: nameKey(name),
  }
}

function checkPresented(
  state: NameConstraintsState,
  name: Presented,
  budget: { nameComparisons: number },
): NameConstraintFailure | undefined {
  const { form } = name
  const permitted = state.permitted.get(form) ?? none
  const excluded = state.excluded.get(form) ?? none
  budget.nameComparisons -= excluded.length
  for (const set of permitted) budget.nameComparisons -= set.length
  if (budget.nameComparisons < 0) return { code: 'budget-exhausted', of: 'name-comparisons' }
  for (const subtree of excluded) {
    if (subtree.kind === 'malformed') return malformed(form, subtree)
    if (touches(name, subtree)) {
      return { code: 'name-excluded', form, name: name.text(), subtree: subtree.text }
    }
  }
  for (const set of permitted) {
    let inside = false
    for (const subtree of set) {
      if (subtree.kind === 'malformed') return malformed(form, subtree)
      if (!inside && isWithin(name, subtree)) inside = true
    }
    if (!inside) {
      const subtrees = set.slice(0, 16).map((subtree) => subtree.text)
      return { code: 'name-not-permitted', form, name: name.text(), subtrees }
    }
  }
  return undefined
}

function malformed(form: NameForm, subtree: Subtree): NameConstraintFailure {
  return { code: 'name-constraint-malformed', form, subtree: subtree.text }
}

/** Whether all that `name` stands for lies in `subtree`. */
function isWithin(name: Presented, subtree: Subtree): boolean {
  if (subtree.kind === 'everything') return true
  switch (name.kind) {
    case 'host':
      return subtree.kind === 'host' && isHostWithin(name.host, subtree)
    case 'mailbox':
      if (subtree.kind === 'host') return isHostWithin(name.host, subtree)
      return (
        subtree.kind === 'mailbox' && name.local === subtree.local && name.host === subtree.host
      )
    case 'address':
      return subtree.kind === 'address' && isAddressWithin(name.address, subtree)
    case 'directory':
      return subtree.kind === 'directory' && name.key.startsWith(subtree.key)
  }
}

/** Whether anything that `name` stands for lies in `subtree`: more than `isWithin` for two kinds of names. */
function touches(name: Presented, subtree: Subtree): boolean {
  if (isWithin(name, subtree)) return true
  if (name.kind === 'mailbox') {
    // As an attribute it is matched without regard to case (RFC 5280 §4.1.2.6): another case must not escape an exclusion.
    return (
      name.inSubject &&
      subtree.kind === 'mailbox' &&
      name.host === subtree.host &&
      name.local.toLowerCase() === subtree.local.toLowerCase()
    )
  }
  if (name.form !== 'dNSName' || name.kind !== 'host' || subtree.kind !== 'host') return false
  if (name.host[0] !== '*' || (name.host.length > 1 && name.host[1] !== '.')) return false
  // The wildcard is one label: it may be the first one of the subtree's host (CVE-2025-61727).
  const dot = subtree.host.indexOf('.')
  const parent = dot < 0 ? '' : subtree.host.slice(dot + 1)
  return subtree.reach !== 'below' && parent === name.host.slice(2)
}

function isHostWithin(host: string, subtree: Extract<Subtree, { kind: 'host' }>): boolean {
  if (host.length === subtree.host.length) return subtree.reach !== 'below' && host === subtree.host
  return (
    subtree.reach !== 'exact' &&
    host.endsWith(subtree.host) &&
    host[host.length - subtree.host.length - 1] === '.'
  )
}

function isAddressWithin(
  address: Uint8Array,
  subtree: Extract<Subtree, { kind: 'address' }>,
): boolean {
  if (address.length !== subtree.address.length) return false
  for (let i = 0; i < address.length; i++) {
    const difference = (address[i] as number) ^ (subtree.address[i] as number)
    if ((difference & (subtree.mask[i] as number)) !== 0) return false
  }
  return true
}

/** The text of a DER UTF8String, or `undefined` when `element` is none. */
function utf8StringText(element: Uint8Array): string | undefined {
  // The reader saw one whole element: only the width of its length is left to know.
  const first = element[1] as number
  const value = element.subarray(first < 0x80 ? 2 : first - 0x80 + 2)
  if (element[0] !== tagUtf8String || !checkAttributeValue(tagUtf8String, value)) return undefined
  return attributeText({ type: smtpUtf8Mailbox, tag: tagUtf8String, value })
}

const none: readonly never[] = []
const smtpUtf8Mailbox = '1.3.6.1.5.5.7.8.9'
const emailAddress = '1.2.840.113549.1.9.1'
