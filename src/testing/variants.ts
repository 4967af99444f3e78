/**
 * A laboratory in a box: small PKIs by name, each wrong (or odd) in one place, with the verdict that a strict validator
 * gives. Loop over them in your own CI to see what your gateway lets in.
 * @module
 */

import { concatBytes } from '../base/bytes.ts'
import { toHex } from '../base/hex.ts'
import {
  writeBitString,
  writeBoolean,
  writeElement,
  writeNull,
  writeSequence,
  writeText,
} from '../der/writer.ts'
import { type CertificateAuthority, type IssuedBytes, issueCa } from './authority.ts'
import { elementsOf, integer, oid } from './encode.ts'
import { type CertificateOptions, testTime } from './issue.ts'
import { poolKey } from './keys.ts'
import { encodeName, type GeneralNameInput } from './names.ts'

export type VariantName =
  | 'good'
  | 'good-under-root'
  | 'good-rsa'
  | 'good-rsa-pss'
  | 'good-ed25519'
  | 'good-cross-signed'
  | 'good-self-issued-below-path-length'
  | 'good-any-extended-key-usage'
  | 'good-no-extended-key-usage'
  | 'good-name-constraints'
  | 'good-unknown-extension'
  | 'good-explicit-policy'
  | 'good-policy-mapping'
  | 'odd-serial-negative'
  | 'odd-no-key-identifiers'
  | 'odd-basic-constraints-not-critical'
  | 'odd-issuer-name-case'
  | 'odd-generalized-time'
  | 'odd-looped-cas'
  | 'expired'
  | 'expired-one-second-ago'
  | 'not-yet-valid'
  | 'intermediate-expired'
  | 'anchor-expired'
  | 'foreign-ca'
  | 'foreign-ca-same-name'
  | 'missing-intermediate'
  | 'forged-signature'
  | 'changed-after-signing'
  | 'damaged-signature'
  | 'server-only'
  | 'wrong-extended-key-usage'
  | 'ca-for-servers-only'
  | 'no-digital-signature'
  | 'ca-without-cert-sign'
  | 'client-as-issuer'
  | 'ca-false'
  | 'path-too-long'
  | 'path-too-long-for-root'
  | 'unknown-critical-extension'
  | 'unknown-critical-extension-in-ca'
  | 'dns-name-not-permitted'
  | 'dns-name-excluded'
  | 'email-excluded'
  | 'uri-not-permitted'
  | 'ip-address-excluded'
  | 'subject-not-permitted'
  | 'name-constraint-unsupported'
  | 'policy-missing'
  | 'policy-other'
  | 'policy-required-by-ca'
  | 'policy-mapping-inhibited'
  | 'policy-any-inhibited'
  | 'policy-mapped-from-any'
  | 'looped-cas'
  | 'ca-as-client'
  | 'dns-name-not-permitted-by-anchor'
  | 'policy-duplicate'
  | 'rsa-exponent-1'
  | 'rsa-16384'
  | 'signed-with-sha1'
  | 'signed-with-md5'
  | 'rsa-1024'
  | 'ca-with-rsa-1024'
  | 'curve-not-allowed'
  | 'dsa'
  | 'signature-algorithm-mismatch'
  | 'signature-algorithm-of-another-key'
  | 'version-1-with-extensions'
  | 'version-4'
  | 'version-1-ca'
  | 'duplicate-extension'
  | 'empty-extended-key-usage'
  | 'serial-not-minimal'
  | 'length-not-minimal'
  | 'length-indefinite'
  | 'trailing-octet'
  | 'truncated'
  | 'boolean-not-der'
  | 'default-written'
  | 'set-order'
  | 'time-without-seconds'
  | 'time-with-offset'
  | 'bad-printable-string'
  | 'ip-address-of-five-octets'

/** What a validator says to a variant; `code` is one of this package's failure codes. */
export type Expected = { readonly ok: true } | { readonly ok: false; readonly code: string }

/** The inputs of RFC 5280 §6.1.1 that some variants need beside the defaults. */
export interface VariantInputs {
  /** Dotted decimal. */
  readonly userInitialPolicySet?: readonly string[]
  readonly initialExplicitPolicy?: boolean
  readonly initialPolicyMappingInhibit?: boolean
  readonly initialAnyPolicyInhibit?: boolean
}

