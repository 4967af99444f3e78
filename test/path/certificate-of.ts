/** Certificates as plain data, for rules that look at a few fields and at no bytes. @module */
import type { Certificate, TbsCertificate } from '../../src/x509/certificate.ts'
import type { Extensions } from '../../src/x509/extensions.ts'
import type { Name } from '../../src/x509/name.ts'

type Fields = Partial<Pick<TbsCertificate, 'serialNumber' | 'subject' | 'issuer'>> & {
  readonly extensions?: Omit<Extensions, 'all'>
}

/** A certificate that has `fields`, and nothing of note besides. */
export function certificateOf(fields: Fields): Certificate {
  const algorithm = { der: nothing, algorithm: '1.2.840.10045.4.3.2', parameters: undefined }
  return {
    der: nothing,
    signatureAlgorithm: algorithm,
    signatureValue: nothing,
    tbsCertificate: {
      der: nothing,
      version: 3,
      serialNumber: Uint8Array.of(1),
      signature: algorithm,
      issuer: nameOf('Issuer'),
      validity: { notBefore: 0, notAfter: 0 },
      subject: nameOf('Subject'),
      subjectPublicKeyInfo: { der: nothing, algorithm, subjectPublicKey: nothing },
      issuerUniqueID: undefined,
      subjectUniqueID: undefined,
      ...fields,
      extensions: { ...fields.extensions, all: [] },
    },
  }
}

/** A name of one common name, or the empty name. */
export function nameOf(commonName: string): Name {
  const value = new TextEncoder().encode(commonName)
  return {
    der: value,
    rdns: commonName === '' ? [] : [[{ type: '2.5.4.3', tag: 12, value }]],
  }
}

const nothing = new Uint8Array()
