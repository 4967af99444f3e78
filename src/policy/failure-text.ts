/** Refusals by policy in words: those that are about a certificate, and those that are about how it came. @module */

import { describeFailure, type Failure, failureCodes } from '../client/failure.ts'
import type { PolicyFailure } from './outcome.ts'

/** Codes of refusals in which no certificate was judged. */
export type RequestFailure = Exclude<PolicyFailure, Failure>

/** As a failure's description, over more codes. */
export interface PolicyFailureDescription {
  readonly code: PolicyFailure['code']
  /** RFC and section, or `local …`. */
  readonly source: string
  /** For people, on one line; may change between versions. */
  readonly message: string
  /** What would let the request pass. */
  readonly remedy: string
}

/**
 * Puts a refusal by policy into words.
 *
 * @example
 * console.log(describePolicyFailure({ code: 'certificate-missing' }).message) // the client presented no certificate
 */
export function describePolicyFailure(failure: PolicyFailure): PolicyFailureDescription {
  if (!isRequestFailure(failure)) return describeFailure(failure)
  const { code } = failure
  const [source, text, remedy] = registry[code] as unknown as Row
  return { code, source, message: text(failure), remedy }
}

/**
 * Every published code of a refusal by policy: those of certificates, then those of requests.
 *
 * @example
 * console.log(policyFailureCodes().includes('header-repeated')) // true
 */
export function policyFailureCodes(): readonly PolicyFailure['code'][] {
  return [...failureCodes(), ...requestFailureCodes]
}

function isRequestFailure(failure: PolicyFailure): failure is RequestFailure {
  return Object.hasOwn(registry, failure.code)
}

type Row = readonly [source: string, text: (failure: RequestFailure) => string, remedy: string]
type Describe<C> = readonly [
  string,
  (failure: Extract<RequestFailure, { code: C }>) => string,
  string,
]

const snippet = 'configure the proxy with what `mtls-policy proxy-snippet` prints'

const registry: { readonly [C in RequestFailure['code']]: Describe<C> } = {
  'certificate-missing': [
    'RFC 9110 §15.5.2',
    () => 'the client presented no certificate',
    'send a client certificate on a new connection; the server must ask for one',
  ],
  'identity-not-proven': [
    'local rule',
    () => 'a proxy vouches for a name, but the policy wants a certificate',
    'forward the certificate, or use a policy with both switches off',
  ],
  'request-target-ambiguous': [
    'RFC 3986 §6.2',
    () => 'servers read the path differently, and endpoints have policies of their own',
    'send a path without dot segments, escaped separators or broken escapes',
  ],
  'proxy-not-trusted': [
    'RFC 9440 §4',
    (f) => `the header does not come from a trusted proxy: ${reasons[f.because]}`,
    'name the proxy in `trust`, and let nobody else reach this server',
  ],
  'header-missing': [
    'RFC 9440 §4',
    (f) => `the proxy did not send ${f.header}, which it always sends`,
    snippet,
  ],
  'header-repeated': ['RFC 9110 §5.3', (f) => `${f.header} came more than once`, snippet],
  'header-twin': [
    'RFC 3875 §4.1.18',
    (f) => `${f.twin} passes for ${f.header} on some servers`,
    snippet,
  ],
  'header-too-large': [
    'local limit',
    (f) => `${f.header} has more than ${f.maximum} characters`,
    'send fewer or smaller certificates',
  ],
  'headers-too-many': [
    'local limit',
    (f) => `${f.maximum} header lines or more, of which the server may have dropped some`,
    'send fewer, or raise `maxHeadersCount` of the server',
  ],
  'header-malformed': [
    'RFC 9440 §2',
    (f) => `${f.header} is malformed: expected ${f.expected}`,
    `${snippet}, and name the same proxy as the source`,
  ],
  'header-too-many-certificates': [
    'local limit',
    (f) => `${f.header} has more than ${f.maximum} certificates`,
    'send the path alone',
  ],
  'proxy-refused': [
    'local rule',
    (f) => `the proxy says of the certificate in ${f.header}: ${f.verdict}`,
    'give the proxy the same trust anchors, or set proxyVerdict to ignored',
  ],
  'headers-contradict': [
    'local rule',
    (f) => `${f.header} and ${f.other} cannot both be true`,
    snippet,
  ],
  'proxy-omitted-certificate': [
    'local rule',
    (f) => `the certificate was too large for the proxy: ${f.header}`,
    "raise the proxy's limit, or issue smaller certificates",
  ],
  'identity-only': [
    'local rule',
    (f) => `${f.header} names a client, but no certificate came with it`,
    'forward the certificate, or set assertedIdentity',
  ],
  'proxy-hops': [
    'local rule',
    (f) => `${f.header} was not written by exactly ${f.expected} proxies`,
    'let the first proxy replace the header, or set trustedHops',
  ],
  'connection-not-tls': [
    'RFC 9110 §4.2.2',
    () => 'the connection is not TLS, so that nobody can present a certificate on it',
    'connect by https, or name a source for the proxy in front',
  ],
}

const reasons: Readonly<
  Record<Extract<RequestFailure, { code: 'proxy-not-trusted' }>['because'], string>
> = {
  address: 'its address is not among those',
  certificate: 'its connection does not hold the proxy’s key',
  secret: 'the shared secret is missing or wrong',
  'no-rule': 'no proxy is trusted',
}

const requestFailureCodes = Object.keys(registry) as RequestFailure['code'][]