export interface IssuedVariant {
  readonly name: VariantName
  /** One sentence: what is wrong or odd. */
  readonly description: string
  readonly expected: Expected
  /** The client: bytes, because some are no certificate. */
  readonly client: IssuedBytes
  /** PEM of the trust anchors. */
  readonly anchorsPem: string
  /** PEM of the intermediates, empty when there are none. */
  readonly intermediatesPem: string
  /** Unix seconds: the time to validate at. */
  readonly time: number
  readonly inputs: VariantInputs
}

interface Made {
  readonly client: IssuedBytes
  readonly anchors: readonly CertificateAuthority[]
  readonly intermediates: readonly IssuedBytes[]
}

interface Variant {
  readonly description: string
  readonly expected: Expected
  readonly inputs?: VariantInputs
  readonly make: () => Promise<Made>
}

/**
 * Issues one variant.
 *
 * @example
 * const { client, anchorsPem, intermediatesPem, expected } = await issueVariant('expired')
 */
export async function issueVariant(name: VariantName): Promise<IssuedVariant> {
  const { description, expected, inputs = {}, make } = catalogue[name]
  const { client, anchors, intermediates } = await make()
  return {
    name,
    description,
    expected,
    client,
    anchorsPem: anchors.map(({ pem }) => pem).join(''),
    intermediatesPem: intermediates.map(({ pem }) => pem).join(''),
    time: testTime,
    inputs,
  }
}

/** Root, issuing CA, client: `root`, `issuing` and `client` say what differs in each. */
function usual(
  client: CertificateOptions = {},
  issuing: CertificateOptions = {},
  root: CertificateOptions = {},
) {
  return async (): Promise<Made> => {
    const anchor = await issueCa('Root CA', root)
    const intermediate = await anchor.issueCa('Issuing CA', issuing)
    return {
      client: await intermediate.issueBytes('client-a', client),
      anchors: [anchor],
      intermediates: [intermediate],
    }
  }
}

/** A CA for each entry under the root, the client under the last. */
function deep(
  cas: readonly CertificateOptions[],
  client: CertificateOptions = {},
  root: CertificateOptions = {},
) {
  return async (): Promise<Made> => {
    const anchor = await issueCa('Root CA', root)
    const intermediates: CertificateAuthority[] = []
    for (const [i, options] of cas.entries()) {
      intermediates.push(await (intermediates.at(-1) ?? anchor).issueCa(`CA ${i + 1}`, options))
    }
    const issuer = intermediates.at(-1) ?? anchor
    return { client: await issuer.issueBytes('client-a', client), anchors: [anchor], intermediates }
  }
}

async function foreignAuthority(): Promise<Made> {
  const anchor = await issueCa('Root CA')
  const foreign = await issueCa('Foreign CA')
  return { client: await foreign.issueBytes('client-a'), anchors: [anchor], intermediates: [] }
}

async function foreignAuthorityOfTheSameName(): Promise<Made> {
  const anchor = await issueCa('Root CA')
  const foreign = await issueCa('Root CA', { key: 'P-256#40', subjectKeyIdentifier: 'absent' })
  return { client: await foreign.issueBytes('client-a'), anchors: [anchor], intermediates: [] }
}

async function missingIntermediate(): Promise<Made> {
  return { ...(await usual()()), intermediates: [] }
}

async function clientAsIssuer(): Promise<Made> {
  const anchor = await issueCa('Root CA')
  // A client's certificate with the key of a CA object, so that it can sign another one.
  const client = await anchor.issueCa('client-a', {
    basicConstraints: 'absent',
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: ['clientAuth'],
  })
  return { client: await client.issueBytes('client-b'), anchors: [anchor], intermediates: [client] }
}

async function crossSigned(): Promise<Made> {
  const anchor = await issueCa('Old Root CA')
  const other = await issueCa('New Root CA', { key: 'P-256#7' })
  const bridge = await anchor.crossSign(other)
  return { client: await other.issueBytes('client-a'), anchors: [anchor], intermediates: [bridge] }
}

