import { expectTypeOf, test } from 'vitest'
import type { ValidateOptions, ValidatorOptions } from '../../src/index.node.ts'
import type { Crls, RevocationOptions, StatusProvider } from '../../src/index.ts'

test('a validator takes every option but the time', () => {
  type Validating = Extract<ValidatorOptions, { validateCertificate?: true | undefined }>
  expectTypeOf<Validating['revocation']>().toEqualTypeOf<RevocationOptions | undefined>()
  expectTypeOf<'time' extends keyof ValidatorOptions ? true : false>().toEqualTypeOf<false>()
  expectTypeOf<ValidateOptions>().toExtend<ValidatorOptions>()
})

test('half a rule about revocation, or one and a half, does not compile', () => {
  const crls = {} as Crls
  const source = {} as StatusProvider
  // @ts-expect-error only a source is waited for
  const waiting: RevocationOptions = { mode: 'crl', crls, wait: 5 }
  // @ts-expect-error a source has lists of its own
  const twice: RevocationOptions = { mode: 'crl', crls, source }
  // @ts-expect-error nobody looks at them
  const unused: RevocationOptions = { mode: 'none', crls }
  const whole: RevocationOptions = { mode: 'crl', source, wait: 5 }
  expectTypeOf([waiting, twice, unused, whole]).toEqualTypeOf<RevocationOptions[]>()
})
