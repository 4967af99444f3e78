/** How much may come at once. Local limits: what is larger is refused before it is read. @module */

/** Octets of JSON that describe one thing: an ACL of some ten thousand lines. */
export const maxDocument = 1_048_576
/** A trust store has at most so many certificates of each part, and so many octets of DER: what a snapshot has room for. */
export const maxCertificates = 5000
export const maxCertificateOctets = 8_388_608
/** One part as a file: its DER is 11.4 MiB of PEM, and bundles have comments between. */
export const maxCertificateFile = 16_777_216
/** Both parts as JSON: base64 of their DER is 22.4 MiB, and beside each certificate may stand what was read of it. */
export const maxTrustStore = 33_554_432
/** The largest lists of public CAs have some 40 MiB. */
export const maxCrlFile = 67_108_864
/** An export with its CRLs. */
export const maxProjectFile = 67_108_864
/** Policies of an API proxy: each is looked at when one is moved. */
export const maxPolicies = 1000

/** For what comes as a part of a file, and alone would be a body of its own. */
export function isSmall(value: unknown): boolean {
  return Buffer.byteLength(JSON.stringify(value) ?? '') <= maxDocument
}

export const smallWords: string = `at most ${maxDocument} octets of JSON`
