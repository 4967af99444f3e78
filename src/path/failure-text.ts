/**
 * Failures of a path in words: for each code its source, its text and what would mend it. A file of its own, so that who only
 * decides need not load the prose.
 * @module
 */

import { toHex } from '../base/hex.ts'
import { formatTime } from '../base/time.ts'
import { formatName } from '../x509/name-text.ts'
import type { PathFailure } from './failure.ts'
import type { ProfileCode, ProfileFailure } from './profile.ts'
import { relaxations } from './relaxations.ts'

/** Where the rule is written, the reason in words, and what would make the certificate pass. */
export type Describe<F, C> = readonly [
  source: string,
  text: (failure: Extract<F, { code: C }>) => string,
  mend: string,
]
export type FailureRegistry<F extends { readonly code: string }> = {
  readonly [C in F['code']]: Describe<F, C>
}

type RuleCode = Exclude<PathFailure['code'], ProfileCode>
type RuleFailure = Extract<PathFailure, { code: RuleCode }>

/** A new code does not compile until it has its row here; a test checks that the README lists it. */
const ruleFailures: FailureRegistry<RuleFailure> = {
  'certificate-expired': [
    'RFC 5280 §6.1.3 (a)(2)',
    (f) => `${position(f.index)} expired at ${formatTime(f.notAfter)}`,
    'renew the certificate, or check the clock',
  ],
  'certificate-not-yet-valid': [
    'RFC 5280 §6.1.3 (a)(2)',
    (f) => `${position(f.index)} is valid from ${formatTime(f.notBefore)} on`,
    'wait, check the clock, or allow clockTolerance seconds',
  ],
  'extended-key-usage-missing': [
    'RFC 5280 §4.2.1.12',
    (f) =>
      `${position(f.index)} is not for ${f.wanted.join(' or ')}: its extended key usage is ${f.purposes.join(', ')}`,
    'issue it with the purpose, or without an extended key usage',
  ],
  'extended-key-usage-server-only': [
    'RFC 5280 §4.2.1.12',
    () => 'the certificate is for servers only (serverAuth without clientAuth)',
    "issue it with clientAuth; or accept server certificates with acceptedPurposes: ['clientAuth', 'serverAuth']",
  ],
  'key-usage-no-digital-signature': [
    'RFC 5280 §4.2.1.3',
    () => 'the key may not sign: key usage lacks digitalSignature',
    'issue it with digitalSignature, or without a key usage',
  ],
  'key-usage-no-cert-sign': [
    'RFC 5280 §6.1.4 (n)',
    (f) => `${position(f.index)} may not issue certificates: key usage lacks keyCertSign`,
    'issue the CA certificate with keyCertSign',
  ],
  'peer-name-mismatch': [
    'RFC 9525 §6',
    (f) =>
      `none of ${f.expected.map(({ kind, value }) => `${kind}:${value}`).join(', ')} is in the subjectAltName (${f.present.join(', ') || 'empty'})`,
    'ask for a name that the certificate has, or issue it with this name',
  ],
  'key-too-weak': [
    'NIST SP 800-131A',
    (f) =>
      `${position(f.index)} has an ${f.kind} key of ${f.size} bits; the minimum is ${f.minimum}`,
    'issue it with a longer key',
  ],
  'key-too-large': [
    'local limit',
    (f) =>
      `${position(f.index)} has an ${f.kind} key of ${f.size} bits; the maximum is ${f.maximum}`,
    'issue it with a shorter key: one this long is a cost to every server',
  ],
  'key-size-not-octets': [
    'CA/Browser Forum BR 6.1.5',
    (f) =>
      `${position(f.index)} has an ${f.kind} key of ${f.size} bits, which is not a multiple of 8`,
    'issue it with a key of a usual size',
  ],
  'key-exponent': [
    'local limit',
    (f) =>
      `${position(f.index)} has an RSA exponent of 0x${toHex(f.exponent)}, not an odd number from 3 to 2^33-1`,
    'issue it with the exponent 65537',
  ],
  'key-algorithm-not-allowed': [
    'local algorithm policy',
    (f) =>
      `${position(f.index)} has ${f.curve === undefined ? `a ${f.kind} key` : `a key on ${f.curve}`}, which is not allowed`,
    'issue it with RSA, ECDSA (P-256, P-384, P-521), Ed25519 or Ed448',
  ],
  'key-algorithm-unknown': [
    'RFC 5280 §4.1.2.7',
    (f) => `${position(f.index)} has a key of unknown algorithm or curve ${f.algorithm}`,
    'issue it with RSA, ECDSA (P-256, P-384, P-521), Ed25519 or Ed448',
  ],
  'key-malformed': [
    'RFC 5280 §4.1.2.7',
    (f) => `${position(f.index)} has a malformed key: ${f.reason}`,
    'issue it again with correct software',
  ],
  'key-parameters-missing': [
    'RFC 5280 §6.1.4 (e)',
    (f) => `the key above ${position(f.index)} has no parameters, and none to inherit`,
    'issue the CA certificate with the parameters of its key',
  ],
  'signature-algorithm-unknown': [
    'RFC 5280 §4.1.1.2',
    (f) => `${position(f.index)} is signed with unknown algorithm ${f.algorithm}`,
    'issue it with an algorithm of RFC 3279, RFC 4055, RFC 5758 or RFC 8410',
  ],
  'signature-algorithm-parameters': [
    'RFC 5280 §4.1.1.2',
    (f) => `${position(f.index)} has signature parameters that ${f.algorithm} does not allow`,
    'issue it again with correct software',
  ],
  'signature-algorithm-weak': [
    'local algorithm policy',
    (f) => `${position(f.index)} is signed with ${scheme(f.scheme)}, which is too weak`,
    'issue it again with SHA-256 or better',
  ],
  'signature-algorithm-key-mismatch': [
    'RFC 5280 §6.1.3 (a)(1)',
    (f) =>
      `${position(f.index)} is signed with ${scheme(f.scheme)}, but the key of its issuer is ${f.kind}`,
    'give the certificate of the CA that really signed it',
  ],
  'signature-algorithm-unsupported': [
    'runtime',
    (f) => `this runtime cannot verify ${scheme(f.scheme)}`,
    'use a runtime that has the algorithm',
  ],
  'signature-invalid': [
    'RFC 5280 §6.1.3 (a)(1)',
    (f) => `${position(f.index)} is not signed by its issuer: the signature does not verify`,
    'it was forged or damaged, or another CA of the same name signed it: give that one',
  ],
  'name-not-permitted': [
    'RFC 5280 §6.1.3 (b)',
    (f) =>
      `the ${f.form} ${f.name} of ${position(f.index)} is outside the permitted subtrees (${f.subtrees.join(', ')})`,
    'issue it with a name that its CA may use',
  ],
  'name-excluded': [
    'RFC 5280 §6.1.3 (c)',
    (f) =>
      `the ${f.form} ${f.name} of ${position(f.index)} is in the excluded subtree ${f.subtree}`,
    'issue it with a name that its CA may use',
  ],
  'name-form-unsupported': [
    'RFC 5280 §4.2.1.10',
    (f) =>
      `${position(f.index)} has a name of form ${f.form}, whose constraints cannot be processed`,
    'leave such names out of the certificate, or their constraint out of the CA',
  ],
  'name-malformed': [
    'RFC 5280 §4.2.1.10',
    (f) =>
      `the ${f.form} ${f.name} of ${position(f.index)} is malformed, and names of this form are constrained`,
    'issue it with a well-formed name',
  ],
  'name-constraint-malformed': [
    'RFC 5280 §4.2.1.10',
    (f) => `the ${f.form} constraint ${f.subtree} of ${position(f.index)} is malformed`,
    'issue the CA certificate with a well-formed constraint',
  ],
  'policy-required': [
    'RFC 5280 §6.1.3 (f)',
    (f) => `a certificate policy is required, and none is valid at ${position(f.index)}`,
    'issue it under a policy that its CAs assert and that is asked for',
  ],
  'policy-mapping-any': [
    'RFC 5280 §6.1.4 (a)',
    (f) => `${position(f.index)} maps to or from anyPolicy`,
    'issue the CA certificate with a mapping between two policies',
  ],
  'policy-duplicate': [
    'RFC 5280 §4.2.1.4',
    (f) => `${position(f.index)} names policy ${f.policy} twice`,
    'issue it with each policy once',
  ],
  'policy-qualifier-unknown': [
    'RFC 5280 §4.2.1.4',
    (f) =>
      `critical policy ${f.policy} of ${position(f.index)} has unknown qualifier ${f.qualifier}`,
    'issue it without that qualifier, or not critical',
  ],
  'issuer-empty': [
    'RFC 5280 §4.1.2.4',
    (f) => `${position(f.index)} names no issuer`,
    'issue it with the name of its CA',
  ],
  'unknown-critical-extension': [
    'RFC 5280 §6.1.5 (f)',
    (f) => `${position(f.index)} has critical extension ${f.oid}, which is unknown here`,
    'issue it without that extension, or not critical',
  ],
  'basic-constraints-missing': [
    'RFC 5280 §6.1.4 (k)',
    (f) => `${position(f.index)} has no basic constraints, so it is no CA`,
    'issue the CA certificate with basicConstraints cA; for an old root that is an anchor, anchorChecks: { constraints: false }',
  ],
  'not-a-ca': [
    'RFC 5280 §6.1.4 (k)',
    (f) => `${position(f.index)} is not a CA (basicConstraints without cA)`,
    'have the certificate issued by a CA',
  ],
  'path-length-exceeded': [
    'RFC 5280 §6.1.4 (l)',
    (f) =>
      `${position(f.index)} allows ${f.pathLenConstraint} intermediates below it; there are ${f.intermediates}`,
    'issue from a CA that is higher up, or with a larger pathLenConstraint',
  ],
  'path-too-long': [
    'local limit',
    (f) => `the path has more than ${f.maxIntermediates} intermediates`,
    'raise maxIntermediates',
  ],
  'issuer-unknown': [
    'RFC 5280 §6.1.3 (a)(4)',
    (f) =>
      `no certificate with subject ${formatName(f.issuer) || '(empty)'}${f.keyIdentifier ? ` and key id ${toHex(f.keyIdentifier)}` : ''} was given, which issued ${position(f.index)}`,
    'add that CA to the trust anchors, or to the intermediates',
  ],
  'root-not-trusted': [
    'RFC 5280 §6.1.1 (d)',
    (f) => `the path ends at ${formatName(f.subject) || '(empty)'}, which is no trust anchor`,
    'add it to the trust anchors, if it is to be trusted',
  ],
  'target-is-trust-anchor': [
    'local rule',
    () => 'the certificate is itself a trust anchor, which proves nothing by a path',
    "have it issued by a CA; or pin it with pinnedTarget: 'accept'",
  ],
  'budget-exhausted': [
    'local limit',
    (f) => `gave up: too many ${f.of}`,
    'send fewer look-alike certificates; or raise the budget, if your CAs are widely cross-signed',
  ],
}

/** Every code of this layer. */
export const pathFailures: FailureRegistry<PathFailure> = {
  ...ruleFailures,
  ...(Object.fromEntries(
    Object.entries(relaxations)
      // Enforced elsewhere, with a failure of another code.
      .filter(([, { refusedWith }]) => refusedWith === undefined)
      .map(([code, { rule, source }]) => [
        code,
        [
          source,
          (f: ProfileFailure) => `${position(f.index)} breaks the rule that ${rule}`,
          "issue it again; or use profile 'interoperable'",
        ],
      ]),
  ) as unknown as FailureRegistry<ProfileFailure>),
}

function position(index: number): string {
  return index === 0 ? 'the certificate' : `CA certificate ${index}`
}

function scheme(value: { readonly name: string; readonly hash?: string }): string {
  return value.hash === undefined ? value.name : `${value.name} with ${value.hash}`
}
