/** What the command line has of the world: streams, folder, environment, clock. Tests give their own. @module */

export interface Output {
  readonly write: (text: string) => unknown
  readonly isTTY?: boolean | undefined
  /** Width of the terminal in characters. */
  readonly columns?: number | undefined
}

export interface Io {
  readonly stdout: Output
  readonly stderr: Output
  readonly readStdin: () => Promise<Uint8Array>
  /** Relative file names start here. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly now: () => Date
}

/** How the reader calls this program, for commands that are printed to be copied. */
export function invocation({ env }: Io): string {
  // npm runs a clone's scripts under their names; anywhere else the package's bin is on the path.
  if (env.npm_lifecycle_event === 'start') return 'npm start --'
  if (env.npm_lifecycle_event === 'cli') return 'npm run -s cli --'
  return env.npm_lifecycle_event === 'npx' ? 'npx mtls-policy' : 'mtls-policy'
}

/** Codes are stable, like those of failures. */
export type UsageCode =
  | 'usage-unknown-command'
  | 'usage-unknown-option'
  | 'usage-missing-argument'
  | 'usage-missing-option'
  | 'usage-invalid-value'
  | 'time-invalid'
  | 'file-not-found'
  | 'file-unreadable'
  | 'file-too-large'
  | 'options-conflict'
  | 'folder-without-certificates'
  | 'folder-without-crls'
  | 'folder-not-empty'
  | 'bundle-ambiguous'
  | 'stdin-twice'
  | 'acl-invalid'
  | 'trust-anchor-unreadable'
  | 'intermediate-unreadable'
  | 'certificate-unreadable'
  | 'key-unreadable'
  | 'key-does-not-fit'
  | 'issuer-unreadable'
  | 'issuer-does-not-fit'
  | 'crl-unreadable'
  | 'ocsp-unreadable'
  | 'kill-list-invalid'
  | 'nothing-to-fetch'
  | 'packages-missing'
  | 'port-unavailable'
  | 'store-unavailable'
  | 'store-too-new'

/** The caller's mistake: it ends the run with exit code 2. */
export class UsageError extends Error {
  readonly code: string
  /** What to do next. */
  readonly remedy: string

  constructor(code: UsageCode, message: string, remedy: string) {
    super(message)
    this.code = code
    this.remedy = remedy
  }
}

/** Also of one that was made by another file of the package, whose class is another one. */
export function isUsageError(error: unknown): error is UsageError {
  return error instanceof Error && 'remedy' in error && 'code' in error
}