async function rekeyed(): Promise<Made> {
  const anchor = await issueCa('Root CA')
  const issuing = await anchor.issueCa('Issuing CA', {
    basicConstraints: { cA: true, pathLenConstraint: 0 },
  })
  const renewed = await issuing.issueCa('Issuing CA', {
    basicConstraints: { cA: true, pathLenConstraint: 0 },
  })
  return {
    client: await renewed.issueBytes('client-a'),
    anchors: [anchor],
    intermediates: [issuing, renewed],
  }
}

/** The first intermediate is the way to the root, the other two certify each other. */
async function loopedAuthorities(): Promise<Made> {
  const anchor = await issueCa('Root CA')
  const first = await anchor.issueCa('CA 1')
  const second = await first.issueCa('CA 2')
  const back = await second.crossSign(first)
  return {
    client: await second.issueBytes('client-a'),
    anchors: [anchor],
    intermediates: [first, second, back],
  }
}

async function authorityAsClient(): Promise<Made> {
  const anchor = await issueCa('Root CA')
  return { client: await anchor.issueCa('Issuing CA'), anchors: [anchor], intermediates: [] }
}

/** RFC 3279 §2.3.1 */
function rsaPublicKey(modulus: bigint, exponent: number): Uint8Array {
  return writeSequence(
    writeSequence(oid('1.2.840.113549.1.1.1'), writeNull()),
    writeBitString(writeSequence(integer(modulus), integer(exponent))),
  )
}

function poolModulus(): bigint {
  const [, bits] = elementsOf(poolKey('RSA-2048', 0).publicKey) as [Uint8Array, Uint8Array]
  // Four octets of header and one that counts unused bits, then RSAPublicKey.
  const [modulus] = elementsOf(bits.subarray(5)) as [Uint8Array]
  return BigInt(`0x${toHex(modulus.subarray(4))}`)
}

const withoutKeyIdentifiers: CertificateOptions = {
  subjectKeyIdentifier: 'absent',
  authorityKeyIdentifier: 'absent',
}

function flipLast(bytes: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(bytes)
  changed[changed.length - 1]! ^= 1
  return changed
}

/** The raw extension of an unknown kind ends the signed part: its last octet carries no meaning. */
function changeLastSignedOctet(der: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(der)
  const tbsLength = 4 + 256 * der[6]! + der[7]!
  changed[4 + tbsLength - 1]! ^= 1
  return changed
}

/** Replaces the first occurrence of `from`; the lengths are equal, so that the rest stays well-formed. */
function replace(bytes: Uint8Array, from: readonly number[], to: readonly number[]): Uint8Array {
  const changed = Uint8Array.from(bytes)
  const at = bytes.findIndex((_, i) => from.every((octet, j) => bytes[i + j] === octet))
  changed.set(to, at)
  return changed
}

/** One RDN of two attributes, in the order that DER forbids. */
function unsortedName(): Uint8Array {
  const name = encodeName([
    [
      { type: 'CN', value: 'client-a' },
      { type: 'O', value: 'Example' },
    ],
  ])
  const [set] = elementsOf(name) as [Uint8Array]
  const first = 2 + set[3]!
  return writeSequence(writeElement(0x31, set.subarray(2 + first), set.subarray(2, 2 + first)))
}

/** The contents of one element with a length of two octets: what every certificate here has. */
const contents = (der: Uint8Array): Uint8Array => der.subarray(4)

const accepted: Expected = { ok: true }
const refused = (code: string): Expected => ({ ok: false, code })
const policyA = '2.16.840.1.101.3.2.1.48.1'
const policyB = '2.16.840.1.101.3.2.1.48.2'
const unknownOid = '1.3.6.1.4.1.32473.1'
const caWith = (pathLenConstraint: number): CertificateOptions => ({
  basicConstraints: { cA: true, pathLenConstraint },
})
const permitting = (...permitted: GeneralNameInput[]): CertificateOptions => ({
  nameConstraints: { permitted },
})
const excluding = (...excluded: GeneralNameInput[]): CertificateOptions => ({
  nameConstraints: { excluded },
})

