/** What cannot be written: the compiler is the test, `npm test` runs it over this file. */
import { expectTypeOf, test } from 'vitest'
import type {
  ClientAcl,
  Crls,
  IssuerAcl,
  OcspResponses,
  RevocationOptions,
  StatusProvider,
  TrustAnchors,
  ValidateOptions,
  Verdict,
} from '../../src/index.ts'
import type { ValidateOptionsSync, ValidatorOptionsSync } from '../../src/sync.ts'

declare const trustAnchors: TrustAnchors
declare const issuerAcl: IssuerAcl
declare const clientAcl: ClientAcl
declare const crls: Crls
declare const ocspResponses: OcspResponses
declare const source: StatusProvider

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

test('revocation: a whole rule compiles', () => {
  expectTypeOf<{ mode: 'none' }>().toExtend<RevocationOptions>()
  const check = (_rule: RevocationOptions): void => {}
  expectTypeOf(() => check({ mode: 'crl', crls, onStale: { allowFor: 60 } })).toBeFunction()
  expectTypeOf(() => check({ mode: 'ocsp', ocspResponses, maxAge: 60 })).toBeFunction()
  expectTypeOf(() => check({ mode: 'crl-or-ocsp', crls, ocspResponses })).toBeFunction()
  expectTypeOf(() => check({ mode: 'crl-or-ocsp', source, wait: 200 })).toBeFunction()
  const perIssuer = { 'CN=Example CA': { mode: 'crl', onUnknown: 'allow' } } as const
  expectTypeOf(() => check({ mode: 'none', perIssuer, crls })).toBeFunction()
  const other = { 'CN=Example CA': { mode: 'ocsp' } } as const
  expectTypeOf(() => check({ mode: 'crl', perIssuer: other, crls, ocspResponses })).toBeFunction()
  expectTypeOf(() => check({ mode: 'crl', perIssuer: other, source })).toBeFunction()
  const unasked = { 'CN=Example CA': { mode: 'none' } } as const
  expectTypeOf(() => check({ mode: 'ocsp', perIssuer: unasked, ocspResponses })).toBeFunction()
})

test('revocation: half a rule does not compile', () => {
  // Nothing says who is revoked.
  expectTypeOf<{ mode: 'crl' }>().not.toExtend<RevocationOptions>()
  expectTypeOf<{ mode: 'ocsp' }>().not.toExtend<RevocationOptions>()
  expectTypeOf<{ mode: 'crl-or-ocsp' }>().not.toExtend<RevocationOptions>()
  expectTypeOf<{ mode: 'crl'; ocspResponses: OcspResponses }>().not.toExtend<RevocationOptions>()
  expectTypeOf<{ mode: 'ocsp'; crls: Crls }>().not.toExtend<RevocationOptions>()
  expectTypeOf<{ mode: 'crl-or-ocsp'; crls: Crls }>().not.toExtend<RevocationOptions>()
  // Octets are not lists.
  expectTypeOf<{ mode: 'crl'; crls: Uint8Array }>().not.toExtend<RevocationOptions>()
  expectTypeOf<{ mode: 'crl'; source: Crls }>().not.toExtend<RevocationOptions>()
  // What is asked has to be said.
  expectTypeOf<{ crls: Crls }>().not.toExtend<RevocationOptions>()
  expectTypeOf<{ mode: 'soft'; crls: Crls }>().not.toExtend<RevocationOptions>()
})

test('revocation: what is no rule does not compile', () => {
  const check = (_rule: RevocationOptions): void => {}
  const other = { 'CN=Example CA': { mode: 'ocsp' } } as const
  // @ts-expect-error nothing says whom that issuer has revoked
  expectTypeOf(() => check({ mode: 'crl', perIssuer: other, crls })).toBeFunction()
  const unasked = { 'CN=Example CA': { mode: 'none', onUnknown: 'deny' } } as const
  // @ts-expect-error nothing is asked, so nothing is unknown
  expectTypeOf(() => check({ mode: 'crl', perIssuer: unasked, crls })).toBeFunction()
  // @ts-expect-error seconds are a number
  expectTypeOf(() => check({ mode: 'crl', crls, maxAge: '60' })).toBeFunction()
  // @ts-expect-error for how long?
  expectTypeOf(() => check({ mode: 'crl', crls, onStale: 'allow' })).toBeFunction()
  // @ts-expect-error no such rule
  expectTypeOf(() => check({ mode: 'crl', crls, onUnknown: 'warn' })).toBeFunction()
  // @ts-expect-error misspelt
  expectTypeOf(() => check({ mode: 'crl', crls, onUnknwon: 'deny' })).toBeFunction()
  // @ts-expect-error milliseconds are a number
  expectTypeOf(() => check({ mode: 'crl', source, wait: '200' })).toBeFunction()
  // @ts-expect-error nothing looks at responses
  expectTypeOf(() => check({ mode: 'crl', crls, ocspResponses })).toBeFunction()
  const perIssuer = { 'CN=x': { depth: 'target' } } as const
  // @ts-expect-error one depth for all issuers
  expectTypeOf(() => check({ mode: 'crl', crls, perIssuer })).toBeFunction()
  const revocation = { mode: 'none' } as const
  const validate = (_options: ValidateOptions): void => {}
  // @ts-expect-error nothing is validated, so nobody asks
  expectTypeOf(() => validate({ validateCertificate: false, revocation })).toBeFunction()
})

test('sync: what would wait does not compile', () => {
  const validate = (_options: ValidateOptionsSync): void => {}
  type With<R> = { readonly trustAnchors: TrustAnchors; readonly revocation: R }
  type Asking = With<{ readonly mode: 'crl'; readonly source: StatusProvider }>
  type Waiting = With<Asking['revocation'] & { readonly wait: number }>
  expectTypeOf<Asking>().toExtend<ValidateOptionsSync>()
  expectTypeOf<Asking>().toExtend<ValidatorOptionsSync>()
  expectTypeOf<Waiting>().toExtend<ValidateOptions>()
  expectTypeOf<Waiting>().not.toExtend<ValidateOptionsSync>()
  expectTypeOf<Waiting>().not.toExtend<ValidatorOptionsSync>()
  expectTypeOf(() => validate({ trustAnchors, revocation: { mode: 'crl', crls } })).toBeFunction()
  expectTypeOf(() => validate({ validateCertificate: false, issuerAcl })).toBeFunction()
  // All else is as strict as without a promise.
  expectTypeOf<{ issuerAcl: IssuerAcl }>().not.toExtend<ValidateOptionsSync>()
  // @ts-expect-error misspelt
  expectTypeOf(() => validate({ trustAnchors, issuerAcls: issuerAcl })).toBeFunction()
  // @ts-expect-error nothing says who is revoked
  expectTypeOf(() => validate({ trustAnchors, revocation: { mode: 'crl' } })).toBeFunction()
  const none = { mode: 'none' } as const
  // @ts-expect-error nothing is validated, so nobody asks
  expectTypeOf(() => validate({ validateCertificate: false, revocation: none })).toBeFunction()
})

test('verdict: nothing proven is reached without looking at what was proven', () => {
  type Accepted = Extract<Verdict, { ok: true }>
  expectTypeOf<Accepted>().not.toHaveProperty('identity')
  expectTypeOf<Extract<Accepted, { verified: true }>>().toHaveProperty('identity')
  expectTypeOf<Extract<Accepted, { verified: false }>>().not.toHaveProperty('identity')
  expectTypeOf<Extract<Verdict, { ok: false }>>().toHaveProperty('failure')
})
