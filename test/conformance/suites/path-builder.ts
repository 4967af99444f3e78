/** Finding a path among candidates. @module */
import { encodeBase64 } from '../../../src/base/base64.ts'
import type { Options, Verified } from '../drivers.ts'
import { anchorsOf, bytesOf, denying, strangers } from '../inputs.ts'
import {
  answered,
  bothDrivers,
  type Case,
  compared,
  type Outcome,
  type Suite,
  skipped,
} from '../suite.ts'

interface BuilderCase {
  readonly id: string
  /** This and the next five name keys of `certs`. */
  readonly target: string
  readonly anchors: readonly string[]
  readonly intermediates: readonly string[]
  /** A slower source, asked only when the first does not suffice. */
  readonly intermediates_later: readonly string[]
  readonly distrusted: readonly string[]
  readonly trust_unspecified: readonly string[]
  readonly time: string
  readonly key_purpose: string
  /** 0 means none. `valid_paths` is about a search for all paths, which we do not make. */
  readonly limits: {
    readonly iterations?: number
    readonly depth?: number
    readonly deadline?: string
  }
  readonly options?: { readonly allow_precertificate?: boolean }
  readonly expected: {
    readonly valid: boolean
    /** Target to anchor; null when there is none. */
    readonly best_path: readonly string[] | null
  }
}

export const pathBuilder: Suite = {
  name: 'path-builder',
  file: 'path-builder.json',
  drivers: bothDrivers,
  profiles: ['interoperable'],
  recognises: ({ cases }) => cases?.[0]?.anchors !== undefined,
  read: ({ certs, cases }) =>
    (cases as unknown as readonly BuilderCase[]).map((one) =>
      readCase(one, certs as Readonly<Record<string, string>>),
    ),
}

const purposes: Readonly<Record<string, Options['purpose']>> = {
  SERVER_AUTH: 'serverAuth',
  CLIENT_AUTH: 'clientAuth',
  ANY_EKU: 'any',
}

function readCase(one: BuilderCase, certs: Readonly<Record<string, string>>): Case {
  const { expected, limits } = one
  const der = (name: string): Uint8Array => bytesOf(certs[name])
  return {
    id: one.id,
    async run(driver): Promise<Outcome> {
      if (limits.deadline !== undefined) return skipped('no deadlines')
      if (one.options?.allow_precertificate) return skipped('no precertificates')
      const purpose = purposes[one.key_purpose]
      if (purpose === undefined) throw new Error(`key purpose ${one.key_purpose}`)
      const anchors = anchorsOf(one.anchors.length > 0 ? one.anchors.map(der) : await strangers())
      if (!anchors.ok) return answered(expected.valid, false, anchors.failure.code)
      const options: Options = {
        trustAnchors: anchors.value,
        purpose,
        time: new Date(one.time),
        ...(one.distrusted.length > 0
          ? { issuerAcl: denying(one.distrusted.map(der), anchors.value) }
          : {}),
        ...(limits.iterations ? { budget: { candidates: limits.iterations } } : {}),
        ...(limits.depth ? { maxIntermediates: limits.depth - 2 } : {}),
      }
      const first = [...one.intermediates, ...one.trust_unspecified]
      let verdict = await driver.validate(der(one.target), {
        ...options,
        intermediates: first.map(der),
      })
      if (!verdict.ok && one.intermediates_later.length > 0) {
        const intermediates = [...first, ...one.intermediates_later].map(der)
        verdict = await driver.validate(der(one.target), { ...options, intermediates })
      }
      if (!verdict.ok) return answered(expected.valid, false, verdict.failure.code)
      if (!expected.valid || expected.best_path === null) return answered(expected.valid, true)
      return compared(expected.best_path, namesOf(verdict, certs))
    },
  }
}

/** The verdict's path in the suite's names, the anchor last. */
function namesOf(verdict: Verified, certs: Readonly<Record<string, string>>): readonly string[] {
  const path = [...verdict.path, verdict.anchor.certificate]
  return path.map((certificate) => {
    const text = certificate ? encodeBase64(certificate.der) : ''
    return Object.entries(certs).find(([, one]) => one === text)?.[0] ?? 'unknown'
  })
}