const catalogue: { readonly [N in VariantName]: Variant } = {
  good: {
    description: 'A client under an issuing CA under the root.',
    expected: accepted,
    make: usual(),
  },
  'good-under-root': {
    description: 'The root signed the client.',
    expected: accepted,
    make: deep([]),
  },
  'good-rsa': {
    description: 'All keys are RSA with 2048 bits.',
    expected: accepted,
    make: usual({ key: 'RSA-2048' }, { key: 'RSA-2048' }, { key: 'RSA-2048' }),
  },
  'good-rsa-pss': {
    description: 'The issuing CA signs with RSASSA-PSS.',
    expected: accepted,
    make: usual(
      { signatureScheme: { name: 'RSASSA-PSS', hash: 'SHA-256', saltLength: 32 } },
      { key: 'RSA-2048' },
    ),
  },
  'good-ed25519': {
    description: 'All keys are Ed25519.',
    expected: accepted,
    make: usual({ key: 'Ed25519' }, { key: 'Ed25519' }, { key: 'Ed25519' }),
  },
  'good-cross-signed': {
    description: 'The CA of the client is trusted only through a certificate from another root.',
    expected: accepted,
    make: crossSigned,
  },
  'good-self-issued-below-path-length': {
    description:
      'A CA with path length 0 re-keyed itself: a self-issued certificate does not count.',
    expected: accepted,
    make: rekeyed,
  },
  'good-any-extended-key-usage': {
    description: 'The client lists anyExtendedKeyUsage only.',
    expected: accepted,
    make: usual({ extendedKeyUsage: ['anyExtendedKeyUsage'] }),
  },
  'good-no-extended-key-usage': {
    description: 'The client has no extended key usage: any purpose.',
    expected: accepted,
    make: usual({ extendedKeyUsage: 'absent' }),
  },
  'good-name-constraints': {
    description: 'The DNS name lies in the permitted subtree.',
    expected: accepted,
    make: usual({ subjectAltName: [{ dns: 'a.example.com' }] }, permitting({ dns: 'example.com' })),
  },
  'good-unknown-extension': {
    description: 'An unknown extension that is not critical.',
    expected: accepted,
    make: usual({ rawExtensions: [{ oid: unknownOid, value: Uint8Array.of(5, 0) }] }),
  },
  'good-explicit-policy': {
    description: 'A policy is required, and the path has it.',
    expected: accepted,
    inputs: { initialExplicitPolicy: true, userInitialPolicySet: [policyA] },
    make: usual({ certificatePolicies: [policyA] }, { certificatePolicies: [policyA] }),
  },
  'good-policy-mapping': {
    description: 'The issuing CA maps its policy to that of the client.',
    expected: accepted,
    inputs: { initialExplicitPolicy: true, userInitialPolicySet: [policyA] },
    make: usual(
      { certificatePolicies: [policyB] },
      { certificatePolicies: [policyA], policyMappings: [[policyA, policyB]] },
    ),
  },
  'odd-serial-negative': {
    description: 'A negative serial number, which real CAs have issued.',
    expected: accepted,
    make: usual({ serialNumber: -5 }),
  },
  'odd-no-key-identifiers': {
    description: 'No certificate has a key identifier.',
    expected: accepted,
    make: usual(withoutKeyIdentifiers, withoutKeyIdentifiers, withoutKeyIdentifiers),
  },
  'odd-basic-constraints-not-critical': {
    description: 'The basic constraints of the issuing CA are not critical.',
    expected: accepted,
    make: usual({}, { criticality: { basicConstraints: false } }),
  },
  'odd-issuer-name-case': {
    description:
      'The client names its issuer in capitals, with two spaces and as a PrintableString.',
    expected: accepted,
    make: usual({ issuer: [{ type: 'CN', value: 'ISSUING  CA', as: 'PrintableString' }] }),
  },
  'odd-generalized-time': {
    description: 'A GeneralizedTime before 2050.',
    expected: accepted,
    make: usual({ notAfter: writeText(0x18, '20491231235959Z') }),
  },
  'odd-looped-cas': {
    description: 'Two CAs certify each other; a third certificate leads to the root.',
    expected: accepted,
    make: loopedAuthorities,
  },
  expired: {
    description: 'The client expired long ago.',
    expected: refused('certificate-expired'),
    make: usual({ notAfter: new Date('2021-01-01T00:00:00Z') }),
  },
  'expired-one-second-ago': {
    description: 'The client was good until one second before the time of validation.',
    expected: refused('certificate-expired'),
    make: usual({ notAfter: testTime - 1 }),
  },
  'not-yet-valid': {
    description: 'The client starts in 2048.',
    expected: refused('certificate-not-yet-valid'),
    make: usual({ notBefore: new Date('2048-01-01T00:00:00Z') }),
  },
  'intermediate-expired': {
    description: 'The issuing CA expired long ago.',
    expected: refused('certificate-expired'),
    make: usual({}, { notAfter: new Date('2021-01-01T00:00:00Z') }),
  },
  'anchor-expired': {
    description: 'The root expired long ago.',
    expected: refused('certificate-expired'),
    make: usual({}, {}, { notAfter: new Date('2021-01-01T00:00:00Z') }),
  },
  'foreign-ca': {
    description: 'A CA that nobody trusts signed the client.',
    expected: refused('issuer-unknown'),
    make: foreignAuthority,
  },
  'foreign-ca-same-name': {
    description: 'A CA with the name of the root but another key signed the client.',
    expected: refused('signature-invalid'),
    make: foreignAuthorityOfTheSameName,
  },
  'missing-intermediate': {
    description: 'The issuing CA is not there.',
    expected: refused('issuer-unknown'),
    make: missingIntermediate,
  },
  'forged-signature': {
    description: 'Another key than the issuer’s signed the client.',
    expected: refused('signature-invalid'),
    make: usual({ signingKey: 'P-256#50' }),
  },
  'changed-after-signing': {
    description: 'The last octet of the signed part was changed after signing.',
    expected: refused('signature-invalid'),
    make: usual({
      rawExtensions: [{ oid: unknownOid, value: Uint8Array.of(4, 1, 0) }],
      mutateCertificate: changeLastSignedOctet,
    }),
  },
  'damaged-signature': {
    description: 'One bit of the signature is wrong.',
    expected: refused('signature-invalid'),
    make: usual({ mutateSignature: flipLast }),
  },
  'server-only': {
    description: 'The client certificate is for serverAuth only.',
    expected: refused('extended-key-usage-server-only'),
    make: usual({ extendedKeyUsage: ['serverAuth'] }),
  },
  'wrong-extended-key-usage': {
    description: 'The client certificate is for codeSigning.',
    expected: refused('extended-key-usage-missing'),
    make: usual({ extendedKeyUsage: ['codeSigning'] }),
  },
  'ca-for-servers-only': {
    description: 'The issuing CA may issue for serverAuth only.',
    expected: refused('extended-key-usage-missing'),
    make: usual({}, { extendedKeyUsage: ['serverAuth'] }),
  },
  'no-digital-signature': {
    description: 'The key usage of the client is keyEncipherment.',
    expected: refused('key-usage-no-digital-signature'),
    make: usual({ keyUsage: ['keyEncipherment'] }),
  },
  'ca-without-cert-sign': {
    description: 'The key usage of the issuing CA lacks keyCertSign.',
    expected: refused('key-usage-no-cert-sign'),
    make: usual({}, { keyUsage: ['cRLSign'] }),
  },
  'client-as-issuer': {
    description: 'A client certificate signed another client.',
    expected: refused('basic-constraints-missing'),
    make: clientAsIssuer,
  },
  'ca-false': {
    description: 'The basic constraints of the issuing CA say that it is none.',
    expected: refused('not-a-ca'),
    make: usual({}, { basicConstraints: { cA: false } }),
  },
  'path-too-long': {
    description: 'The path length 0 of the first CA forbids the second.',
    expected: refused('path-length-exceeded'),
    make: deep([caWith(0), {}]),
  },
  'path-too-long-for-root': {
    description: 'The path length 0 of the root forbids every intermediate.',
    expected: refused('path-length-exceeded'),
    make: deep([{}], {}, caWith(0)),
  },
  'unknown-critical-extension': {
    description: 'The client has a critical extension that nobody knows.',
    expected: refused('unknown-critical-extension'),
    make: usual({
      rawExtensions: [{ oid: unknownOid, critical: true, value: Uint8Array.of(5, 0) }],
    }),
  },
  'unknown-critical-extension-in-ca': {
    description: 'The issuing CA has a critical extension that nobody knows.',
    expected: refused('unknown-critical-extension'),
    make: usual(
      {},
      { rawExtensions: [{ oid: unknownOid, critical: true, value: Uint8Array.of(5, 0) }] },
    ),
  },
  'dns-name-not-permitted': {
    description: 'The DNS name lies outside of the permitted subtree.',
    expected: refused('name-not-permitted'),
    make: usual({ subjectAltName: [{ dns: 'a.example.org' }] }, permitting({ dns: 'example.com' })),
  },
  'dns-name-excluded': {
    description: 'The DNS name lies in an excluded subtree.',
    expected: refused('name-excluded'),
    make: usual({ subjectAltName: [{ dns: 'a.example.com' }] }, excluding({ dns: 'example.com' })),
  },
  'email-excluded': {
    description: 'The mailbox lies on an excluded host.',
    expected: refused('name-excluded'),
    make: usual(
      { subjectAltName: [{ email: 'a@example.com' }] },
      excluding({ email: 'example.com' }),
    ),
  },
  'uri-not-permitted': {
    description: 'The host of the URI lies outside of the permitted subtree.',
    expected: refused('name-not-permitted'),
    make: usual(
      { subjectAltName: [{ uri: 'spiffe://example.org/a' }] },
      permitting({ uri: 'example.com' }),
    ),
  },
  'ip-address-excluded': {
    description: 'The address lies in an excluded network.',
    expected: refused('name-excluded'),
    make: usual({ subjectAltName: [{ ip: '10.1.2.3' }] }, excluding({ ip: '10.0.0.0/8' })),
  },
  'subject-not-permitted': {
    description: 'The subject lies outside of the permitted directory names.',
    expected: refused('name-not-permitted'),
    make: usual(
      { subject: 'CN=client-a,O=Other,C=DE' },
      permitting({ directoryName: 'O=Example,C=DE' }),
    ),
  },
  'name-constraint-unsupported': {
    description: 'A name of a form that the constraints name and nobody can compare.',
    expected: refused('name-form-unsupported'),
    make: usual(
      { subjectAltName: [{ registeredId: '1.2.3.4' }] },
      permitting({ registeredId: '1.2.3' }),
    ),
  },
  'policy-missing': {
    description: 'A policy is required, and the client has none.',
    expected: refused('policy-required'),
    inputs: { initialExplicitPolicy: true },
    make: usual({}, { certificatePolicies: [policyA] }),
  },
  'policy-other': {
    description: 'A policy is required, and the path has another one.',
    expected: refused('policy-required'),
    inputs: { initialExplicitPolicy: true, userInitialPolicySet: [policyA] },
    make: usual({ certificatePolicies: [policyB] }, { certificatePolicies: [policyB] }),
  },
  'policy-required-by-ca': {
    description: 'The issuing CA requires a policy, and the client has none.',
    expected: refused('policy-required'),
    make: usual(
      {},
      { certificatePolicies: [policyA], policyConstraints: { requireExplicitPolicy: 0 } },
    ),
  },
  'policy-mapping-inhibited': {
    description: 'The policies agree only through a mapping that the root forbids.',
    expected: refused('policy-required'),
    inputs: {
      initialExplicitPolicy: true,
      initialPolicyMappingInhibit: true,
      userInitialPolicySet: [policyA],
    },
    make: usual(
      { certificatePolicies: [policyB] },
      { certificatePolicies: [policyA], policyMappings: [[policyA, policyB]] },
    ),
  },
  'policy-any-inhibited': {
    description: 'The client has anyPolicy only, which does not count after inhibitAnyPolicy.',
    expected: refused('policy-required'),
    inputs: { initialExplicitPolicy: true },
    make: usual(
      { certificatePolicies: ['2.5.29.32.0'] },
      { certificatePolicies: [policyA], inhibitAnyPolicy: 0 },
    ),
  },
  'policy-mapped-from-any': {
    description: 'The issuing CA maps anyPolicy, which is forbidden.',
    expected: refused('policy-mapping-any'),
    make: usual({}, { certificatePolicies: [policyA], policyMappings: [['2.5.29.32.0', policyB]] }),
  },
  'looped-cas': {
    description: 'Two CAs certify each other, and no certificate leads to the root.',
    expected: refused('issuer-unknown'),
    make: async () => {
      const { anchors, client, intermediates } = await loopedAuthorities()
      return { anchors, client, intermediates: intermediates.slice(1) }
    },
  },
  'ca-as-client': {
    description: 'An issuing CA presents itself as a client.',
    expected: refused('key-usage-no-digital-signature'),
    make: authorityAsClient,
  },
  'dns-name-not-permitted-by-anchor': {
    description: 'The DNS name lies outside of what the root permits.',
    expected: refused('name-not-permitted'),
    make: usual(
      { subjectAltName: [{ dns: 'a.example.org' }] },
      {},
      permitting({ dns: 'example.com' }),
    ),
  },
  'policy-duplicate': {
    description: 'The client lists a policy twice.',
    expected: refused('policy-duplicate'),
    make: usual({ certificatePolicies: [policyA, policyA] }),
  },
  'rsa-exponent-1': {
    description: 'The key of the client is RSA with the exponent 1.',
    expected: refused('key-exponent'),
    make: () => usual({ subjectPublicKeyInfo: rsaPublicKey(poolModulus(), 1) })(),
  },
  'rsa-16384': {
    description: 'The key of the client is RSA with 16384 bits: it costs whoever checks it.',
    expected: refused('key-too-large'),
    make: () => usual({ subjectPublicKeyInfo: rsaPublicKey((1n << 16384n) - 1n, 65537) })(),
  },
  'signed-with-sha1': {
    description: 'The client is signed with SHA-1.',
    expected: refused('signature-algorithm-weak'),
    make: usual(
      { signatureScheme: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-1' } },
      { key: 'RSA-2048' },
    ),
  },
  'signed-with-md5': {
    description: 'The client is signed with MD5.',
    expected: refused('signature-algorithm-weak'),
    make: usual(
      { signatureScheme: { name: 'RSASSA-PKCS1-v1_5', hash: 'MD5' } },
      { key: 'RSA-2048' },
    ),
  },
  'rsa-1024': {
    description: 'The key of the client is RSA with 1024 bits.',
    expected: refused('key-too-weak'),
    make: usual({ key: 'RSA-1024' }),
  },
  'ca-with-rsa-1024': {
    description: 'The key of the issuing CA is RSA with 1024 bits.',
    expected: refused('key-too-weak'),
    make: usual({}, { key: 'RSA-1024' }),
  },
  'curve-not-allowed': {
    description: 'The key of the client lies on secp256k1.',
    expected: refused('key-algorithm-not-allowed'),
    make: usual({ key: 'secp256k1' }),
  },
  dsa: {
    description: 'The key of the client is DSA.',
    expected: refused('key-algorithm-not-allowed'),
    make: usual({ key: 'DSA-2048' }),
  },
  'signature-algorithm-mismatch': {
    description: 'The signed part names ECDSA with SHA-384, the outer part SHA-256.',
    expected: refused('signature-algorithm-mismatch'),
    make: usual({
      tbsSignature: { name: 'ECDSA', hash: 'SHA-384' },
      signatureAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    }),
  },
  'signature-algorithm-of-another-key': {
    description:
      'The client says that it is signed with RSA, and the key of the issuing CA is P-256.',
    expected: refused('signature-algorithm-key-mismatch'),
    make: usual({ tbsSignature: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } }),
  },
  'version-1-with-extensions': {
    description: 'Version 1 with extensions.',
    expected: refused('certificate-version'),
    make: usual({ version: 1, keyUsage: ['digitalSignature'] }),
  },
  'version-4': {
    description: 'Version 4, which does not exist.',
    expected: refused('certificate-version'),
    make: usual({ mutateTbs: (tbs) => replace(tbs, [0xa0, 3, 2, 1, 2], [0xa0, 3, 2, 1, 3]) }),
  },
  'version-1-ca': {
    description: 'The issuing CA is of version 1: nothing says that it is a CA.',
    expected: refused('basic-constraints-missing'),
    make: usual({}, { version: 1 }),
  },
  'duplicate-extension': {
    description: 'The key usage stands there twice.',
    expected: refused('extension-duplicate'),
    make: usual({
      rawExtensions: [{ oid: '2.5.29.15', critical: true, value: Uint8Array.of(3, 2, 7, 0x80) }],
    }),
  },
  'empty-extended-key-usage': {
    description: 'The extended key usage is an empty list.',
    expected: refused('der-truncated'),
    make: usual({ extendedKeyUsage: [] }),
  },
  'serial-not-minimal': {
    description: 'The serial number has a superfluous zero octet.',
    expected: refused('der-integer'),
    make: usual({ serialNumber: Uint8Array.of(0, 1) }),
  },
  'length-not-minimal': {
    description: 'The length of the certificate has a superfluous octet: BER, not DER.',
    expected: refused('der-length-not-minimal'),
    make: usual({
      mutateCertificate: (der) => concatBytes(Uint8Array.of(0x30, 0x83, 0), der.subarray(2)),
    }),
  },
  'length-indefinite': {
    description: 'The length of the certificate is indefinite: BER, not DER.',
    expected: refused('der-indefinite-length'),
    make: usual({
      mutateCertificate: (der) =>
        concatBytes(Uint8Array.of(0x30, 0x80), contents(der), Uint8Array.of(0, 0)),
    }),
  },
  'trailing-octet': {
    description: 'One octet follows the last field inside the certificate.',
    expected: refused('der-trailing-data'),
    make: usual({ mutateCertificate: (der) => writeSequence(contents(der), Uint8Array.of(0)) }),
  },
  truncated: {
    description: 'The last octet is missing.',
    expected: refused('der-truncated'),
    make: usual({ mutateCertificate: (der) => der.slice(0, -1) }),
  },
  'boolean-not-der': {
    description: 'TRUE is written as 0x01.',
    expected: refused('der-boolean'),
    make: usual({
      rawExtensions: [
        { oid: '2.5.29.19', value: writeSequence(writeElement(1, Uint8Array.of(1))) },
      ],
    }),
  },
  'default-written': {
    description: 'cA FALSE is written although it is the default.',
    expected: refused('der-default-value'),
    make: usual({
      rawExtensions: [{ oid: '2.5.29.19', value: writeSequence(writeBoolean(false)) }],
    }),
  },
  'set-order': {
    description: 'The two attributes of the subject’s RDN are not in DER order.',
    expected: refused('der-set-order'),
    make: () => usual({ subject: unsortedName() })(),
  },
  'time-without-seconds': {
    description: 'notAfter has no seconds.',
    expected: refused('der-time'),
    make: usual({
      notAfter: writeText(0x17, '4912312359Z'),
    }),
  },
  'time-with-offset': {
    description: 'notAfter has a time zone.',
    expected: refused('der-time'),
    make: usual({
      notAfter: writeText(0x17, '491231235959+0000'),
    }),
  },
  'bad-printable-string': {
    description: 'An asterisk in a PrintableString of the subject.',
    expected: refused('der-string'),
    make: usual({ subject: [{ type: 'CN', value: 'client*a', as: 'PrintableString' }] }),
  },
  'ip-address-of-five-octets': {
    description: 'An IP address of five octets.',
    expected: refused('extension-malformed'),
    make: usual({ subjectAltName: [{ ip: Uint8Array.of(10, 0, 0, 1, 5) }] }),
  },
}

/** What there is: name, one sentence, and the verdict. */
export const variants: {
  readonly [N in VariantName]: { readonly description: string; readonly expected: Expected }
} = catalogue

/** The names of all variants, those that must be let in first. */
export const variantNames: readonly VariantName[] = /* @__PURE__ */ Object.keys(
  catalogue,
) as VariantName[]
