/**
 * Reads TypeScript as far as the rules about sources need it: what is code, what a comment, what a text.
 *
 * @module
 */

/** A place in a source where a rule does not hold, as `line: text`. */
export type Finding = string

export interface SourceText {
  /** The source with comments and the insides of texts blanked out; every offset and line is as before. */
  readonly code: string
  /** What the source imports or re-exports, types and dynamic imports included. */
  readonly specifiers: readonly { readonly name: string; readonly offset: number }[]
}

/** Splits `source` into code and the rest. A `/` is a division after a value and else starts a regular expression. */
export function readSource(source: string): SourceText {
  const code = [...source.replace(/[^\n]/gu, (c) => ' '.repeat(c.length))]
  const keep = (from: number, to: number) => {
    for (let i = from; i < to; i++) code[i] = source[i] as string
  }
  /** For each open brace: whether its closing brace goes back into a template. */
  const braces: boolean[] = []
  let at = 0
  let lastToken = ''

  /** Blanks a template's text from `at` up to its end or to the code inside it. */
  const template = () => {
    while (at < source.length) {
      if (source[at] === '\\') at += 2
      else if (source.startsWith('${', at)) {
        keep(at, at + 2)
        at += 2
        braces.push(true)
        lastToken = '('
        return
      } else if (source[at++] === '`') {
        keep(at - 1, at)
        lastToken = ')'
        return
      }
    }
  }

  while (at < source.length) {
    const here = source[at] as string
    if (source.startsWith('//', at) || (at === 0 && source.startsWith('#!'))) {
      const end = source.indexOf('\n', at)
      at = end < 0 ? source.length : end
    } else if (source.startsWith('/*', at)) {
      const end = source.indexOf('*/', at + 2)
      at = end < 0 ? source.length : end + 2
    } else if (here === "'" || here === '"') {
      const begin = at++
      while (at < source.length && source[at] !== here) at += source[at] === '\\' ? 2 : 1
      at++
      keep(begin, begin + 1)
      keep(at - 1, Math.min(at, source.length))
      lastToken = ')'
    } else if (here === '`') {
      keep(at, ++at)
      template()
    } else if (here === '/' && !endsValue(lastToken)) {
      let inClass = false
      for (at++; at < source.length && (inClass || source[at] !== '/'); at++) {
        if (source[at] === '\\') at++
        else if (source[at] === '[') inClass = true
        else if (source[at] === ']') inClass = false
      }
      at++
      lastToken = ')'
    } else if (/[\w$]/u.test(here)) {
      const word = /[\w$]+/uy
      word.lastIndex = at
      lastToken = word.exec(source)?.[0] ?? here
      keep(at, at + lastToken.length)
      at += lastToken.length
    } else {
      keep(at, at + 1)
      at++
      if (here === '{') braces.push(false)
      if (!/\s/u.test(here)) lastToken = here
      if (here === '}' && braces.pop()) template()
    }
  }
  const text = code.join('')
  const specifiers = [...text.matchAll(/\b(?:from|import\s*\(?)\s*(['"])( *)\1/gu)].map((match) => {
    const end = match.index + match[0].length - 1
    const name = source.slice(end - (match[2] as string).length, end)
    return { name, offset: match.index }
  })
  return { code: text, specifiers }
}

/** Whether a `/` after this token divides. */
function endsValue(token: string): boolean {
  if (/^(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield)$/u.test(token))
    return false
  return /^(?:[\w$]+|\)|\])$/u.test(token)
}

/** The place of `offset` in `source`, with the text of its line. */
export function findingAt(source: string, offset: number): Finding {
  const line = source.slice(0, offset).split('\n').length
  return `${line}: ${(source.split('\n')[line - 1] ?? '').trim()}`
}
