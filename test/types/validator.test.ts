import { expectTypeOf, test } from 'vitest'
import type { ValidateOptions, ValidatorOptions } from '../../src/index.node.ts'
import type { RevocationOptions } from '../../src/index.ts'

test('a validator takes every option but the time', () => {
  type Validating = Extract<ValidatorOptions, { validateCertificate?: true | undefined }>
  expectTypeOf<Validating['revocation']>().toEqualTypeOf<RevocationOptions | undefined>()
  expectTypeOf<'time' extends keyof ValidatorOptions ? true : false>().toEqualTypeOf<false>()
  expectTypeOf<ValidateOptions>().toExtend<ValidatorOptions>()
})
