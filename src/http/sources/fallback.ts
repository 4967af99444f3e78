/** Several sources in turn. @module */

import { misuse } from '../../client/misuse.ts'
import { absentByProxy } from '../proxy-trust.ts'
import type { HttpRequest } from '../request.ts'
import { absent, type ClientCertificateSource, type Found } from '../source.ts'

/**
 * Asks `second` only when `first` knows that there is no certificate (`absent`). A header that cannot be believed is an answer, and
 * the last one: else a client could choose the source by breaking the header.
 *
 * A source that reads no header, as that of the TLS connection, tells who connected. Where that is a trusted proxy whose client had no
 * certificate, it is not asked: it would find the proxy's own, and let every client in as the proxy.
 *
 * @throws TypeError with code `option-missing` when one of them is no source.
 * @example
 * const trust = { addresses: ['10.0.0.0/8'] }
 * const source = fallback(rfc9440({ trust }), nginx({ trust }))
 * console.log(source.name) // rfc9440, nginx
 */
export function fallback(
  first: ClientCertificateSource,
  second: ClientCertificateSource,
): ClientCertificateSource {
  for (const source of [first, second]) {
    if (typeof source?.read !== 'function') {
      throw misuse('option-missing', 'fallback needs two sources', { option: 'source' })
    }
  }
  return new Fallback([...partsOf(first), ...partsOf(second)])
}

/** Flat, so that what one source knows of the proxy counts for all that follow. */
class Fallback implements ClientCertificateSource {
  readonly parts: readonly ClientCertificateSource[]
  readonly name: string
  readonly headers: readonly string[]
  readonly read: (request: HttpRequest) => Found

  constructor(parts: readonly ClientCertificateSource[]) {
    this.parts = parts
    this.name = parts.map(({ name }) => name).join(', ')
    this.headers = [...new Set(parts.flatMap(({ headers }) => headers))]
    this.read = (request) => readInTurn(parts, request)
  }

  accepted(certificates: readonly Uint8Array[]): void {
    for (const part of this.parts) part.accepted?.(certificates)
  }
}

function partsOf(source: ClientCertificateSource): readonly ClientCertificateSource[] {
  return source instanceof Fallback ? source.parts : [source]
}

function readInTurn(parts: readonly ClientCertificateSource[], request: HttpRequest): Found {
  let last: Found = absent
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as ClientCertificateSource
    if (last === absentByProxy && part.headers.length === 0) continue
    const found = part.read(request)
    if (found.kind !== 'absent') return i === 0 ? found : tellApart(found, i)
    if (last !== absentByProxy) last = found
  }
  return last
}

/** The same text may mean other octets to each source; no source's own key begins with a line feed. */
function tellApart(found: Found, index: number): Found {
  return found.kind === 'presented' && typeof found.key === 'string'
    ? { ...found, key: `\n${index}\n${found.key}` }
    : found
}
