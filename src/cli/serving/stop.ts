/** Serving until somebody says stop. @module */

/**
 * Calls `read` on SIGHUP, which would end the process otherwise.
 *
 * @returns Ends it.
 */
export function onHangUp(read: () => void): () => void {
  process.on('SIGHUP', read)
  return () => process.off('SIGHUP', read)
}

/** @returns The signal: the first of SIGINT and SIGTERM. A second one ends the process at once. */
export function stopped(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const signals = ['SIGINT', 'SIGTERM'] as const
    const stop = (signal: NodeJS.Signals): void => {
      for (const one of signals) process.off(one, stop)
      resolve(signal)
    }
    for (const one of signals) process.on(one, stop)
  })
}
