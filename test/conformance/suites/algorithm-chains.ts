/** Whole paths in less common signature algorithms. @module */
import { anchorsOf, bytesOf } from '../inputs.ts'
import { answered, bothDrivers, type Case, type Suite } from '../suite.ts'

interface ChainCase {
  readonly id: string
  /** Base64 of DER each. */
  readonly target: string
  readonly intermediates: readonly string[]
  readonly trust_anchor: string
  readonly time: string
  readonly expected: { readonly valid: boolean }
}

export const algorithmChains: Suite = {
  name: 'algorithm-chains',
  file: 'algorithm-chains.json',
  drivers: bothDrivers,
  profiles: ['interoperable'],
  recognises: ({ cases }) =>
    cases?.[0]?.trust_anchor !== undefined &&
    cases[0].expected !== undefined &&
    cases[0].kind === undefined,
  read: ({ cases }) => (cases as unknown as readonly ChainCase[]).map(readCase),
}

function readCase(one: ChainCase): Case {
  const { valid } = one.expected
  return {
    id: one.id,
    async run(driver) {
      const anchors = anchorsOf([bytesOf(one.trust_anchor)])
      if (!anchors.ok) return answered(valid, false, anchors.failure.code)
      const verdict = await driver.validate(bytesOf(one.target), {
        trustAnchors: anchors.value,
        intermediates: one.intermediates.map(bytesOf),
        time: new Date(one.time),
        purpose: 'any',
      })
      return answered(valid, verdict.ok, verdict.ok ? undefined : verdict.failure.code)
    },
  }
}
