/** The header `Host` among all that came: RFC 9110 §7.2. @module */

/**
 * @param rawHeaders - Names and values in turns.
 * @returns `undefined` when there is none, and when there are several: RFC 9112 §3.2 has such a request refused, Node takes the first.
 */
export function hostOf(rawHeaders: readonly string[]): string | undefined {
  let host: string | undefined
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue
    if (host !== undefined) return undefined
    host = rawHeaders[i + 1]
  }
  return host
}
