/** A response that is held for many validations, with what was found out about it. @module */

import { bytesEqual } from '../base/bytes.ts'
import { ask, type Steps } from '../effect/effect.ts'
import { describeKey } from '../x509/algorithms.ts'
import type { AlgorithmIdentifier, Certificate, KeyDescription } from '../x509/certificate.ts'
import { namesMatch } from '../x509/name-match.ts'
import type { BasicOcspResponse, OcspResponse, ResponderID, SingleResponse } from '../x509/ocsp.ts'
import { memoryOf } from '../x509/parse-ocsp.ts'
import { parseResponderCertificate } from '../x509/parse-responder.ts'
import { RememberedSignature } from './remembered-signature.ts'

/** One answer of a response. */
export interface Answer {
  readonly held: HeldResponse
  readonly basic: BasicOcspResponse
  readonly single: SingleResponse
}

/** Beside the data of a response: signatures that were checked, certificates that were read, and whether it was of use. */
export class HeldResponse {
  readonly response: OcspResponse
  /** Set when it decided a status. Whoever keeps responses fresh asks for those again, and may set it back. */
  used = false
  #signature: RememberedSignature | undefined
  #delegates: readonly Delegate[] | undefined

  constructor(response: OcspResponse) {
    this.response = response
  }

  signatureOf({
    signatureAlgorithm,
    tbsResponseData,
    signature,
  }: BasicOcspResponse): RememberedSignature {
    this.#signature ??= new RememberedSignature(
      withParameters(signatureAlgorithm),
      tbsResponseData,
      signature,
    )
    return this.#signature
  }

  /** The first `maxDelegates` certificates that were sent along, without those that cannot be read. */
  delegatesOf({ certs }: BasicOcspResponse): readonly Delegate[] {
    this.#delegates ??= certs.slice(0, maxDelegates).flatMap((der) => {
      const parsed = parseResponderCertificate(der)
      return parsed.ok ? [new Delegate(parsed.value)] : []
    })
    return this.#delegates
  }
}

/** The one holder of a response, whichever sets it is in: what is known of it outlives them, and there is its `used` mark. */
export function holderOf(response: OcspResponse): HeldResponse {
  return memoryOf(response, HeldResponse)
}

/** A certificate that was sent along: perhaps of a delegate of the CA. */
export class Delegate {
  readonly certificate: Certificate
  readonly key: KeyDescription
  readonly signature: RememberedSignature
  #keyHash: Uint8Array | undefined

  constructor(certificate: Certificate) {
    this.certificate = certificate
    this.key = describeKey(certificate.tbsCertificate.subjectPublicKeyInfo)
    this.signature = new RememberedSignature(
      certificate.signatureAlgorithm,
      certificate.tbsCertificate.der,
      certificate.signatureValue,
    )
  }

  /** RFC 6960 §4.2.2.3 */
  *isNamedBy(responderID: ResponderID): Steps<boolean> {
    const { subject, subjectPublicKeyInfo } = this.certificate.tbsCertificate
    if (responderID.kind === 'byName') return namesMatch(responderID.name, subject)
    this.#keyHash ??= yield* ask({
      op: 'digest',
      hash: 'SHA-1',
      data: subjectPublicKeyInfo.subjectPublicKey,
    })
    return bytesEqual(responderID.keyHash, this.#keyHash)
  }
}

/**
 * RFC 3279 §2.2.1 wants NULL beside sha1WithRSAEncryption, and public responders have left it out for years (GlobalSign's among
 * them). Nothing else can be meant, and whether SHA-1 counts is the policy's to say.
 */
function withParameters(algorithm: AlgorithmIdentifier): AlgorithmIdentifier {
  return algorithm.algorithm === sha1WithRsaEncryption && algorithm.parameters === undefined
    ? { ...algorithm, parameters: derNull }
    : algorithm
}

const sha1WithRsaEncryption = '1.2.840.113549.1.1.5'
const derNull: Uint8Array = /* @__PURE__ */ Uint8Array.of(5, 0)

/** Local limit: a responder sends its own certificate, and now and then those of the CAs above. */
export const maxDelegates = 8
