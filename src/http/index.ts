/** What every adapter exports beside its own function. @module */

export type { Answer, Answering } from './answer.ts'
export type { AssertedIdentity } from './asserted.ts'
export type { Decision } from './decision.ts'
export type { DecisionCode, DecisionEvent, Hooks } from './event.ts'
export type { IdentityField, IdentityHeaders } from './identity-headers.ts'
export type { CacheOptions, GuardOptions } from './options.ts'
export type { ClientCertificateSource } from './source.ts'
