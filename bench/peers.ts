/** What a user would pick instead, in JavaScript: each reads the client's DER and judges it under a known issuing CA. @module */

// First: @peculiar/x509 wants it there when it is loaded.
import './reflect-metadata.ts'
import { webcrypto } from 'node:crypto'
import { X509Certificate, X509ChainBuilder } from '@peculiar/x509'
import forge from 'node-forge'
import * as pkijs from 'pkijs'

/** Whether the client may come in. */
export type Judge = (leaf: Uint8Array) => boolean | Promise<boolean>

export interface Pki {
  readonly root: Uint8Array
  readonly issuing: Uint8Array
  readonly time: Date
}

/** By the names under which their times are reported; root and issuing CA are read here, outside the clock. */
export const peers: Readonly<Record<string, (pki: Pki) => Judge>> = {
  pkijs: ({ root, issuing, time }) => {
    pkijs.setEngine('node', new pkijs.CryptoEngine({ name: 'node', crypto: webcrypto as Crypto }))
    const trustedCerts = [pkijs.Certificate.fromBER(copy(root))]
    const intermediate = pkijs.Certificate.fromBER(copy(issuing))
    return async (der) => {
      const certs = [intermediate, pkijs.Certificate.fromBER(copy(der))]
      const engine = new pkijs.CertificateChainValidationEngine({
        trustedCerts,
        certs,
        checkDate: time,
      })
      return (await engine.verify()).result
    }
  },
  '@peculiar/x509': ({ root, issuing, time }) => {
    const anchor = new X509Certificate(copy(root))
    const builder = new X509ChainBuilder({
      certificates: [anchor, new X509Certificate(copy(issuing))],
    })
    return async (der) => {
      const chain = await builder.build(new X509Certificate(copy(der)), webcrypto as Crypto)
      const last = chain.at(-1)
      const current = chain.every(
        ({ notBefore, notAfter }) => notBefore <= time && time <= notAfter,
      )
      return current && last?.equal(anchor) === true
    }
  },
  'node-forge': ({ root, issuing, time }) => {
    const store = forge.pki.createCaStore([fromDer(root)])
    const intermediate = fromDer(issuing)
    return (der) => {
      try {
        const chain = [fromDer(der), intermediate]
        return forge.pki.verifyCertificateChain(store, chain, { validityCheckDate: time })
      } catch (error) {
        // It throws plain objects for what it refuses.
        if (error instanceof Error) throw error
        return false
      }
    }
  },
}

/** What reading alone costs elsewhere. */
export const parsers: Readonly<Record<string, (der: Uint8Array) => unknown>> = {
  pkijs: (der) => pkijs.Certificate.fromBER(copy(der)),
  '@peculiar/x509': (der) => new X509Certificate(copy(der)),
}

function fromDer(der: Uint8Array): forge.pki.Certificate {
  const text = Buffer.from(der.buffer, der.byteOffset, der.length).toString('latin1')
  return forge.pki.certificateFromAsn1(forge.asn1.fromDer(text))
}

/** An array of its own, which the libraries' types ask for. */
function copy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}
