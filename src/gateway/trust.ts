/** What policies are held against, made from a snapshot; what proxies have in common is parsed once. @module */

import { createHash } from 'node:crypto'
import { type IssuerAcl, parseIssuerAcl } from '../acl/index.ts'
import { decodeBase64 } from '../base/base64.ts'
import { type Intermediates, parseIntermediates } from '../client/intermediates.ts'
import { parseTrustAnchors, type TrustAnchors } from '../client/trust-anchors.ts'
import type { Snapshot } from '../deployment/snapshot.ts'

export interface Material {
  /** Absent: none are configured. */
  readonly trustAnchors: TrustAnchors | undefined
  readonly intermediates: Intermediates | undefined
  readonly issuerAcl: IssuerAcl | undefined
}

/** Remembers what was parsed as long as anybody uses it: a project's anchors are those of all its proxies. */
export class MaterialReader {
  readonly #known = new Map<string, WeakRef<object>>()

  /** @throws TypeError with a `code` for what cannot be read. */
  read({ trustAnchors, intermediates, issuerAcl }: Snapshot): Material {
    return {
      trustAnchors:
        trustAnchors.length === 0
          ? undefined
          : this.#once('anchors', trustAnchors, () => parseTrustAnchors(octetsOf(trustAnchors))),
      intermediates:
        intermediates.length === 0
          ? undefined
          : this.#once('pool', intermediates, () => parseIntermediates(octetsOf(intermediates))),
      issuerAcl:
        issuerAcl === null
          ? undefined
          : this.#once('acl', [issuerAcl], () => parseIssuerAcl(issuerAcl)),
    }
  }

  /** Forgets what nobody uses any more. */
  sweep(): void {
    for (const [key, known] of this.#known) if (known.deref() === undefined) this.#known.delete(key)
  }

  #once<T extends object>(kind: string, texts: readonly string[], make: () => T): T {
    const hash = createHash('sha256')
    for (const text of texts) hash.update(text).update('\n')
    const key = `${kind} ${hash.digest('base64')}`
    const known = this.#known.get(key)?.deref()
    // The key names the kind of what it leads to.
    if (known !== undefined) return known as T
    const made = make()
    this.#known.set(key, new WeakRef(made))
    return made
  }
}

/** Was checked when the snapshot was read; what is no base64 is given as it is, and refused by name. */
function octetsOf(texts: readonly string[]): readonly (Uint8Array | string)[] {
  return texts.map((text) => decodeBase64(text) ?? text)
}
