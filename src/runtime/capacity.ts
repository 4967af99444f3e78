/** How much a runtime remembers between questions. @module */

/** More changes nothing but time and memory. */
export interface RuntimeOptions {
  /** Imported keys, at least 1; twice as many may be held. */
  readonly keys?: number | undefined
  /** CA signatures that verified, at least 1; twice as many may be held, each with at most 16 KiB. */
  readonly signatures?: number | undefined
}

/**
 * Local limits. 1,024 keys are more CAs than a server is known to trust (browsers ship about 150) at 1 to 5 KiB each; 512 signatures
 * of usual CA certificates (2 KiB) are 1 MiB, and 16 MiB at the very worst.
 */
export const defaultCapacity = { keys: 1024, signatures: 512 } as const
