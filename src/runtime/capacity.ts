/** How much a runtime remembers between questions. @module */

/** More changes nothing but time and memory. */
export interface RuntimeOptions {
  /** Imported keys, at least 1; twice as many may be held. */
  readonly keys?: number | undefined
  /** CA signatures that verified, at least 1; twice as many may be held, each with at most 16 KiB. */
  readonly signatures?: number | undefined
}

/**
 * Local limits. 1,024 keys are several times the CAs of a browser; 512 signatures of usual CA certificates (2 KiB) are 1 MiB, and
 * twice that many of 16 KiB each, the very worst, are 16 MiB.
 */
export const defaultCapacity = { keys: 1024, signatures: 512 } as const
