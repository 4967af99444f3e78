import { parseTrustAnchors, type Verdict } from '../../src/index.ts'
import { type ValidateOptionsSync, validateClientCertificateSync } from '../../src/sync.ts'
import { testTime } from '../../src/testing/index.ts'

type Source = Parameters<typeof validateClientCertificateSync>[0]

/** The clock of the test PKI, `seconds` later. */
export function at(seconds = 0): Date {
  return new Date((testTime + seconds) * 1000)
}

/** Decides at the time of the test PKI, unless `options` have another. */
export function decide(source: Source, trustAnchors: string, options: object = {}): Verdict {
  const all = { trustAnchors: parseTrustAnchors(trustAnchors), time: at(), ...options }
  return validateClientCertificateSync(source, all as ValidateOptionsSync)
}

export function codesOf(list: readonly { readonly code: string }[]): readonly string[] {
  return list.map(({ code }) => code)
}

/** What a call throws for misuse: its facts. Any other error passes through. */
export function misuseOf(call: () => unknown): object | undefined {
  try {
    call()
    return undefined
  } catch (error) {
    if (!(error instanceof TypeError) || !('code' in error)) throw error
    return { ...error, message: error.message }
  }
}
