/**
 * What a key may be used for: key usage and extended key usage of the target and of every CA, RFC 5280 §4.2.1.3 and
 * RFC 5280 §4.2.1.12.
 *
 * The extended key usage of a CA has no rule in RFC 5280 §6.1; we read it as Windows, NSS, Go and
 * OpenSSL do: a CA that lists purposes cannot pass on others. One purpose has to hold along the whole path, so the purposes that are left are narrowed from the
 * target up; they are a small bit set, which costs a search nothing to carry and to go back to.
 *
 * @module
 */
import type { Certificate } from '../x509/certificate.ts'

export type ExtendedPurpose = 'clientAuth' | 'serverAuth'

/** `any` looks at no extended key usage at all. */
export type Purpose = ExtendedPurpose | 'any'

/** Bits: 1 clientAuth, 2 serverAuth, 4 any. 0: no purpose is left. */
export type PurposeSet = number

/** `index`: position in the path, 0 is the target. `purposes`: what the certificate lists, dotted decimal, in its order. */
export type PurposeFailure =
  | {
      readonly code: 'extended-key-usage-missing'
      readonly index: number
      readonly wanted: readonly ExtendedPurpose[]
      readonly purposes: readonly string[]
    }
  | { readonly code: 'extended-key-usage-server-only'; readonly purposes: readonly string[] }
  | { readonly code: 'key-usage-no-digital-signature' }
  | { readonly code: 'key-usage-no-cert-sign'; readonly index: number }

export interface PurposeWarning {
  readonly code: 'extended-key-usage-any'
  readonly index: number
}

/**
 * The purposes of which one has to hold along the path.
 *
 * @param acceptedPurposes - What the extended key usage may say instead; absent: `purpose` alone.
 */
export function wantedPurposes(
  purpose: Purpose,
  acceptedPurposes?: readonly ExtendedPurpose[],
): PurposeSet {
  if (purpose === 'any') return anyBit
  let wanted = 0
  for (const accepted of acceptedPurposes ?? [purpose]) wanted |= bits[accepted]
  return wanted
}

/**
 * The purposes of `remaining` that `certificate` allows too. No extension, or anyExtendedKeyUsage in it, allows all of them.
 * RFC 5280 §4.2.1.12
 */
export function narrowPurposes(certificate: Certificate, remaining: PurposeSet): PurposeSet {
  const extension = certificate.tbsCertificate.extensions.extendedKeyUsage
  if (extension === undefined || remaining === anyBit) return remaining
  let allowed = 0
  for (const purpose of extension.purposes) {
    if (purpose === anyExtendedKeyUsage) return remaining
    if (purpose === clientAuth) allowed |= bits.clientAuth
    if (purpose === serverAuth) allowed |= bits.serverAuth
  }
  return remaining & allowed
}

/**
 * Reports why the key of `target` is not for `purpose`. A client proves its key by signing (RFC 8446 §4.4.3), so for
 * clientAuth a key usage, if present, has digitalSignature, whatever `wanted` accepts besides; other purposes do not look.
 *
 * @param wanted - From `wantedPurposes`; an empty set refuses every target.
 */
export function checkTargetPurpose(
  target: Certificate,
  purpose: Purpose,
  wanted: PurposeSet,
): PurposeFailure | undefined {
  const { keyUsage, extendedKeyUsage } = target.tbsCertificate.extensions
  if (narrowPurposes(target, wanted) === 0) {
    const purposes = extendedKeyUsage?.purposes ?? []
    // Its own code: public CAs stop issuing clientAuth, and accepting serverAuth as well is the remedy.
    return wanted === bits.clientAuth && purposes.includes(serverAuth)
      ? { code: 'extended-key-usage-server-only', purposes }
      : { code: 'extended-key-usage-missing', index: 0, wanted: listPurposes(wanted), purposes }
  }
  if (purpose === 'clientAuth' && keyUsage !== undefined && !(keyUsage.bits & digitalSignature)) {
    return { code: 'key-usage-no-digital-signature' }
  }
  return undefined
}

/**
 * Reports why `ca` may not stand above certificates for the purposes that are left.
 *
 * @param remaining - What `narrowPurposes` left of the purposes below `ca`.
 */
export function checkCaPurpose(
  ca: Certificate,
  index: number,
  remaining: PurposeSet,
): PurposeFailure | undefined {
  const { extendedKeyUsage } = ca.tbsCertificate.extensions
  if (narrowPurposes(ca, remaining) !== 0) return undefined
  const purposes = extendedKeyUsage?.purposes ?? []
  return {
    code: 'extended-key-usage-missing',
    index,
    wanted: listPurposes(remaining),
    purposes,
  }
}

/** Reports that `ca` has a key usage without keyCertSign. RFC 5280 §6.1.4 (n) */
export function checkCertSign(ca: Certificate, index: number): PurposeFailure | undefined {
  const { keyUsage } = ca.tbsCertificate.extensions
  return keyUsage !== undefined && !(keyUsage.bits & keyCertSign)
    ? { code: 'key-usage-no-cert-sign', index }
    : undefined
}

/**
 * Warns when only anyExtendedKeyUsage lets `certificate` stand on the path: RFC 5280 §4.2.1.12 lets an application refuse it.
 *
 * @param held - The purposes that held along the whole path.
 */
export function warnOfAnyPurpose(
  certificate: Certificate,
  index: number,
  held: PurposeSet,
): PurposeWarning | undefined {
  const extension = certificate.tbsCertificate.extensions.extendedKeyUsage
  if (extension === undefined || held === anyBit) return undefined
  if (!extension.purposes.includes(anyExtendedKeyUsage)) return undefined
  for (const purpose of listPurposes(held)) {
    if (extension.purposes.includes(purpose === 'clientAuth' ? clientAuth : serverAuth)) {
      return undefined
    }
  }
  return { code: 'extended-key-usage-any', index }
}

/** The members of a set that is not `any`. */
export function listPurposes(set: PurposeSet): readonly ExtendedPurpose[] {
  const purposes: ExtendedPurpose[] = []
  if (set & bits.clientAuth) purposes.push('clientAuth')
  if (set & bits.serverAuth) purposes.push('serverAuth')
  return purposes
}

const clientAuth = '1.3.6.1.5.5.7.3.2'
const serverAuth = '1.3.6.1.5.5.7.3.1'
const anyExtendedKeyUsage = '2.5.29.37.0'

const bits: Readonly<Record<ExtendedPurpose, PurposeSet>> = { clientAuth: 1, serverAuth: 2 }
const anyBit: PurposeSet = 4

const digitalSignature = 1 << 0
const keyCertSign = 1 << 5
