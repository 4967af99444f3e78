/** Whether a certificate speaks for an expected peer: RFC 9525 §6, and RFC 5280 §4.2.1.6 for mailboxes. @module */

import { bytesEqual } from '../base/bytes.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { GeneralName } from '../x509/general-name.ts'
import { endsInNumber, parseHostName, parseMailbox } from './host-name.ts'
import { ipAddressText, parseIpAddress } from './ip-address.ts'

export interface PeerName {
  readonly kind: 'DNS' | 'IP' | 'RFC822'
  /** A host name in A-labels (a last dot is ignored), the text of an IPv4 or IPv6 address, or a mailbox. */
  readonly value: string
}

export interface PeerNameFailure {
  readonly code: 'peer-name-mismatch'
  readonly expected: readonly PeerName[]
  /** What the subjectAltName has of the kinds that are compared: the first 16, as `DNS:…`, `IP:…` or `RFC822:…`. */
  readonly present: readonly string[]
}

/**
 * Reports when no expected name, or not every one, is in the subjectAltName. The common name never counts.
 *
 * @param match - `any`: one is enough, as for a server that is reached under one of several names; `every`: all must be there.
 * An expected name that cannot be read matches nothing; expecting no name is met by none.
 */
export function checkPeerNames(
  certificate: Certificate,
  expected: readonly PeerName[],
  match: 'any' | 'every' = 'any',
): PeerNameFailure | undefined {
  const names = certificate.tbsCertificate.extensions.subjectAltName?.names ?? []
  const isPresent = (name: PeerName) => isPeerNamePresent(names, name)
  const met =
    match === 'any' ? expected.some(isPresent) : expected.length > 0 && expected.every(isPresent)
  return met ? undefined : { code: 'peer-name-mismatch', expected, present: describe(names) }
}

/** Whether `text` can be an expected name of `kind`; a caller's configuration is checked with this before it is used. */
export function isPeerNameReadable({ kind, value }: PeerName): boolean {
  switch (kind) {
    case 'DNS':
      return referenceHost(value) !== undefined
    case 'IP':
      return parseIpAddress(value) !== undefined
    case 'RFC822':
      return parseMailbox(value) !== undefined
  }
}

function isPeerNamePresent(names: readonly GeneralName[], { kind, value }: PeerName): boolean {
  switch (kind) {
    case 'DNS': {
      const host = referenceHost(value)
      return (
        host !== undefined &&
        names.some((name) => name.kind === 'dNSName' && isHostPresented(host, name.value))
      )
    }
    case 'IP': {
      const octets = parseIpAddress(value)
      return (
        octets !== undefined &&
        names.some((name) => name.kind === 'iPAddress' && bytesEqual(name.octets, octets))
      )
    }
    case 'RFC822': {
      const mailbox = parseMailbox(value)
      return (
        mailbox !== undefined &&
        names.some((name) => {
          const other = name.kind === 'rfc822Name' ? parseMailbox(name.value) : undefined
          return other?.local === mailbox.local && other.host === mailbox.host
        })
      )
    }
  }
}

/** A host name to compare with; never a wildcard, never what programs read as an IP address. */
function referenceHost(value: string): string | undefined {
  const host = parseHostName(value)
  return host === undefined || endsInNumber(host) ? undefined : host
}

/**
 * RFC 9525 §6.3: label by label without regard to case; a wildcard is the whole first label and stands for exactly one. What
 * follows it has two labels or more: `*` and `*.com` would speak for whole registries.
 */
function isHostPresented(host: string, presented: string): boolean {
  if (!presented.startsWith('*.')) return parseHostName(presented) === host
  const parent = parseHostName(presented.slice(2))
  const dot = host.indexOf('.')
  return parent !== undefined && dot > 0 && parent.includes('.') && host.slice(dot + 1) === parent
}

function describe(names: readonly GeneralName[]): readonly string[] {
  const texts: string[] = []
  for (const name of names) {
    if (texts.length === 16) break
    if (name.kind === 'dNSName') texts.push(`DNS:${name.value}`)
    else if (name.kind === 'iPAddress') texts.push(`IP:${ipAddressText(name.octets)}`)
    else if (name.kind === 'rfc822Name') texts.push(`RFC822:${name.value}`)
  }
  return texts
}
