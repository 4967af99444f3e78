import { createHash } from 'node:crypto'
import type { AclPath } from '../../src/acl/index.ts'
import { type Effect, runSync, type Steps } from '../../src/effect/effect.ts'
import type { Certificate } from '../../src/x509/certificate.ts'

/** A path whose anchor is a certificate. */
export function pathOf(certificates: readonly Certificate[], anchor: Certificate): AclPath {
  const { subject, subjectPublicKeyInfo } = anchor.tbsCertificate
  return {
    certificates,
    anchor: { name: subject, spki: subjectPublicKeyInfo.der, certificate: anchor },
  }
}

/** Answers with `node:crypto`; `asked` collects the questions. */
export function run<T>(steps: Steps<T>, asked: Effect[] = []): T {
  return runSync(steps, {
    verifySignature: () => 'invalid',
    digest: (effect) => {
      asked.push(effect)
      return createHash(effect.hash).update(effect.data).digest()
    },
    digestsWhenRead: () => {
      throw new Error('an ACL reads every digest that it asks for')
    },
    wait: () => undefined,
  })
}

export function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

export function spkiSha256(certificate: Certificate): string {
  return sha256(certificate.tbsCertificate.subjectPublicKeyInfo.der)
}

/** What a call throws, as facts; `undefined` when it returns. */
export function thrown(call: () => unknown): Record<string, unknown> | undefined {
  try {
    call()
    return undefined
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return { ...error }
  }
}
