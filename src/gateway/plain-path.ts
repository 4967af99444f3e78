/**
 * Paths as the most forgiving server reads them. Where that is another one than what is written, and leads to another proxy or to
 * other policies, nobody can tell which is meant.
 *
 * @module
 */

/** @param target - Origin form, or `*`. */
export function pathIn(target: string): string {
  const end = target.indexOf('?')
  return end === -1 ? target : target.slice(0, end)
}

/** Whether servers may read it in another way than octet by octet: few are, and only those are read twice. */
export function isConspicuous(path: string): boolean {
  return conspicuous.test(path)
}

const conspicuous = /[%;\\]|\/\/|\/\.|\.(?:\/|$)/

/**
 * The path decoded, without parameters, empty segments, and the dots and blanks at the end of a segment, which Windows does not see:
 * there `/a./b%20` is `/a/b`. `undefined`: servers differ about it, and one may leave a path by it, as by `..` or an escaped separator.
 */
export function plainPath(path: string): string | undefined {
  let plain = ''
  for (const raw of path.split('/')) {
    if (raw === '') continue
    if (raw.includes('\\') || separators.test(raw)) return undefined
    const segment = decoded(raw.replace(/;.*$/, ''))
    // Some decode twice.
    const again = segment === undefined ? undefined : (decoded(segment) ?? segment)
    if (again === undefined || /[/\\\0]/.test(again)) return undefined
    const ended = withoutEnd(again)
    // Dots alone may be one more `..` to who takes only the blanks away.
    if (ended === '' && again.includes('.')) return undefined
    if (ended !== '') plain += `/${ended}`
  }
  return plain === '' ? '/' : plain
}

function decoded(text: string): string | undefined {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** Not by a regular expression: one would try every dot of a long row. */
function withoutEnd(segment: string): string {
  let end = segment.length
  while (end > 0 && (segment[end - 1] === '.' || segment[end - 1] === ' ')) end--
  return segment.slice(0, end)
}

const separators = /%(?:2f|5c|00)/i
