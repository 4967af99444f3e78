/** Single signatures over X.509 structures, judged alone: no floors. @module */
import { checkSignedData } from '../../../src/path/signature.ts'
import { anyAlgorithm } from '../../path/any-algorithm.ts'
import type { Driver } from '../drivers.ts'
import { bytesOf } from '../inputs.ts'
import { answered, bothDrivers, type Case, type Outcome, type Suite, skipped } from '../suite.ts'

/** Base64 of DER each, but for `data`, which is what was signed. */
interface SignedDataCase {
  readonly id: string
  readonly spki: string
  readonly algorithm: string
  readonly data: string
  /** A BIT STRING. */
  readonly signature: string
  readonly expected: boolean
}

export const signedData: Suite = {
  name: 'signed-data',
  file: 'signed-data.json',
  drivers: bothDrivers,
  profiles: ['interoperable'],
  recognises: ({ cases }) => cases?.[0]?.spki !== undefined && cases[0].algorithm !== undefined,
  read: ({ cases }) =>
    (cases as unknown as readonly SignedDataCase[]).map(
      (one): Case => ({
        id: one.id,
        run: (driver) =>
          judgeSignature(driver, one.expected, {
            spki: bytesOf(one.spki),
            algorithm: bytesOf(one.algorithm),
            data: bytesOf(one.data),
            signature: bytesOf(one.signature),
          }),
      }),
    ),
}

/** @param expected - `undefined`: either answer agrees. */
export async function judgeSignature(
  driver: Driver,
  expected: boolean | undefined,
  signed: Parameters<typeof checkSignedData>[0],
): Promise<Outcome> {
  const failure = await driver.run(checkSignedData(signed, anyAlgorithm))
  if (failure?.code === 'signature-algorithm-unsupported') {
    const { name } = failure.scheme
    if (name.startsWith('ML-DSA')) return skipped('ML-DSA, which this runtime lacks')
    if (name === 'DSA' && driver.name === 'async') return skipped('DSA under WebCrypto')
  }
  const verified = failure === undefined
  return answered(expected ?? verified, verified, failure?.code)
}
