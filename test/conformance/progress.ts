/** One line on a terminal, rewritten at most ten times a second. @module */
import type { RunSettings } from './runner.ts'

/** @param terminal - Takes text with escape sequences. */
export function showProgress(terminal: {
  write(text: string): unknown
}): (name: string) => NonNullable<RunSettings['onProgress']> {
  return (name) => {
    let shown = Number.NEGATIVE_INFINITY
    return (profile, driver, done, of) => {
      const now = performance.now()
      if (done < of && now - shown < 100) return
      shown = now
      const text = done < of ? `${name}  ${profile}  ${driver}  ${done} of ${of}` : ''
      terminal.write(`\r\u001b[K${text}`)
    }
  }
}
