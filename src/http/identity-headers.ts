/**
 * Headers that tell an application behind this one who the client is. They are taken away from every request, refused or not, because
 * a client may send them itself; what is set comes from a validated path alone.
 *
 * @module
 */

import { encodeBase64 } from '../base/base64.ts'
import { misuse } from '../client/misuse.ts'
import type { Verified } from '../client/verdict.ts'
import type { Decision } from './decision.ts'

/** Name of a header → what it says. */
export interface IdentityHeaders {
  readonly [header: string]: IdentityField
}

export type IdentityField = keyof typeof fields

/** Of a client that was let in and identified; `undefined`: it has none. */
const fields = {
  /** RFC 4514 text. */
  subject: ({ identity }: Verified): string => escaped(identity.subject),
  issuer: ({ identity }: Verified): string => escaped(identity.issuer.name),
  serialNumber: ({ identity }: Verified): string => identity.serialNumber,
  fingerprint: ({ identity }: Verified): string => identity.fingerprint,
  spkiSha256: ({ identity }: Verified): string => identity.spkiSha256,
  spiffeId: ({ identity }: Verified): string | undefined => identity.spiffeId,
  /** Separated by commas. */
  dnsNames: (verdict: Verified): string | undefined => namesOf(verdict, 'dNSName'),
  emails: (verdict: Verified): string | undefined => namesOf(verdict, 'rfc822Name'),
  uris: (verdict: Verified): string | undefined => namesOf(verdict, 'uniformResourceIdentifier'),
  /** As in `Client-Cert`: RFC 9440 §2.2. */
  certificate: ({ path }: Verified): string | undefined => path[0] && binary(path[0].der),
  /** As in `Client-Cert-Chain`: RFC 9440 §2.3, the validated path without the client's own and without the anchor. */
  chain: ({ path }: Verified): string | undefined =>
    path.length < 2
      ? undefined
      : path
          .slice(1)
          .map(({ der }) => binary(der))
          .join(', '),
}

export const identityFields: readonly [IdentityField, ...IdentityField[]] = Object.keys(fields) as [
  IdentityField,
  ...IdentityField[],
]

function binary(octets: Uint8Array): string {
  return `:${encodeBase64(octets)}:`
}

function namesOf(
  { identity }: Verified,
  kind: 'dNSName' | 'rfc822Name' | 'uniformResourceIdentifier',
): string | undefined {
  const names = identity.subjectAltNames.flatMap((name) =>
    // A comma inside a name would make two of it.
    name.kind === kind ? [escaped(name.value).replaceAll(',', '%2C')] : [],
  )
  return names.length === 0 ? undefined : names.join(',')
}

/** Read once, applied to each request. */
export class CompiledIdentityHeaders {
  readonly #headers: readonly (readonly [name: string, field: IdentityField])[]

  /** @throws TypeError with code `option-invalid`. */
  constructor(headers: IdentityHeaders = {}) {
    this.#headers = Object.entries(headers).map(([name, field]) => {
      if (!/^[!#$%&'*+.^`|~\w-]+$/.test(name) || !Object.hasOwn(fields, field)) {
        const expected = `one of ${Object.keys(fields).join(', ')}`
        throw misuse('option-invalid', `identityHeaders.${name} must be ${expected}`, {
          option: `identityHeaders.${name}`,
        })
      }
      return [name.toLowerCase(), field]
    })
  }

  /** Lower case. */
  get names(): readonly string[] {
    return this.#headers.map(([name]) => name)
  }

  /** Names and values for one request; none without a proven identity. */
  valuesFor({ outcome }: Decision): readonly (readonly [name: string, value: string])[] {
    const verdict = outcome?.allowed === true ? outcome.verdict : undefined
    if (verdict?.ok !== true || !verdict.verified) return []
    return this.#headers.flatMap(([name, field]) => {
      const value = fields[field](verdict)
      return value === undefined ? [] : [[name, value] as const]
    })
  }
}

/** Printable ASCII: `%` and anything else in percent-encoded UTF-8, so that no name can end a line or be read in two ways. */
function escaped(text: string): string {
  return text.replace(/[^\x20-\x24\x26-\x7e]/gu, (character) =>
    // Half a surrogate pair has no UTF-8.
    encodeURIComponent(/\p{Cs}/u.test(character) ? '\ufffd' : character),
  )
}
