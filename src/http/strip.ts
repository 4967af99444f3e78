/** Takes headers away that a client must not pass on: those of the source, and those that tell who it is. @module */

/** Names to take away, and their twins, which servers further on may take for them. */
export class StrippedHeaders {
  readonly #names: ReadonlySet<string>

  /** @param names - Lower case. */
  constructor(names: readonly string[]) {
    this.#names = new Set(names.map(folded))
  }

  get isEmpty(): boolean {
    return this.#names.size === 0
  }

  /** @param name - In any case. */
  has(name: string): boolean {
    return this.#names.has(folded(name.toLowerCase()))
  }

  /** Names and values in turns, without those. The same list when there is none of them. */
  without(rawHeaders: readonly string[]): readonly string[] {
    let kept: string[] | undefined
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] as string
      if (this.has(name)) kept ??= rawHeaders.slice(0, i)
      else kept?.push(name, rawHeaders[i + 1] as string)
    }
    return kept ?? rawHeaders
  }
}

/**
 * One spelling for all that servers may take for the same name. CGI makes `_` of `-` (RFC 3875 §4.1.18), PHP makes it of `.`, and lighttpd
 * of everything that is no letter or digit.
 *
 * @param name - Lower case.
 */
export function folded(name: string): string {
  return name.replace(/[^a-z\d-]/g, '-')
}
