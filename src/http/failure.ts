/** Why what a proxy forwarded cannot be believed: a fact for policies, so that its shape is theirs. @module */

export type { ForwardingFailure } from '../policy/forwarding.ts'
