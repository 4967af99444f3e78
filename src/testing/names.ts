/** Distinguished names and general names of the test PKI, from what a test writes to DER. @module */

import { asciiBytes, concatBytes } from '../base/bytes.ts'
import { writeElement, writeSequence, writeSetOf } from '../der/writer.ts'
import { constructed, oid, primitive, type StringType, string, utf8 } from './encode.ts'

/** One attribute: its type as a short name (`CN`) or dotted decimal, and the string type to write. */
export interface AttributeInput {
  readonly type: string
  readonly value: string
  /** Default: PrintableString for C and serialNumber, IA5String for DC and emailAddress, else UTF8String. */
  readonly as?: StringType
}

/**
 * A name as RFC 4514 §2 text when it starts like one (`CN=client-a,O=Example`), any other text becomes the CN; or a list in the
 * order of the encoding (the country first), where an inner list is one RDN of several attributes; or DER as it stands.
 */
export type NameInput = string | readonly RdnInput[] | Uint8Array

export type RdnInput = AttributeInput | readonly AttributeInput[]

/** What a subjectAltName or a name constraint may name. */
export type GeneralNameInput =
  | { readonly dns: string }
  | { readonly email: string }
  | { readonly uri: string }
  /** `10.0.0.1`, `2001:db8::1`; in a name constraint with a prefix length, `10.0.0.0/8`; or the octets. */
  | { readonly ip: string | Uint8Array }
  | { readonly directoryName: NameInput }
  | {
      readonly otherName: {
        readonly typeId: string /** One element. */
        readonly value: Uint8Array
      }
    }
  /** SmtpUTF8Mailbox, RFC 9598 §3 */
  | { readonly smtpUtf8: string }
  | { readonly registeredId: string }
  /** One element as it stands. */
  | { readonly der: Uint8Array }

/** Whose certificate or list it is: one distinguished name, or general names of any kind. */
export type NamesInput = NameInput | readonly GeneralNameInput[]

/** @returns The Name, tag and length included. */
export function encodeName(input: NameInput): Uint8Array {
  if (input instanceof Uint8Array) return input
  const rdns: readonly RdnInput[] = typeof input === 'string' ? parseName(input) : input
  return writeSequence(...rdns.map(encodeRdn))
}

/** @returns The SET, tag and length included. */
export function encodeRdn(rdn: RdnInput): Uint8Array {
  return writeSetOf(...('type' in rdn ? [rdn] : rdn).map(encodeAttribute))
}

/** @returns What stands inside GeneralNames. */
export function encodeGeneralNames(input: NamesInput): Uint8Array[] {
  return isGeneralNames(input)
    ? input.map(encodeGeneralName)
    : [encodeGeneralName({ directoryName: input })]
}

/** An empty list is an empty name. */
function isGeneralNames(input: NamesInput): input is readonly GeneralNameInput[] {
  if (typeof input === 'string' || input instanceof Uint8Array) return false
  const [first] = input
  return first !== undefined && !Array.isArray(first) && !('type' in first)
}

/** @returns The GeneralName, tag and length included. */
export function encodeGeneralName(input: GeneralNameInput): Uint8Array {
  if ('dns' in input) return primitive(2, asciiBytes(input.dns))
  if ('email' in input) return primitive(1, asciiBytes(input.email))
  if ('uri' in input) return primitive(6, asciiBytes(input.uri))
  if ('ip' in input) return primitive(7, ipOctets(input.ip))
  if ('directoryName' in input) return constructed(4, encodeName(input.directoryName))
  if ('otherName' in input) {
    return constructed(0, oid(input.otherName.typeId), constructed(0, input.otherName.value))
  }
  if ('smtpUtf8' in input) {
    return constructed(
      0,
      oid(smtpUtf8Mailbox),
      constructed(0, writeElement(0x0c, utf8(input.smtpUtf8))),
    )
  }
  if ('registeredId' in input) return primitive(8, oid(input.registeredId).subarray(2))
  return input.der
}

function encodeAttribute({ type, value, as }: AttributeInput): Uint8Array {
  const known = attributes[type]
  return writeSequence(oid(known ?? type), string(as ?? stringTypes[type] ?? 'UTF8String', value))
}

/** The simple half of RFC 4514 §3: attributes, `+`, backslash escapes; no hex strings. */
function parseName(text: string): readonly (readonly AttributeInput[])[] {
  if (!/^[A-Za-z0-9.]+=/.test(text)) return [[{ type: 'CN', value: text }]]
  const rdns = split(text, ',').map((rdn) =>
    split(rdn, '+').map((part): AttributeInput => {
      const equals = part.indexOf('=')
      if (equals < 1) throw new TypeError(`not an attribute: ${part}`)
      return {
        type: part.slice(0, equals).trim(),
        value: part
          .slice(equals + 1)
          .trim()
          .replace(/\\(.)/g, '$1'),
      }
    }),
  )
  return rdns.reverse()
}

/** At each unescaped separator. */
function split(text: string, separator: string): string[] {
  const parts: string[] = []
  let part = ''
  for (let i = 0; i < text.length; i++) {
    const letter = text.charAt(i)
    if (letter === separator) {
      parts.push(part)
      part = ''
    } else part += letter === '\\' ? letter + text.charAt(++i) : letter
  }
  return [...parts, part]
}

function ipOctets(ip: string | Uint8Array): Uint8Array {
  if (ip instanceof Uint8Array) return ip
  const [address = '', prefix] = ip.split('/')
  const octets = address.includes(':')
    ? ipv6(address)
    : Uint8Array.from(address.split('.').map(Number))
  if (prefix === undefined) return octets
  const mask = octets.map(
    (_, i) => (0xff00 >> Math.min(8, Math.max(0, Number(prefix) - 8 * i))) & 0xff,
  )
  return concatBytes(octets, mask)
}

function ipv6(address: string): Uint8Array {
  const [head = '', tail] = address.split('::')
  const groups = (text: string) =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  const all = [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right]
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]))
}

const smtpUtf8Mailbox = '1.3.6.1.5.5.7.8.9'

const attributes: { readonly [name: string]: string } = {
  CN: '2.5.4.3',
  SN: '2.5.4.4',
  serialNumber: '2.5.4.5',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  STREET: '2.5.4.9',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  title: '2.5.4.12',
  GN: '2.5.4.42',
  UID: '0.9.2342.19200300.100.1.1',
  DC: '0.9.2342.19200300.100.1.25',
  emailAddress: '1.2.840.113549.1.9.1',
}

const stringTypes: { readonly [name: string]: StringType } = {
  C: 'PrintableString',
  serialNumber: 'PrintableString',
  DC: 'IA5String',
  emailAddress: 'IA5String',
}
