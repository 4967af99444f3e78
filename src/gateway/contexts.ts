/** What a listener shows in a handshake: a certificate, and the names of CAs whose clients are wanted (RFC 8446 §4.2.4). @module */

import { randomBytes } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import type { TrustAnchors } from '../client/trust-anchors.ts'
import type { ServerCertificate } from './certificates.ts'

/** CAs to name. Two with the same `key` name the same ones. */
export interface Hint {
  readonly key: string
  readonly ca: readonly string[]
}

export const noHint: Hint = { key: '', ca: [] }

/** Puts the CAs of several proxies together, unless their names are more than the message holds. */
export function hintOf(anchors: Iterable<TrustAnchors>): Hint {
  const all = new Set(anchors)
  const certificates = new Map<string, Uint8Array>()
  const names = new Set<string>()
  let length = 0
  for (const { anchors: list } of all) {
    for (const { name, certificate } of list) {
      // OpenSSL takes names from certificates alone.
      if (certificate === undefined) continue
      const der = Buffer.from(name.der).toString('latin1')
      if (names.has(der)) continue
      names.add(der)
      length += name.der.length + 2
      if (length > maxNames) return noHint
      certificates.set(der, certificate.der)
    }
  }
  if (certificates.size === 0) return noHint
  const key = [...all].map(idOf).sort().join()
  return { key, ca: [...certificates.values()].map(pemOf) }
}

/** Made at the first handshake that needs one: a thousand hosts are not a thousand contexts. */
export class Contexts {
  readonly #contexts = new Map<string, SecureContext>()
  /** Of tickets: they stay good when certificates are reloaded. */
  readonly #ticketKeys = randomBytes(48)

  of(certificate: ServerCertificate, hint: Hint): SecureContext {
    const key = `${certificate.index} ${hint.key}`
    const known = this.#contexts.get(key)
    if (known !== undefined) return known
    const made = createSecureContext(this.optionsOf(certificate, hint))
    if (this.#contexts.size >= maxContexts) this.#contexts.clear()
    this.#contexts.set(key, made)
    return made
  }

  optionsOf({ cert, key }: ServerCertificate, { ca }: Hint): SecureContextOptions {
    return {
      cert,
      key,
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
      ticketKeys: this.#ticketKeys,
      ...(ca.length === 0 ? {} : { ca: [...ca] }),
    }
  }

  /** After a reload. Connections that are open keep what they have. */
  clear(): void {
    this.#contexts.clear()
  }
}

const ids = new WeakMap<TrustAnchors, number>()
let lastId = 0

function idOf(anchors: TrustAnchors): number {
  let id = ids.get(anchors)
  if (id === undefined) {
    id = ++lastId
    ids.set(anchors, id)
  }
  return id
}

function pemOf(der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}

/** The vector of RFC 8446 §4.2.4 has at most 65,535 octets; some for the rest of the extension. */
const maxNames = 65_000
const maxContexts = 1000
