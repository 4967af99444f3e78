/**
 * The certificate of this process's own TLS connection. The handshake proves that the client holds its key, and nothing else is taken
 * from it: what the TLS library thinks of the path is not asked, because a resumed session may be called authorized without a certificate.
 *
 * @module
 */

import { bytesEqual } from '../../base/bytes.ts'
import { success } from '../../base/result.ts'
import { misuse } from '../../client/misuse.ts'
import { Generations } from '../../runtime/generations.ts'
import type { Connection } from '../request.ts'
import { absent, type ClientCertificateSource, type Found, unbelievable } from '../source.ts'

export interface TlsOptions {
  /**
   * Accepted clients whose intermediates are remembered, at most; default 1,000. A resumed session brings the client's own certificate
   * alone (RFC 8446 §2.2), so that a client whose issuer is not configured would be refused on it. 0: none are.
   */
  readonly rememberedChains?: number | undefined
}

/**
 * Reads the certificate of the TLS connection. The server must ask for one, and must not refuse by itself:
 * `requestCert: true, rejectUnauthorized: false`, so that a refusal is an answer with a reason.
 *
 * @example
 * const source = tls({ rememberedChains: 10_000 })
 * console.log(source.name) // tls
 */
export function tls(options: TlsOptions = {}): ClientCertificateSource {
  const { rememberedChains = 1000, ...others } = options
  for (const option of Object.keys(others)) {
    throw misuse('option-unknown', `there is no option ${option}`, { option })
  }
  if (!Number.isSafeInteger(rememberedChains) || rememberedChains < 0) {
    throw misuse('option-invalid', 'rememberedChains must be a whole number from 0', {
      option: 'rememberedChains',
    })
  }
  const found = new WeakMap<Connection, Found>()
  const chains = rememberedChains === 0 ? undefined : new Chains(rememberedChains)
  return {
    name: 'tls',
    headers: [],
    read: ({ connection }) => {
      if (connection === undefined) return noTls
      const known = found.get(connection)
      if (known !== undefined) return known
      const first = readConnection(connection, chains)
      found.set(connection, first)
      return first
    },
    accepted: (certificates) => chains?.remember(certificates),
  }
}

const noTls: Found = unbelievable({ code: 'connection-not-tls' })

function readConnection(connection: Connection, chains: Chains | undefined): Found {
  const { tls } = connection
  if (tls === undefined) return noTls
  const sent = tls.certificates()
  const [leaf] = sent
  if (leaf === undefined) return absent
  const certificates = sent.length === 1 && tls.isResumed ? (chains?.of(leaf) ?? sent) : sent
  return { kind: 'presented', key: connection, read: () => success(certificates) }
}

/** What accepted clients sent, by their own certificate. */
class Chains {
  readonly #known: Generations<readonly Uint8Array[]>

  constructor(count: number) {
    this.#known = new Generations(Math.ceil(count / 2))
  }

  remember(certificates: readonly Uint8Array[]): void {
    const [leaf] = certificates
    if (leaf !== undefined && certificates.length > 1) this.#known.set(endOf(leaf), certificates)
  }

  of(leaf: Uint8Array): readonly Uint8Array[] | undefined {
    const known = this.#known.get(endOf(leaf))
    return known?.[0] !== undefined && bytesEqual(known[0], leaf) ? known : undefined
  }
}

/** The end of a certificate is its signature; the whole is compared besides. */
function endOf(leaf: Uint8Array): string {
  return String.fromCharCode(...leaf.subarray(-16))
}
