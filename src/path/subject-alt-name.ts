/** The syntax of the names in a subjectAltName: RFC 5280 §4.2.1.6. A rule for issuers, so profile `rfc5280` only. @module */

import type { Certificate } from '../x509/certificate.ts'
import type { GeneralName } from '../x509/general-name.ts'
import { endsInNumber, parseHostName, parseMailbox } from './host-name.ts'

export interface SubjectAltNameFailure {
  readonly code: 'subject-alt-name-malformed'
  readonly form: GeneralName['kind']
  readonly name: string
}

/**
 * Reports the first dNSName that is no host name in the preferred syntax (RFC 1034 §3.5; a wildcard as the first label is let
 * through, RFC 5280 does not judge it) or is an IP address, and the first rfc822Name that is no mailbox. Mailboxes whose local
 * part is quoted are not judged.
 */
export function checkSubjectAltNameSyntax(
  certificate: Certificate,
): SubjectAltNameFailure | undefined {
  for (const name of certificate.tbsCertificate.extensions.subjectAltName?.names ?? []) {
    if (name.kind === 'dNSName' ? !isPreferredSyntax(name.value) : isBadMailbox(name)) {
      return {
        code: 'subject-alt-name-malformed',
        form: name.kind,
        name: 'value' in name ? String(name.value) : '',
      }
    }
  }
  return undefined
}

function isPreferredSyntax(text: string): boolean {
  const host = text.startsWith('*.') ? text.slice(2) : text
  return (
    parseHostName(host) !== undefined &&
    !host.endsWith('.') &&
    !endsInNumber(host) &&
    host
      .split('.')
      .every((label) => !label.includes('_') && !label.startsWith('-') && !label.endsWith('-'))
  )
}

function isBadMailbox(name: GeneralName): boolean {
  return (
    name.kind === 'rfc822Name' &&
    !name.value.startsWith('"') &&
    parseMailbox(name.value) === undefined
  )
}
