/** Host names, mailboxes and URI hosts, as name constraints and peer names compare them. @module */

/**
 * The host in lower case, without the dot that marks an absolute name.
 *
 * @returns `undefined` when a label is empty or over 63 characters, the whole over 253, or there is a character other than
 * letters, digits, hyphen, and the underscore that private names have.
 */
export function parseHostName(text: string): string | undefined {
  return hostName.test(text) && text.length <= maxHostLength ? relative(text) : undefined
}

/**
 * A dNSName of a certificate: a host name in whose labels `*` may stand, or the empty text, which is the root of the DNS.
 */
export function parsePresentedHost(text: string): string | undefined {
  if (text === '') return text
  return presentedHost.test(text) && text.length <= maxHostLength ? relative(text) : undefined
}

export interface Mailbox {
  /** Compared as it stands: only the receiving host knows whether case matters. RFC 5280 §7.5 */
  readonly local: string
  /** Lower case. */
  readonly host: string
}

/** A mailbox with an unquoted local part and a host name: what RFC 5280 §4.2.1.6 calls Mailbox, without its rare forms. */
export function parseMailbox(text: string): Mailbox | undefined {
  const at = text.indexOf('@')
  const local = text.slice(0, at)
  const host = text.slice(at + 1)
  if (at < 1 || at > maxLocalLength || !dotAtom.test(local) || host.endsWith('.')) return undefined
  const parsed = parseHostName(host)
  return parsed === undefined ? undefined : { local, host: parsed }
}

/** An SmtpUTF8Mailbox: its local part has a character outside ASCII, or it must not be one. RFC 9598 §3 */
export function parseInternationalMailbox(text: string): Mailbox | undefined {
  const at = text.lastIndexOf('@')
  const local = text.slice(0, at)
  const host = text.slice(at + 1)
  if (at < 1 || !internationalDotAtom.test(local) || !beyondAscii.test(local)) return undefined
  if (host.endsWith('.')) return undefined
  const parsed = parseHostName(host)
  return parsed === undefined ? undefined : { local: local.normalize('NFC'), host: parsed }
}

/**
 * The host of a URI with an authority. RFC 3986 §3.2
 *
 * @returns `undefined` when there is no authority, or its host is empty, an IP address or no host name: then RFC 5280 §4.2.1.10
 * has the certificate rejected under any URI constraint.
 */
export function parseUriHost(text: string): string | undefined {
  const authority = uriAuthority.exec(text)?.[1]
  if (authority === undefined) return undefined
  const host = parseHostName(authority)
  return host === undefined || endsInNumber(host) ? undefined : host
}

/** Whether the last label is a number, decimal or hexadecimal: programs read such a host as an IPv4 address. */
export function endsInNumber(host: string): boolean {
  return /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/.test(host)
}

function relative(text: string): string {
  return (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase()
}

// RFC 1035 §2.3.4; the dot of an absolute name comes on top.
const maxHostLength = 254
// RFC 5321 §4.5.3.1.1
const maxLocalLength = 64
const hostName: RegExp = /^[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?$/
const presentedHost: RegExp = /^[A-Za-z0-9_*-]{1,63}(?:\.[A-Za-z0-9_*-]{1,63})*\.?$/
// RFC 5322 §3.2.3
const dotAtom: RegExp = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/
// RFC 6531 §3.3 adds what is not ASCII; control and format characters are kept out.
const internationalDotAtom: RegExp =
  /^(?:[\w!#$%&'*+/=?^`{|}~-]|[^\0-\x7f\p{C}\p{Z}])+(?:\.(?:[\w!#$%&'*+/=?^`{|}~-]|[^\0-\x7f\p{C}\p{Z}])+)*$/u
const beyondAscii: RegExp = /[^\0-\x7f]/
const uriAuthority: RegExp =
  /^[A-Za-z][A-Za-z0-9+.-]*:\/\/(?:[\w.~!$&'()*+,;=:%-]*@)?([^/?#@:[\]]+)(?::[0-9]*)?(?:[/?#][!-~]*)?$/
