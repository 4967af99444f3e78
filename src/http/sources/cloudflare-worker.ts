/**
 * Cloudflare Workers with client certificates (API Shield, Access): `request.cf.tlsClientAuth`. Cloudflare alone writes it; headers are
 * never read. Its fields are texts, `'1'` and `'0'` among them, but for the two flags of size, which are booleans.
 *
 * @module
 */

import { failed, type Result, success } from '../../base/result.ts'
import type { AssertedIdentity } from '../asserted.ts'
import type { ForwardingFailure } from '../failure.ts'
import { readByteSequenceItem, readByteSequenceList } from '../headers/structured-fields.ts'
import { sha256Digits } from '../headers/xfcc.ts'
import {
  absent,
  type ClientCertificateSource,
  type Found,
  type Unbelievable,
  unbelievable,
} from '../source.ts'
import { checkFlag, checkOptionNames } from './options.ts'
import { isAbsent, isObject, malformed, member, missing, unread } from './platform.ts'

export interface CloudflareWorkerOptions {
  /**
   * `true`: where Cloudflare shows no certificate (it does since March 2026, as `certRFC9440`), its word for the name is taken,
   * unproven, as `asserted`. Default: refused with `identity-only`.
   */
  readonly assertedIdentity?: boolean | undefined
}

/**
 * The certificate that Cloudflare shows to a Worker; `HttpRequest.platform` is `request.cf`. The fields are filled for refused and for
 * revoked certificates, too, so that `certVerified` must be `SUCCESS` and `certRevoked` `0`. A certificate over 10 KiB, or a chain over
 * 16 KiB, is left out by Cloudflare and refused here. Without `tlsClientAuth` the zone asks for no certificate.
 *
 * @throws TypeError with a `code` when an option is unknown or of the wrong type.
 * @example
 * const source = cloudflareWorker()
 * console.log(source.name, source.headers.length) // cloudflare-worker 0
 */
export function cloudflareWorker(options: CloudflareWorkerOptions = {}): ClientCertificateSource {
  checkOptionNames(options, ['assertedIdentity'])
  const { assertedIdentity = false } = options
  checkFlag('assertedIdentity', assertedIdentity)
  return { name, headers: [], read: ({ platform }) => foundIn(platform, assertedIdentity) }
}

function foundIn(cf: unknown, assertedIdentity: boolean): Found {
  if (!isObject(cf)) return missing('cf')
  const tls = member(cf, 'tlsClientAuth')
  if (isAbsent(tls)) return absent
  if (!isObject(tls)) return malformed(root, 'an object')
  const presented = textIn(tls, 'certPresented')
  if (!presented.ok) return unbelievable(presented.failure)
  const verified = textIn(tls, 'certVerified')
  if (!verified.ok) return unbelievable(verified.failure)
  if (presented.value === '0') return nothingIn(tls, verified.value)
  if (presented.value !== '1') return malformed(`${root}.certPresented`, '0 or 1')
  if (verified.value !== 'SUCCESS') return refused('certVerified', verified.value)
  const revoked = textIn(tls, 'certRevoked')
  if (!revoked.ok) return unbelievable(revoked.failure)
  if (revoked.value === '1') return refused('certRevoked', 'revoked')
  if (revoked.value !== '0') return malformed(`${root}.certRevoked`, '0 or 1')
  if (hasCertificateFields(tls)) return presentedIn(tls)
  return assertedIdentity ? assertedIn(tls) : unbelievable({ code: 'identity-only', header: root })
}

/** No certificate: then nothing may look like one. */
function nothingIn(tls: object, verified: string): Found {
  if (verified !== 'NONE') return contradiction('certVerified', 'certPresented')
  const certificate = member(tls, 'certRFC9440')
  return isAbsent(certificate) || certificate === ''
    ? absent
    : contradiction('certRFC9440', 'certPresented')
}

/** All four fields or none: they came together, and a missing flag of size could not be told from `false`. */
function hasCertificateFields(tls: object): boolean {
  return certificateFields.some((field) => !isAbsent(member(tls, field)))
}

