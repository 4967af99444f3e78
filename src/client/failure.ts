/** Every way to be refused, in one registry: code, source, text, what would mend it. @module */

import { type AclFailure, aclFailures } from '../acl/failure.ts'
import { formatTime } from '../base/time.ts'
import type { PathFailure } from '../path/failure.ts'
import { pathFailures } from '../path/failure-text.ts'
import type { RevocationFailure } from '../revocation/check.ts'
import type { KillFailure } from '../revocation/kill-lists.ts'
import { describeProblem } from '../revocation/problem-text.ts'
import type { ParseFailure } from '../x509/failure.ts'
import type { InputFailure, OtherKind } from '../x509/input.ts'

/** A client that sends more than any real chain needs. */
export type PresentedFailure =
  | { readonly code: 'presented-too-many'; readonly maximum: number }
  | { readonly code: 'presented-too-large'; readonly maximum: number }

/** Told apart by `code`; facts, no prose. */
export type Failure =
  | InputFailure
  | ParseFailure
  | PresentedFailure
  | KillFailure
  | RevocationFailure
  | PathFailure
  | AclFailure
export type FailureCode = Failure['code']

/** One row of the registry, made concrete. */
export interface FailureDescription {
  readonly code: FailureCode
  /** RFC and section, or `local …`. */
  readonly source: string
  /** For people, on one line; may change between versions. */
  readonly message: string
  /** What would make the certificate pass. */
  readonly remedy: string
}

/**
 * Puts a failure into words.
 *
 * @example
 * console.log(describeFailure({ code: 'acl-empty' }).remedy) // add an entry that allows it
 */
export function describeFailure(failure: Failure): FailureDescription {
  const { code } = failure
  const [source, text, remedy] = registry[code] as unknown as Row
  return {
    code,
    source,
    message: oneLine(text(failure)),
    remedy: code === 'input-not-a-certificate' ? remedyForKind(failure.kind) : remedy,
  }
}

