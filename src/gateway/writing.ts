/** What Node does not write, and what it says of that. @module */

/**
 * Does what Node may refuse: it checks statuses, names and values, and an upstream's need not pass.
 *
 * @returns What it says of them. Any other error is thrown.
 */
export function refusedBy(write: () => void): Error | undefined {
  try {
    write()
    return undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== undefined && /^ERR_(?:INVALID|UNESCAPED|HTTP)/.test(code)) return error as Error
    throw error
  }
}

/** For a log. What Node keeps at an error besides may be octets of an answer. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as NodeJS.ErrnoException
  return code === undefined ? error.message : `${code} ${error.message}`
}
