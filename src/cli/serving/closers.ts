/** What was opened is closed again, however a command ends. @module */

type Close = () => unknown

/** @param run - Told where to leave what closes each thing that it opens; the last one is closed first. */
export async function withClosers<T>(
  run: (opened: (close: Close) => void) => Promise<T>,
): Promise<T> {
  const closers: Close[] = []
  try {
    return await run((close) => closers.push(close))
  } finally {
    for (const close of closers.reverse()) await close()
  }
}
