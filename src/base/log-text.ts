/** Text of strangers, for a log: one line, of a bounded length, and without tokens of ours that somebody pasted into it. @module */

/**
 * `a\u{a}b` for `a`, a line feed and `b`.
 *
 * @param maximum - UTF-16 code units of `text` that are shown; an ellipsis stands for what is cut.
 */
export function logText(text: string, maximum: number): string {
  const cut = text.length > maximum ? `${text.slice(0, maximum)}…` : text
  return withoutTokens(oneLine(cut))
}

/**
 * Blanks whatever looks like a token of the management API, in part as well: a token in a path is logged by everybody on its way, and
 * must not be by us. `/apiops/mtlsp_[secret]/x` stands for the rest.
 */
export function withoutTokens(text: string): string {
  return text.replace(token, 'mtlsp_[secret]')
}

/** What could begin a line, move a cursor or turn the direction of writing. */
function oneLine(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`,
  )
}

/** Escaped, too: in a path each octet may be. */
const token: RegExp = /mtlsp(?:_|%5f)(?:[\w-]|%[\da-f]{2})+/gi