/** Names and labels are a stranger's: in a log, none may begin a line of its own or turn the direction of writing. */
function oneLine(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`,
  )
}

/**
 * Every published code, in the order of the registry.
 *
 * @example
 * console.log(failureCodes().includes('certificate-expired')) // true
 */
export function failureCodes(): readonly FailureCode[] {
  return Object.keys(registry) as FailureCode[]
}

type Row = readonly [source: string, text: (failure: Failure) => string, remedy: string]
type Describe<C> = readonly [string, (failure: Extract<Failure, { code: C }>) => string, string]

const again = 'issue it again with software that writes DER'
const at = (f: ParseFailure): string => `expected ${f.expected} at octet ${f.offset}`

const parseFailures: { readonly [C in ParseFailure['code']]: Describe<C> } = {
  'der-truncated': [
    'X.690 8.1.3',
    (f) => `the encoding ends too early: ${at(f)}`,
    'send the whole certificate',
  ],
  'der-trailing-data': ['X.690 8.1.1', (f) => `there are octets left over: ${at(f)}`, again],
  'der-unexpected-tag': ['RFC 5280 §4.1', (f) => `another type stands there: ${at(f)}`, again],
  'der-indefinite-length': ['X.690 10.1', (f) => `the length is indefinite: ${at(f)}`, again],
  'der-length-not-minimal': [
    'X.690 10.1',
    (f) => `the length takes too many octets: ${at(f)}`,
    again,
  ],
  'der-length-too-large': ['local limit', (f) => `the length is too large: ${at(f)}`, again],
  'der-boolean': ['X.690 11.1', (f) => `a BOOLEAN is malformed: ${at(f)}`, again],
  'der-integer': ['X.690 8.3.2', (f) => `an INTEGER is malformed: ${at(f)}`, again],
  'der-bit-string': ['X.690 11.2', (f) => `a BIT STRING is malformed: ${at(f)}`, again],
  'der-object-identifier': [
    'X.690 8.19',
    (f) => `an OBJECT IDENTIFIER is malformed: ${at(f)}`,
    again,
  ],
  'der-set-order': ['X.690 11.6', (f) => `a SET OF is not in order: ${at(f)}`, again],
  'der-time': ['RFC 5280 §4.1.2.5', (f) => `a time is malformed: ${at(f)}`, again],
  'der-string': [
    'RFC 5280 §4.1.2.4',
    (f) => `a string has characters that its type lacks: ${at(f)}`,
    again,
  ],
  'der-default-value': ['X.690 11.5', (f) => `a default value is encoded: ${at(f)}`, again],
  'certificate-version': [
    'RFC 5280 §4.1.2.1',
    (f) => `the version does not fit: ${at(f)}`,
    'issue it as version 3',
  ],
  'certificate-too-large': [
    'local limit',
    (f) => `the certificate is too large: ${at(f)}`,
    'issue a smaller certificate',
  ],
  'signature-algorithm-mismatch': [
    'RFC 5280 §4.1.1.2',
    (f) => `the two signature algorithms differ: ${at(f)}`,
    'issue it again with correct software',
  ],
  'extension-duplicate': [
    'RFC 5280 §4.2',
    (f) => `an extension stands twice: ${at(f)}`,
    'issue it with each extension once',
  ],
  'extension-malformed': [
    'RFC 5280 §4.2',
    (f) => `an extension is malformed: ${at(f)}`,
    'issue it again with correct software',
  ],
}

const kinds: { readonly [K in OtherKind]: string } = {
  'private-key': 'a private key: never send it anywhere; give the certificate that belongs to it',
  'public-key': 'a bare public key: give the certificate that a CA issued for it',
  'certificate-request':
    'a certificate request (CSR): have a CA issue the certificate, and give that',
  'certificate-revocation-list': 'a CRL: give the certificate itself',
  'trusted-certificate':
    'an OpenSSL TRUSTED CERTIFICATE, whose trust attributes are not judged here: convert it with openssl x509 -in F -out G',
  pkcs12: 'a PKCS#12 file: extract the certificate with openssl pkcs12 -in F -nokeys -out G',
  pkcs7:
    'a PKCS#7 bundle: read it with mtls-policy/pkcs7, or convert it with openssl pkcs7 -in F -print_certs -out G',
  'other-pem': 'another kind of PEM: give a block with the label CERTIFICATE',
}

const inputFailures: { readonly [C in InputFailure['code']]: Describe<C> } = {
  'input-empty': ['RFC 8446 §4.4.2', () => 'no certificate was given', 'send a client certificate'],
  'input-unrecognized': [
    'RFC 7468 §2',
    () => 'the input is neither PEM nor DER nor base64 of DER',
    'give a PEM block with the label CERTIFICATE, or DER',
  ],
  'input-not-a-certificate': [
    'RFC 7468 §5',
    (f) =>
      `this is ${kinds[f.kind].split(':')[0]}${f.label === undefined ? '' : ` (label ${f.label})`}`,
    'give a certificate',
  ],
  'input-pem-malformed': [
    'RFC 7468 §3',
    (f) => `PEM block ${f.block} ${f.reason === 'no-end' ? 'has no END line' : 'is not base64'}`,
    'give the whole PEM block',
  ],
}

const presentedFailures: { readonly [C in PresentedFailure['code']]: Describe<C> } = {
  'presented-too-many': [
    'local limit',
    (f) => `more than ${f.maximum} certificates were sent`,
    'send the path only',
  ],
  'presented-too-large': [
    'local limit',
    (f) => `more than ${f.maximum} octets of certificates were sent`,
    'send the path only',
  ],
}

const killFailures: { readonly [C in KillFailure['code']]: Describe<C> } = {
  'certificate-killed': [
    'local kill list',
    (f) => `${placeOf(f.index)} is on the kill list${noted(f)}`,
    'remove the entry from the kill list, or use a certificate and a key that it does not name',
  ],
  'issuer-killed': [
    'local kill list',
    (f) => `the issuer, ${placeOf(f.index)}, is on the kill list${noted(f)}`,
    'remove the entry from the kill list, or use a certificate of another issuer',
  ],
}

const revocationFailures: { readonly [C in RevocationFailure['code']]: Describe<C> } = {
  'certificate-revoked': [
    'RFC 5280 §6.1.3 (a)(3)',
    (f) =>
      `${placeOf(f.index)} was revoked ${formatTime(f.revocationDate)}${f.reason === undefined ? '' : ` (${f.reason})`}, says the ${f.evidence.by === 'crl' ? 'CRL' : 'OCSP response'} of ${formatTime(f.evidence.thisUpdate)}`,
    'use another certificate; what is revoked stays so, but for a certificate on hold',
  ],
  'revocation-unknown': [
    'RFC 5280 §6.3.3',
    (f) =>
      `nothing at hand says whether ${placeOf(f.index)} is revoked: ${f.problems.map(describeProblem).join('; ')}`,
    'give a current CRL or OCSP response of its issuer, or have a rule for this issuer that says what happens without one',
  ],
}

function placeOf(index: number): string {
  return index === 0 ? 'the certificate' : `CA certificate ${index}`
}

function noted({ entry }: KillFailure): string {
  return entry.note === undefined ? '' : `: ${entry.note}`
}

const aclRemedies: { readonly [C in AclFailure['code']]: string } = {
  'acl-empty': 'add an entry that allows it',
  'issuer-not-allowed': 'add an entry that allows it, or use a certificate of an allowed issuer',
  'issuer-denied': 'use a certificate of another issuer; no entry that allows outweighs this one',
  'issuer-deny-unchecked': 'validate the certificate, or take that entry back',
  'client-not-allowed': 'add an entry that allows it',
  'client-denied': 'use another certificate; no entry that allows outweighs this one',
}

const registry: { readonly [C in FailureCode]: Describe<C> } = {
  ...inputFailures,
  ...presentedFailures,
  ...killFailures,
  ...revocationFailures,
  ...parseFailures,
  ...pathFailures,
  .../* @__PURE__ */ (Object.fromEntries(
    /* @__PURE__ */ Object.entries(aclFailures).map(([code, [source, text]]) => [
      code,
      [source, text, aclRemedies[code as AclFailure['code']]],
    ]),
  ) as unknown as { readonly [C in AclFailure['code']]: Describe<C> }),
}

function remedyForKind(kind: OtherKind): string {
  return kinds[kind].split(': ').slice(1).join(': ')
}
