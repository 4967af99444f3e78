import { fromHex } from '../../src/base/hex.ts'
import { DerError } from '../../src/der/error.ts'

/** Octets of hexadecimal text; blanks only part it. */
export function hex(text: string): Uint8Array {
  const bytes = fromHex(text.replaceAll(' ', ''))
  if (bytes === undefined) throw new TypeError(`not hexadecimal: ${text}`)
  return bytes
}

/** What a reader refuses, as facts; `undefined` when it does not. Other errors pass through. */
export function derFailure(
  read: () => unknown,
): Pick<DerError, 'code' | 'offset' | 'expected'> | undefined {
  try {
    read()
    return undefined
  } catch (error) {
    if (!(error instanceof DerError)) throw error
    const { code, offset, expected } = error
    return { code, offset, expected }
  }
}
