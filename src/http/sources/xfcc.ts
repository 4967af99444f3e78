/**
 * Envoy and Istio: `x-forwarded-client-cert`.
 *
 * One element is taken, and it must be the only one, as `SANITIZE_SET` writes it. URI names are not escaped in the text form, so that a
 * certificate can append an element of its own: "the last element wins" would let it in as somebody else. Several elements can be told
 * apart in the JSON form alone.
 *
 * @module
 */

import { bytesEqual } from '../../base/bytes.ts'
import { toHex } from '../../base/hex.ts'
import { failed, type Result, success } from '../../base/result.ts'
import { misuse } from '../../client/misuse.ts'
import type { AssertedIdentity } from '../asserted.ts'
import type { ForwardingFailure } from '../failure.ts'
import { maxCertificates, maxHeaderLength } from '../headers/limits.ts'
import { readPemText, readPercentEncodedPem } from '../headers/pem.ts'
import { sha256 } from '../headers/sha256.ts'
import { maxXfccElements, readXfccText, type XfccElement } from '../headers/xfcc.ts'
import { readXfccJson } from '../headers/xfcc-json.ts'
import { absentByProxy, trustedHeaders } from '../proxy-trust.ts'
import { type ClientCertificateSource, type Found, unbelievable } from '../source.ts'
import type { ProxyTrust } from '../trust.ts'
import { checkFlag, checkOptionNames } from './options.ts'
import { unread } from './platform.ts'

export type EnvoyOptions = XfccOptions & (XfccJson | XfccText)
export type IstioOptions = XfccOptions &
  (XfccJson | (Partial<XfccText> & { readonly form?: 'text' }))

interface XfccOptions {
  /** Who may write the header. */
  readonly trust: ProxyTrust
  /**
   * `true`: where the proxy forwards no certificate, its word for the name is taken, unproven, as `asserted`. In the text form that is
   * at most one URI or DNS name: of several one may have written the others. Default: refused with `identity-only`.
   */
  readonly assertedIdentity?: boolean | undefined
}

interface XfccJson {
  /** `set_current_client_cert_details` with `format: JSON`. The text form is refused: with APPEND_FORWARD a client can force it. */
  readonly form: 'json'
  /**
   * How many proxies in a row write an element, the one that the client connects to first; default 1. Their number must be exact, the
   * first element is the client's. Each of them must let nobody in but the one before it, or a client can write the first element.
   */
  readonly trustedHops?: number | undefined
}

interface XfccText {
  /** What Envoy writes by default. A certificate with a comma or semicolon in a URI or DNS name is refused, for it may be a forgery. */
  readonly form: 'text'
  readonly trustedHops?: undefined
}

/**
 * The certificate that Envoy puts into `x-forwarded-client-cert`, with `forward_client_cert_details: SANITIZE_SET` and
 * `set_current_client_cert_details: { cert: true, chain: true, format: JSON }`. Without the header there was no certificate: Envoy
 * writes it, if only with a hash, for every client that sent one, and takes away what a client sent in its place.
 *
 * @throws TypeError with a `code` when an option is missing, unknown or of the wrong type.
 * @example
 * const source = envoy({ trust: { addresses: ['10.0.0.0/8'] }, form: 'json' })
 * console.log(source.name, source.headers.length) // envoy 1
 */
export function envoy(options: EnvoyOptions): ClientCertificateSource {
  return xfcc('envoy', options)
}

/**
 * As `envoy`, for the sidecar of an Istio workload, which writes the text form unless told otherwise: `form` is `text` by default. It
 * forwards no certificate, only hash, subject and URI, which is `identity-only` unless `assertedIdentity` is true. Behind an ingress
 * gateway there are two elements, which are refused (`proxy-hops`): let the sidecar pass on the gateway's alone, and let only the
 * gateway in.
 *
 * @throws TypeError with a `code` when an option is missing, unknown or of the wrong type.
 * @example
 * const source = istio({ trust: { addresses: ['127.0.0.6'] }, assertedIdentity: true })
 * console.log(source.name, source.headers.length) // istio 1
 */
export function istio(options: IstioOptions): ClientCertificateSource {
  return xfcc('istio', options?.form === 'json' ? options : { ...options, form: 'text' })
}

function xfcc(name: string, options: EnvoyOptions): ClientCertificateSource {
  checkOptionNames(options, ['trust', 'form', 'trustedHops', 'assertedIdentity'])
  const { form, trustedHops, assertedIdentity = false } = options
  checkForm(form)
  checkHops(trustedHops, form)
  checkFlag('assertedIdentity', assertedIdentity)
  const reader: Reader = { name, form, trustedHops: trustedHops ?? 1, assertedIdentity }
  const headers = trustedHeaders(options.trust, [header])
  return {
    name,
    headers: headers.names,
    read: (request) => {
      const lines = headers.read(request)
      if ('kind' in lines) return lines
      if (lines.repeated?.has(0)) return unbelievable({ code: 'header-repeated', header })
      const [value] = lines.values
      if (value === undefined) return absentByProxy
      return value.length > maxHeaderLength
        ? unbelievable({ code: 'header-too-large', header, maximum: maxHeaderLength })
        : found(value, reader)
    },
  }
}

