/** Revocation data of one proxy: what the manager sent, and what is fetched. @module */

import type { RevocationOptions } from '../client/revocation-options.ts'
import type { RevocationSettings } from '../deployment/snapshot.ts'
import { parseCrls, type Crls as RevocationLists } from '../revocation/crls.ts'
import type { StatusProvider, WantedStatus } from '../revocation/provider.ts'
import { OcspResponses } from '../revocation/responses.ts'
import type { RevocationEvent } from '../runtime/revocation/event.ts'
import { createRevocationSource, type RevocationSource } from '../runtime/revocation/source.ts'
import type { CertificateList } from '../x509/crl.ts'

/** Lists that were uploaded and lists that are fetched, as one provider whose epoch grows with each change of either. */
export class LiveRevocation implements StatusProvider {
  epoch = 0
  crls: RevocationLists
  responses: OcspResponses
  readonly #source: RevocationSource | undefined
  readonly #listeners = new Set<() => void>()
  #uploaded: readonly CertificateList[] = []

  constructor(settings: RevocationSettings, onEvent: (event: RevocationEvent) => void) {
    this.#source = sourceOf(settings, onEvent)
    this.crls = this.#source?.crls ?? parseCrls([])
    this.responses = this.#source?.responses ?? new OcspResponses([])
    this.#source?.onChange(() => this.#publish())
  }

  /** Puts these lists in the place of all that were uploaded before. */
  upload(lists: readonly CertificateList[]): void {
    const before = this.#uploaded
    if (lists.length === before.length && lists.every((list, index) => list === before[index])) {
      return
    }
    this.#uploaded = lists
    this.#publish()
  }

  readonly request = (wanted: WantedStatus): Promise<void> | undefined =>
    this.#source?.request(wanted)

  readonly onChange = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  async close(): Promise<void> {
    await this.#source?.close()
  }

  #publish(): void {
    const fetched = this.#source?.crls.lists ?? []
    this.crls = parseCrls([...this.#uploaded, ...fetched])
    if (this.#source !== undefined) this.responses = this.#source.responses
    this.epoch++
    for (const listener of [...this.#listeners]) listener()
  }
}

/** `undefined`: nothing is fetched. */
function sourceOf(
  { urls, distributionPoints, responder, allowAddresses }: RevocationSettings,
  onEvent: (event: RevocationEvent) => void,
): RevocationSource | undefined {
  if (urls.length === 0 && !distributionPoints && responder === null) return undefined
  return createRevocationSource({
    crls: { urls, distributionPoints },
    ...(responder === null ? {} : { ocsp: { responder } }),
    allowAddresses,
    onEvent,
  })
}

export function revocationOptions(
  { mode, onUnknown, depth, distributionPoints, responder }: RevocationSettings,
  source: LiveRevocation,
): RevocationOptions {
  // What certificates name is fetched at first sight: the first client of a CA waits for it, the others do not.
  const wait = distributionPoints || responder !== null ? firstFetch : 0
  return { mode, onUnknown, depth, source, ...(wait === 0 ? {} : { wait }) }
}

/** Milliseconds. */
const firstFetch = 5000
