/** What cannot be written: the compiler is the test, `npm test` runs it over this file. */
import { expectTypeOf, test } from 'vitest'
import type {
  ClientAcl,
  IssuerAcl,
  TrustAnchors,
  ValidateOptions,
  Verdict,
} from '../../src/index.ts'

declare const trustAnchors: TrustAnchors
declare const issuerAcl: IssuerAcl
declare const clientAcl: ClientAcl

test('options: half a configuration does not compile', () => {
  expectTypeOf<{ trustAnchors: TrustAnchors }>().toExtend<ValidateOptions>()
  expectTypeOf<{ trustAnchors: TrustAnchors; issuerAcl: IssuerAcl }>().toExtend<ValidateOptions>()
  expectTypeOf<{ validateCertificate: false; issuerAcl: IssuerAcl }>().toExtend<ValidateOptions>()
  // Without anchors nothing can be validated.
  expectTypeOf<{ issuerAcl: IssuerAcl }>().not.toExtend<ValidateOptions>()
  // The switch wants its list.
  expectTypeOf<{
    trustAnchors: TrustAnchors
    validateACLForIssuer: true
  }>().not.toExtend<ValidateOptions>()
  // What only a validated certificate can answer.
  expectTypeOf<{
    validateCertificate: false
    clientAcl: ClientAcl
  }>().not.toExtend<ValidateOptions>()
})

test('options: a misspelt one does not compile', () => {
  const check = (_options: ValidateOptions): void => {}
  // @ts-expect-error misspelt
  expectTypeOf(() => check({ trustAnchors, issuerAcls: issuerAcl })).toBeFunction()
  // @ts-expect-error no such purpose
  expectTypeOf(() => check({ trustAnchors, purpose: 'client' })).toBeFunction()
  expectTypeOf(() => check({ trustAnchors, issuerAcl, clientAcl })).toBeFunction()
})

test('verdict: nothing proven is reached without looking at what was proven', () => {
  type Accepted = Extract<Verdict, { ok: true }>
  expectTypeOf<Accepted>().not.toHaveProperty('identity')
  expectTypeOf<Extract<Accepted, { verified: true }>>().toHaveProperty('identity')
  expectTypeOf<Extract<Accepted, { verified: false }>>().not.toHaveProperty('identity')
  expectTypeOf<Extract<Verdict, { ok: false }>>().toHaveProperty('failure')
})