function presentedIn(tls: object): Found {
  for (const field of ['certRFC9440TooLarge', 'certChainRFC9440TooLarge']) {
    const isTooLarge = member(tls, field)
    if (isAbsent(isTooLarge)) return missing(`${root}.${field}`)
    if (typeof isTooLarge !== 'boolean') return malformed(`${root}.${field}`, 'a boolean')
    if (isTooLarge) {
      return unbelievable({ code: 'proxy-omitted-certificate', header: `${root}.${field}` })
    }
  }
  const leaf = textIn(tls, 'certRFC9440')
  if (!leaf.ok) return unbelievable(leaf.failure)
  if (leaf.value === '') return contradiction('certRFC9440', 'certPresented')
  const chain = textIn(tls, 'certChainRFC9440')
  if (!chain.ok) return unbelievable(chain.failure)
  return {
    kind: 'presented',
    key: chain.value === '' ? leaf.value : `${leaf.value}\n${chain.value}`,
    read: () => readCertificates(leaf.value, chain.value),
  }
}

/** RFC 9440 §2.2 and §2.3: the chain is without the client's own certificate. */
function readCertificates(
  leaf: string,
  chain: string,
): Result<readonly Uint8Array[], ForwardingFailure> {
  const own = readByteSequenceItem(leaf)
  if (!own.ok) return failed(unread(own.failure, `${root}.certRFC9440`))
  const others = readByteSequenceList(chain)
  if (!others.ok) return failed(unread(others.failure, `${root}.certChainRFC9440`))
  return success([...own.value, ...others.value])
}

function assertedIn(tls: object): Found {
  const texts = new Map<string, string>()
  for (const [field, form] of assertedFields) {
    const text = textIn(tls, field)
    if (!text.ok) return unbelievable(text.failure)
    if (!form.test(text.value)) return malformed(`${root}.${field}`, form.source)
    texts.set(field, text.value)
  }
  const identity: AssertedIdentity = {
    asserted: true,
    by: name,
    subject: texts.get('certSubjectDNRFC2253') || undefined,
    issuer: texts.get('certIssuerDNRFC2253') || undefined,
    serialNumber: texts.get('certSerial')?.toLowerCase(),
    fingerprint: texts.get('certFingerprintSHA256')?.toLowerCase(),
  }
  return { kind: 'asserted', identity }
}

function textIn(tls: object, field: string): Result<string, ForwardingFailure> {
  const value = member(tls, field)
  if (isAbsent(value)) return failed({ code: 'header-missing', header: `${root}.${field}` })
  return typeof value === 'string' ? success(value) : unreadable(field, 'a text')
}

function refused(field: string, verdict: string): Unbelievable {
  return unbelievable({
    code: 'proxy-refused',
    header: `${root}.${field}`,
    verdict: verdict.replace(/[^ -~]/g, '?').slice(0, 100),
  })
}

function contradiction(field: string, other: string): Unbelievable {
  return unbelievable({
    code: 'headers-contradict',
    header: `${root}.${field}`,
    other: `${root}.${other}`,
  })
}

function unreadable(
  field: string,
  expected: string,
): { readonly ok: false; readonly failure: ForwardingFailure } {
  return failed({ code: 'header-malformed', header: `${root}.${field}`, expected })
}

const name = 'cloudflare-worker'
const root = 'cf.tlsClientAuth'
const certificateFields: readonly string[] = [
  'certRFC9440',
  'certRFC9440TooLarge',
  'certChainRFC9440',
  'certChainRFC9440TooLarge',
]
const assertedFields: readonly (readonly [string, RegExp])[] = [
  ['certSubjectDNRFC2253', /^[ -~]*$/],
  ['certIssuerDNRFC2253', /^[ -~]*$/],
  ['certSerial', /^[0-9A-Fa-f]+$/],
  ['certFingerprintSHA256', sha256Digits],
]
