/** How much may come at once. Local limits: what is larger is refused before it is read. @module */

/** Octets of JSON that describe one thing: an ACL of some ten thousand lines. */
export const maxDocument = 1_048_576
/** Policies of an API proxy: each is looked at when one is moved. */
export const maxPolicies = 1000

/** For what comes as a part of a file, and alone would be a body of its own. */
export function isSmall(value: unknown): boolean {
  return Buffer.byteLength(JSON.stringify(value) ?? '') <= maxDocument
}

export const smallWords: string = `at most ${maxDocument} octets of JSON`
