/** Holds a certificate, and the path above it, against the kill list. Digests are asked for only when an entry needs them. @module */

import { bytesEqual } from '../base/bytes.ts'
import { toHex } from '../base/hex.ts'
import { ask, type Steps } from '../effect/effect.ts'
import type { Refusal } from '../path/build.ts'
import type { ValidatedPath } from '../path/complete.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { Name } from '../x509/name.ts'
import { nameKey } from '../x509/name-match.ts'
import { rewriteSignature } from '../x509/rewritten-signature.ts'
import type { KillIndex, KillList, Listed } from './kill-list.ts'
import { type Kind, serialKeyOf } from './kill-list-entry.ts'
import type { KillFailure, KillQuestions } from './kill-lists.ts'

/** One validation's questions to the list, which may change meanwhile. */
export class KillCheck implements KillQuestions {
  readonly #list: KillList
  readonly #index: () => KillIndex
  /** Unix seconds. */
  readonly #time: number
  /** Of the list, when the target was looked up. */
  #epoch: number
  /** Unix seconds: before that, an entry counted whose time is over. */
  from: number = Number.NEGATIVE_INFINITY

  /** @param index - What the list holds at the moment. */
  constructor(list: KillList, index: () => KillIndex, time: number) {
    this.#list = list
    this.#index = index
    this.#time = time
    this.#epoch = list.epoch
  }

  /** Whether there is nothing to look up. */
  get isIdle(): boolean {
    return this.#list.size === 0 && !this.isOutdated
  }

  /** Whether the list has changed since the target was looked up. */
  get isOutdated(): boolean {
    return this.#list.epoch !== this.#epoch
  }

  /** What can be said before a path is known: by the target's octets and key, and by the issuer that it claims. */
  *target(target: Certificate): Steps<KillFailure | undefined> {
    this.#epoch = this.#list.epoch
    return (
      (yield* this.#certificate(target, 0)) ??
      this.#issuerName(1, () => target.tbsCertificate.issuer)
    )
  }

  /** Every CA of the path, the anchor included; and the target in what takes its issuer's key, or is new. */
  *path({ certificates, anchor }: ValidatedPath): Steps<Refusal<KillFailure> | undefined> {
    const [target] = certificates as readonly [Certificate]
    const spkiAt = (position: number): Uint8Array =>
      (certificates[position]?.tbsCertificate ?? anchor).subjectPublicKeyInfo.der
    const failure =
      (this.isOutdated ? yield* this.target(target) : undefined) ??
      (this.#has('fingerprint') ? yield* this.#rewritten(target, 0, spkiAt(1)) : undefined)
    if (failure !== undefined) return { failure, definite: true }
    for (let i = 1; i <= certificates.length; i++) {
      const certificate = i === certificates.length ? anchor.certificate : certificates[i]
      const killed =
        this.#issuerName(i, () => certificates[i]?.tbsCertificate.subject ?? anchor.name) ??
        (this.#has('issuerSpki') || this.#has('spki')
          ? yield* this.#key(i, spkiAt(i))
          : undefined) ??
        (certificate && (yield* this.#certificate(certificate, i, spkiAt(i + 1))))
      // Another path may avoid this CA.
      if (killed !== undefined) return { failure: killed, definite: false }
    }
    return undefined
  }

  /** By serial number, octets, key and fingerprint; in both forms, once the issuer's key is known. */
  *#certificate(
    certificate: Certificate,
    position: number,
    issuerSpki?: Uint8Array,
  ): Steps<KillFailure | undefined> {
    const { tbsCertificate, der } = certificate
    if (this.#has('serial') || this.#has('certificate')) {
      const key = serialKeyOf(certificate)
      let issuerKey: string | undefined
      const found =
        this.#find('serial', key, (one) => {
          issuerKey ??= nameKey(tbsCertificate.issuer)
          return one.issuerKey === issuerKey
        }) ??
        this.#find(
          'certificate',
          key,
          ({ tbs }) => tbs !== undefined && bytesEqual(tbs, tbsCertificate.der),
        )
      if (found !== undefined) return killed(position, found)
    }
    if (this.#has('spki') && position === 0) {
      const found = this.#find('spki', yield* sha256(tbsCertificate.subjectPublicKeyInfo.der))
      if (found !== undefined) return killed(position, found)
    }
    if (!this.#has('fingerprint')) return undefined
    return (
      killed(position, this.#find('fingerprint', yield* sha256(der))) ??
      (issuerSpki && (yield* this.#rewritten(certificate, position, issuerSpki)))
    )
  }

  /** The fingerprint that the certificate has with its ECDSA signature in the other form. */
  *#rewritten(
    certificate: Certificate,
    position: number,
    issuerSpki: Uint8Array,
  ): Steps<KillFailure | undefined> {
    const twin = rewriteSignature(certificate, issuerSpki)
    return twin && killed(position, this.#find('fingerprint', yield* sha256(twin)))
  }

  #issuerName(position: number, name: () => Name): KillFailure | undefined {
    return this.#has('issuerName')
      ? killed(position, this.#find('issuerName', nameKey(name())))
      : undefined
  }

  /** The key of a CA, which may be a bare anchor. */
  *#key(position: number, spki: Uint8Array): Steps<KillFailure | undefined> {
    const digest = yield* sha256(spki)
    return killed(position, this.#find('issuerSpki', digest) ?? this.#find('spki', digest))
  }

  #has(kind: Kind): boolean {
    return this.#index()[kind].size > 0
  }

  /** @param isMeant - Tells those apart that have one key. */
  #find(
    kind: Kind,
    key: string,
    isMeant: (listed: Listed) => boolean = () => true,
  ): Listed | undefined {
    const alike = this.#index()[kind].get(key)
    const longest = alike?.findLast(isMeant)
    if (longest === undefined || !(this.#time > longest.expires)) return longest
    this.from = Math.max(this.from, longest.expires + 1)
    return undefined
  }
}

function killed(position: number, listed: Listed | undefined): KillFailure | undefined {
  if (listed === undefined) return undefined
  const { kind, entry } = listed
  const isOfIssuer = kind === 'issuerName' || kind === 'issuerSpki'
  const code = isOfIssuer ? 'issuer-killed' : 'certificate-killed'
  return { code, index: position, entry }
}

function* sha256(data: Uint8Array): Steps<string> {
  return toHex(yield* ask({ op: 'digest', hash: 'SHA-256', data }))
}
