/** PEM: RFC 7468, read leniently around the blocks and strictly inside them. @module */

import { decodeBase64, encodeBase64 } from './base64.ts'

export interface PemBlock {
  /** As in `-----BEGIN label-----`. */
  readonly label: string
  readonly bytes: Uint8Array
  /** Where the block begins, in UTF-16 units of the text. */
  readonly offset: number
}

export type PemFailure =
  | { readonly code: 'pem-no-end'; readonly label: string; readonly offset: number }
  | { readonly code: 'pem-base64'; readonly label: string; readonly offset: number }

/**
 * Finds every block of a text: any line endings and widths, any text around them. A damaged block ends the reading, because what
 * follows it may be taken for something else.
 *
 * @returns Blocks in their order and the failure, if any, of the block after them.
 */
export function readPem(text: string): {
  readonly blocks: readonly PemBlock[]
  readonly failure: PemFailure | undefined
} {
  const blocks: PemBlock[] = []
  let position = 0
  for (;;) {
    const offset = text.indexOf(begin, position)
    if (offset === -1) return { blocks, failure: undefined }
    const labelEnd = text.indexOf(dashes, offset + begin.length)
    const label = labelEnd === -1 ? '' : text.slice(offset + begin.length, labelEnd)
    if (labelEnd === -1 || label.length > maxLabel || /[\r\n]/.test(label)) {
      return { blocks, failure: { code: 'pem-no-end', label: label.slice(0, maxLabel), offset } }
    }
    const bodyStart = labelEnd + dashes.length
    const bodyEnd = text.indexOf(`-----END ${label}-----`, bodyStart)
    if (bodyEnd === -1) return { blocks, failure: { code: 'pem-no-end', label, offset } }
    const bytes = decodeBase64(text, headersEnd(text, bodyStart, bodyEnd), bodyEnd)
    if (bytes === undefined || bytes.length === 0) {
      return { blocks, failure: { code: 'pem-base64', label, offset } }
    }
    blocks.push({ label, bytes, offset })
    position = bodyEnd + label.length + 14
  }
}

/** One block, lines of 64 characters: RFC 7468 §2. */
export function writePem(label: string, bytes: Uint8Array): string {
  const lines = encodeBase64(bytes).match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

/** RFC 1421 headers (`Proc-Type: …`) come before an empty line; OpenSSL writes them for encrypted keys. */
function headersEnd(text: string, start: number, end: number): number {
  // Only in this block: looking through all that follows, for every block again, would be quadratic.
  const colon = text.slice(start, end).indexOf(':')
  if (colon === -1) return start
  for (let i = start + colon; i < end; i++) {
    if (text[i] !== '\n') continue
    const next = text[i + 1] === '\r' ? i + 2 : i + 1
    if (text[next] === '\n') return next
  }
  return start
}

const begin = '-----BEGIN '
const dashes = '-----'
/** Local limit: the longest registered label has 22 characters. */
const maxLabel = 64
