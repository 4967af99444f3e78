/**
 * Preparing a string for comparison: RFC 4518 §2, with the case folding that RFC 5280 §7.1 asks for. Unicode 3.2's tables are
 * replaced by the engine's own, newer ones; a result is only ever compared with another result of the same engine.
 * @module
 */

/**
 * The prepared form of `text`: equal for two texts exactly when they match.
 *
 * @returns `undefined` when the text has a character that RFC 4518 §2.4 prohibits: it has no prepared form and must not match
 * anything but itself.
 */
export function prepareString(text: string): string | undefined {
  const mapped = text.replace(spaces, ' ').replace(ignorable, '')
  // RFC 3454 §B.2 folds what NFKC brings forth too: a capital in a circle becomes a plain capital first.
  const prepared = fold(fold(mapped).normalize('NFKC')).normalize('NFKC')
  return prohibited.test(prepared) ? undefined : squeezeSpaces(prepared)
}

/**
 * Full case folding. Through upper case and back, because that brings letters with several lower-case forms together; two
 * letters need care. Dotless i shares its capital with i, but Unicode does not fold the two together; and a sigma at the end
 * of a word has a lower case of its own, which folding does not know.
 */
function fold(text: string): string {
  return text
    .split('ı')
    .map((part) => part.toLowerCase().toUpperCase().toLowerCase())
    .join('ı')
    .replaceAll('ς', 'σ')
}

/**
 * RFC 4518 §2.6.1: outer spaces go, inner runs become one. A space that carries a combining mark is a letter, not a space.
 */
function squeezeSpaces(text: string): string {
  return text.replace(spaceRun, (run: string, mark: string | undefined, offset: number) => {
    if (mark === undefined) return offset === 0 || offset + run.length === text.length ? '' : ' '
    return offset === 0 || run.length - mark.length === 1 ? ` ${mark}` : `  ${mark}`
  })
}

// RFC 4518 §2.2, in the order of its paragraphs.
const spaces: RegExp = /[\t\n\v\f\r\u0085 \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/g
const ignorable: RegExp =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: preparation maps control characters to nothing
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: joiners stand here for themselves
  /[\u00ad\u1806\u034f\u180b-\u180d\ufe00-\ufe0f\ufffc\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u06dd\u070f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2063\u206a-\u206f\ufeff\ufff9-\ufffb\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]/gu
// RFC 4518 §2.4: private use, non-characters, surrogates, U+FFFD. Characters younger than Unicode 3.2 are let through, since
// today's names have them; bidirectional text is not judged (RFC 4518 §2.5 has nothing to do).
const prohibited: RegExp = /[\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\ufffd]/u
const spaceRun: RegExp = / +(\p{M})?/gu
