/** The target of a request as it came over the wire: RFC 9112 §3.2. @module */

/**
 * Whether a segment of its path is `.` or `..`, however it is escaped. A `URL` folds these away before anybody sees them: what was sent to
 * a policy with such a name would reach the API proxy above it.
 *
 * @param target - Origin or absolute form.
 */
export function hasDotSegment(target: string): boolean {
  const [path = ''] = target.split(/[?#]/, 1)
  // A URL also takes these out first, and reads a backslash as a slash.
  const segments = path.replace(/[\t\n\r]/g, '').split(/[/\\]/)
  return segments.some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment))
}
