/** What of an entry is looked up in the facts about a CA or a client. @module */

import { bytesEqual } from '../base/bytes.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { Name } from '../x509/name.ts'
import type { AclEffect } from './entry.ts'
import { kinds, nameFact, type Subject } from './facts.ts'

export interface Matcher {
  /** One bit of `kinds`: what must be known to say yes or no. */
  readonly kind: number
  /** The entry is looked at when the facts hold this key. */
  readonly key: string
  /** All of these must be among the facts as well. */
  readonly also?: readonly string[]
  /** The attributes that `key` and `also` speak of, for explanations. */
  readonly parts?: readonly Part[]
  /** What else must hold. */
  readonly test?: (subject: Subject) => boolean
  /** The name that `kinds.name` speaks of, for explanations and for what only a name is known of. */
  readonly name?: Name
}

export interface Part {
  readonly key: string
  /** Dotted decimal. */
  readonly type: string
  /** The value, or `*`. */
  readonly text: string
}

/** Allow: the same signed bytes. Deny: the same subject and key, whichever certificate says so. */
export function matchCertificate(certificate: Certificate, effect: AclEffect): Matcher {
  const { subject, subjectPublicKeyInfo, der } = certificate.tbsCertificate
  return {
    kind: kinds.name,
    key: nameFact(subject),
    name: subject,
    test:
      effect === 'deny'
        ? (other) => other.spki !== undefined && bytesEqual(other.spki, subjectPublicKeyInfo.der)
        : (other) =>
            other.certificate !== undefined &&
            bytesEqual(other.certificate.tbsCertificate.der, der),
  }
}