interface Reader {
  readonly name: string
  readonly form: 'json' | 'text'
  readonly trustedHops: number
  readonly assertedIdentity: boolean
}

function found(value: string, reader: Reader): Found {
  if (!reader.assertedIdentity) {
    return { kind: 'presented', key: value, read: () => certificatesIn(value, reader) }
  }
  const element = clientElement(value, reader)
  if (!element.ok) return unbelievable(element.failure)
  if (hasCertificate(element.value)) {
    return { kind: 'presented', key: value, read: () => certificatesOf(element.value, reader.form) }
  }
  return assertedBy(element.value, reader.name)
}

function certificatesIn(value: string, reader: Reader): ReadResult {
  const element = clientElement(value, reader)
  return element.ok ? certificatesOf(element.value, reader.form) : element
}

/** What the first proxy wrote, where no more and no fewer wrote than were named. */
function clientElement(
  value: string,
  { form, trustedHops }: Reader,
): Result<XfccElement, ForwardingFailure> {
  const elements = form === 'json' ? readXfccJson(value) : readXfccText(value)
  if (!elements.ok) return malformed(elements.failure.expected)
  const [client] = elements.value
  return client === undefined || elements.value.length !== trustedHops
    ? failed({ code: 'proxy-hops', header, expected: trustedHops })
    : success(client)
}

function hasCertificate({ certificate, chain }: XfccElement): boolean {
  return certificate !== undefined || chain !== undefined
}

/** The chain begins with the client's own certificate, so that it stands for both; whatever is there of it must agree. */
function certificatesOf(
  { certificate, chain, hash }: XfccElement,
  form: 'json' | 'text',
): ReadResult {
  if (certificate === undefined && chain === undefined) {
    return failed({ code: 'identity-only', header })
  }
  const leaf = certificate === undefined ? undefined : readPems([certificate], form)
  if (leaf?.ok === false) return leaf
  if (leaf !== undefined && leaf.value.length !== 1) return malformed('one certificate as Cert')
  const sent = chain === undefined ? leaf : readPems(chain, form)
  if (sent?.ok === false) return sent
  const [own] = sent?.value ?? []
  if (sent === undefined || own === undefined) {
    return malformed('a Chain that begins with the certificate')
  }
  const [alone] = leaf?.value ?? []
  if (alone !== undefined && !bytesEqual(alone, own)) return contradiction('Cert', 'Chain')
  return hash === undefined || hash === toHex(sha256(own)) ? sent : contradiction('Hash', 'Cert')
}

/** In JSON each text is one certificate; in the text form one text has all of them, percent-encoded. */
function readPems(texts: readonly string[], form: 'json' | 'text'): ReadResult {
  const certificates: Uint8Array[] = []
  for (const text of texts) {
    const pem = form === 'json' ? readPemText(text) : readPercentEncodedPem(text)
    if (!pem.ok) return failed(unread(pem.failure, header))
    if (form === 'json' && pem.value.length > 1) return malformed('one certificate in each text')
    certificates.push(...pem.value)
    if (certificates.length > maxCertificates) {
      return failed({ code: 'header-too-many-certificates', header, maximum: maxCertificates })
    }
  }
  return success(certificates)
}

function assertedBy(element: XfccElement, by: string): Found {
  if (element.namesAmbiguous) {
    return unbelievable(
      malformed('at most one URI or DNS name: the text form does not tell several apart').failure,
    )
  }
  const { subject, issuer, hash, uris, dnsNames } = element
  if (!subject && hash === undefined && uris.length === 0 && dnsNames.length === 0) {
    return unbelievable(malformed('a certificate, its hash or a name').failure)
  }
  const identity: AssertedIdentity = {
    asserted: true,
    by,
    subject: subject || undefined,
    issuer: issuer || undefined,
    fingerprint: hash,
    uris: uris.length === 0 ? undefined : uris,
    dnsNames: dnsNames.length === 0 ? undefined : dnsNames,
  }
  return { kind: 'asserted', identity }
}

type ReadResult = Result<readonly Uint8Array[], ForwardingFailure>
type Failed = { readonly ok: false; readonly failure: ForwardingFailure }

function contradiction(one: string, other: string): Failed {
  return failed({
    code: 'headers-contradict',
    header: `${header} ${one}`,
    other: `${header} ${other}`,
  })
}

function malformed(expected: string): Failed {
  return failed({ code: 'header-malformed', header, expected })
}

function checkForm(form: unknown): void {
  if (form === 'json' || form === 'text') return
  throw misuse(
    form === undefined ? 'option-missing' : 'option-invalid',
    "form must say which one the proxy writes: 'json' or 'text'",
    { option: 'form' },
  )
}

function checkHops(trustedHops: unknown, form: 'json' | 'text'): void {
  if (trustedHops === undefined) return
  const option = 'trustedHops'
  if (form === 'text') {
    throw misuse('options-conflict', `${option} needs form: 'json'`, { options: [option, 'form'] })
  }
  if (
    typeof trustedHops !== 'number' ||
    !Number.isInteger(trustedHops) ||
    trustedHops < 1 ||
    trustedHops > maxXfccElements
  ) {
    throw misuse('option-invalid', `${option} is a whole number from 1 to ${maxXfccElements}`, {
      option,
    })
  }
}

const header = 'x-forwarded-client-cert'
