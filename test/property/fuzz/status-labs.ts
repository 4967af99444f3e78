/**
 * Clients beside the lists and responses that speak of them: what is mutated, who signs it, and what an oracle needs to know
 * of it. All keys are Ed25519, whose signatures a seed repeats.
 * @module
 */

import { toHex } from '../../../src/base/hex.ts'
import {
  type CertificateAuthority,
  type CertificateOptions,
  type CrlOptions,
  type IssuedCertificate,
  issueCa,
  issueCrl,
  type KeyInput,
  type OcspResponseOptions,
  type RevokedInput,
  type SingleResponseInput,
  type TestKey,
  testTime,
} from '../../../src/testing/index.ts'
import type { ListSigner, Subject } from './status-oracle.ts'
import { type Node, parseTree } from './tree.ts'

/** One list or response as it was issued. */
export interface Sample {
  readonly kind: 'crl' | 'ocsp'
  readonly der: Uint8Array
  readonly tree: Node
  /** Whose signature is over it. */
  readonly key: TestKey
}

export interface Lab {
  readonly name: string
  readonly client: IssuedCertificate
  readonly subject: Subject
  readonly samples: readonly Sample[]
  readonly mode: 'crl' | 'ocsp' | 'crl-or-ocsp'
  readonly depth: 'target' | 'path'
  readonly profile: 'interoperable' | 'rfc5280'
  readonly anchor: CertificateAuthority
  readonly intermediates: readonly IssuedCertificate[]
  /** Who signs the certificates that a response carries. */
  readonly issuerKey: TestKey
}

export interface Labs {
  readonly labs: readonly Lab[]
  /** Has the name of the CA, and not its key. */
  readonly stranger: TestKey
  /** Genuine lists and responses of other keys and about other certificates: something to copy from. */
  readonly donors: readonly Node[]
}

export async function makeStatusLabs(): Promise<Labs> {
  const root = await issueCa('Root CA', { key: key(0) })
  const ca = await root.issueCa('Issuing CA', {
    subject: 'CN=Issuing CA,O=Example',
    key: key(1),
  })
  const other = await root.issueCa('Other CA', { key: key(2) })
  const listless = await root.issueCa('Listless CA', { key: key(3), keyUsage: ['keyCertSign'] })
  const fake = await issueCa('Issuing CA', { subject: 'CN=Issuing CA,O=Example', key: key(4) })
  const crlIssuer = await ca.issue('CRL Issuer', { ...signsLists, key: key(5) })
  const revokedCrlIssuer = await ca.issue('Revoked CRL Issuer', { ...signsLists, key: key(6) })
  const responder = await ca.issueOcspResponder('Responder', { key: key(7) })
  const revokedResponder = await ca.issueOcspResponder('Revoked Responder', {
    key: key(8),
    ocspNoCheck: 'absent',
  })

  const issueClient = (
    name: string,
    number: number,
    options: CertificateOptions = {},
    issuer = ca,
  ) =>
    issuer.issue(name, {
      subject: `CN=${name},O=Example`,
      key: key(9),
      serialNumber: Uint8Array.of(0x31, 0x41, number, 0x59, 0x26, 0x53, 0x58, 0x97, 0x93, number),
      ...options,
    })
  const plain = await issueClient('plain', 1)
  const pointed = await issueClient('pointed', 2, { cRLDistributionPoints: [{ uri: pointUri }] })
  const aside = await issueClient('aside', 3, {
    cRLDistributionPoints: [{ uri: pointUri, crlIssuer: 'CN=CRL Issuer' }],
  })
  const betrayed = await issueClient('betrayed', 4, {
    cRLDistributionPoints: [{ uri: pointUri, crlIssuer: 'CN=Revoked CRL Issuer' }],
  })
  const unlisted = await issueClient('unlisted', 5, {}, listless)
  const elsewhere = await issueClient('elsewhere', 6, {
    cRLDistributionPoints: [{ uri: 'http://example.com/elsewhere.crl' }],
  })

  const crl = async (
    options: CrlOptions = {},
    signer: IssuedCertificate = ca,
    signingKey: TestKey = signer.key,
  ): Promise<Sample> => {
    const { der } = await issueCrl(signer, options)
    return { kind: 'crl', der, tree: treeOf(der), key: signingKey }
  }
  const ocsp = async (options: OcspResponseOptions, issuer = ca): Promise<Sample> => {
    const { der } = await issuer.issueOcspResponse(options)
    const { key: signingKey } = options.signer ?? issuer
    return { kind: 'ocsp', der, tree: treeOf(der), key: signingKey }
  }
  const signsAll = ({ tbsCertificate, key: own }: IssuedCertificate): ListSigner => ({
    name: tbsCertificate.subject.der,
    key: own.publicKey,
  })
  const subjectOf = (client: IssuedCertificate, issuer: CertificateAuthority): Subject => ({
    serialNumber: toHex(client.tbsCertificate.serialNumber),
    issuer: issuer.tbsCertificate.subject.der,
    issuerKey: issuer.key.publicKey,
    points: undefined,
    listSigners: [signsAll(issuer)],
    notBefore: client.tbsCertificate.validity.notBefore,
    notAfter: client.tbsCertificate.validity.notAfter,
    genuine: [responder, revokedResponder].map(({ der }) => toHex(der)),
  })
  const signs = (signer: IssuedCertificate): ListSigner => ({
    ...signsAll(signer),
    subject: subjectOf(signer, ca),
  })
  type Given = Partial<Omit<Lab, 'name' | 'client' | 'subject' | 'samples'>> & {
    readonly subject?: Partial<Subject>
  }
  const lab = (
    name: string,
    client: IssuedCertificate,
    samples: readonly Sample[],
    { subject, ...given }: Given = {},
    issuer = ca,
  ): Lab => ({
    name,
    client,
    samples,
    subject: { ...subjectOf(client, issuer), ...subject },
    mode: samples.every(({ kind }) => kind === 'crl')
      ? 'crl'
      : samples.every(({ kind }) => kind === 'ocsp')
        ? 'ocsp'
        : 'crl-or-ocsp',
    depth: 'target',
    profile: 'interoperable',
    anchor: root,
    intermediates: [issuer, crlIssuer, revokedCrlIssuer],
    issuerKey: issuer.key,
    ...given,
  })

  const points = [{ uri: pointUri, crlIssuer: undefined }]
  const asideSubject: Partial<Subject> = {
    points: [{ uri: pointUri, crlIssuer: crlIssuer.tbsCertificate.subject.der }],
    listSigners: [signsAll(ca), signs(crlIssuer)],
  }
  const listed = (client: IssuedCertificate, more: Partial<RevokedInput> = {}): RevokedInput => ({
    serialNumber: client.tbsCertificate.serialNumber,
    reason: 'keyCompromise',
    invalidityDate: testTime - 200_000,
    ...more,
  })
  const uriPoint = { uri: pointUri, onlyContainsUserCerts: true }
  const indirect = { uri: pointUri, indirectCRL: true }
  const some = (...onlySomeReasons: readonly string[]) => ({
    issuingDistributionPoint: { uri: pointUri, onlySomeReasons: onlySomeReasons as never },
  })
  const [first, rest] = [
    some('keyCompromise', 'cACompromise', 'affiliationChanged', 'superseded'),
    some('cessationOfOperation', 'certificateHold', 'privilegeWithdrawn', 'aACompromise'),
  ]
  const full = { entries: 12, freshestCRL: [{ uri: 'http://example.com/delta.crl' }] }
  const single = (
    client: IssuedCertificate,
    certStatus: NonNullable<SingleResponseInput['certStatus']>,
  ): SingleResponseInput => ({
    certificate: client,
    certStatus,
    singleExtensions: [
      { oid: '1.3.6.1.5.5.7.48.1.6', value: generalized('20200101000000Z') },
      { oid: '1.3.6.1.4.1.32473.1', value: Uint8Array.of(5, 0) },
    ],
  })
  const revoked = { reason: 'keyCompromise' } as const
  const nonce = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)

  const pathAside = {
    ...asideSubject,
    listSigners: [signsAll(ca), { ...signs(crlIssuer), mustBeGood: true }],
  }
  const betrayedSubject = {
    points: [{ uri: pointUri, crlIssuer: revokedCrlIssuer.tbsCertificate.subject.der }],
    listSigners: [signsAll(ca), signs(revokedCrlIssuer)],
  }
  const asCa = { issuer: ca, certificateIssuer: [{ directoryName: 'CN=Issuing CA,O=Example' }] }
  const labs = [
    lab('list, revoked', plain, [await crl({ ...full, revoked: [listed(plain)] })]),
    lab('list, good', plain, [await crl(full)]),
    lab('list under rfc5280, good', plain, [await crl(full)], { profile: 'rfc5280' }),
    lab('version 1, revoked', plain, [await crl({ version: 1, revoked: [listedBare(plain)] })]),
    lab('version 1, good', plain, [await crl({ version: 1, entries: 3 })]),
    lab(
      'distribution point, revoked',
      pointed,
      [await crl({ entries: 4, revoked: [listed(pointed)], issuingDistributionPoint: uriPoint })],
      { subject: { points } },
    ),
    lab(
      'distribution point, good',
      pointed,
      [await crl({ entries: 4, issuingDistributionPoint: uriPoint })],
      { subject: { points } },
    ),
    lab(
      'indirect, revoked',
      aside,
      [
        await crl(
          {
            revoked: [
              listed(aside, { certificateIssuer: [{ directoryName: 'CN=Other CA' }] }),
              listed(aside, { certificateIssuer: asCa.certificateIssuer }),
              { serialNumber: 77 },
            ],
            issuingDistributionPoint: indirect,
          },
          crlIssuer,
        ),
      ],
      { subject: asideSubject },
    ),
    lab(
      'indirect, good',
      aside,
      [
        await crl(
          {
            revoked: [
              { serialNumber: 77, certificateIssuer: asCa.certificateIssuer },
              { serialNumber: 78 },
              listed(aside, { certificateIssuer: [{ directoryName: 'CN=Other CA' }] }),
            ],
            issuingDistributionPoint: indirect,
          },
          crlIssuer,
        ),
      ],
      { subject: asideSubject },
    ),
    lab(
      'indirect, the status of its issuer unknown',
      aside,
      [await crl({ issuingDistributionPoint: indirect }, crlIssuer), await crl({}, root)],
      { subject: pathAside, depth: 'path' },
    ),
    lab(
      'indirect, its issuer not known',
      aside,
      [await crl({ issuingDistributionPoint: indirect }, crlIssuer)],
      { subject: { ...asideSubject, listSigners: [signsAll(ca)] }, intermediates: [ca] },
    ),
    lab(
      'indirect, its issuer revoked',
      betrayed,
      [
        await crl({ issuingDistributionPoint: indirect }, revokedCrlIssuer),
        await crl({ revoked: [revokedCrlIssuer] }),
      ],
      { subject: betrayedSubject },
    ),
    lab(
      'no cRLSign, good',
      unlisted,
      [await crl({}, listless)],
      { subject: { listSigners: [] } },
      listless,
    ),
    lab('base and delta, revoked by the delta', plain, [
      await crl({ ...full, cRLNumber: 10 }),
      await crl({ cRLNumber: 12, baseCRLNumber: 10, revoked: [listed(plain)] }),
    ]),
    lab('base and delta, revoked by the base', plain, [
      await crl({ cRLNumber: 10, revoked: [listed(plain)] }),
      await crl({ cRLNumber: 12, baseCRLNumber: 10, entries: 2 }),
    ]),
    lab('base and delta, lifted', plain, [
      await crl({ cRLNumber: 10, revoked: [listed(plain, { reason: 'certificateHold' })] }),
      await crl({
        cRLNumber: 12,
        baseCRLNumber: 10,
        revoked: [listed(plain, { reason: 'removeFromCRL' })],
      }),
    ]),
    lab('delta alone, good', plain, [await crl({ cRLNumber: 12, baseCRLNumber: 10 })]),
    lab('on hold, then not', plain, [
      await crl({
        cRLNumber: 10,
        thisUpdate: testTime - 90_000,
        revoked: [listed(plain, { reason: 'certificateHold' })],
      }),
      await crl({ cRLNumber: 11, entries: 3 }),
    ]),
    lab(
      'lists for some reasons, revoked',
      pointed,
      [await crl(first), await crl({ ...rest, revoked: [listed(pointed)] })],
      { subject: { points } },
    ),
    lab('lists for some reasons, good', pointed, [await crl(first), await crl(rest)], {
      subject: { points },
    }),
    lab('path, good', plain, [await crl(full), await crl({ entries: 2 }, root)], {
      depth: 'path',
    }),

    lab('response, revoked', plain, [await ocsp({ nonce, responses: [single(plain, revoked)] })]),
    lab('response, good', plain, [await ocsp({ nonce, responses: [single(plain, 'good')] })]),
    lab('response by name and SHA-256, revoked', plain, [
      await ocsp({ hash: 'SHA-256', responderID: 'byName', responses: [single(plain, revoked)] }),
    ]),
    lab('response by name and SHA-256, good', plain, [
      await ocsp({ hash: 'SHA-256', responderID: 'byName', responses: [plain] }),
    ]),
    lab('response of a delegate, revoked', plain, [
      await ocsp({
        signer: responder,
        nonce,
        responses: [pointed, single(plain, revoked), { certificate: aside, certStatus: 'unknown' }],
      }),
    ]),
    lab('response of a delegate, good', plain, [
      await ocsp({
        signer: responder,
        responderID: 'byName',
        responses: [{ certificate: pointed, certStatus: 'revoked' }, single(plain, 'good')],
      }),
    ]),
    lab('response, unknown', plain, [await ocsp({ responses: [single(plain, 'unknown')] })]),
    lab('two responses, one revoked', plain, [
      await ocsp({ responses: [single(plain, revoked)] }),
      await ocsp({ signer: responder, responses: [plain] }),
    ]),
    lab(
      'response of a delegate whom a list revokes',
      elsewhere,
      [
        await ocsp({ signer: revokedResponder, responses: [elsewhere] }),
        await crl({ revoked: [revokedResponder], issuingDistributionPoint: { uri: pointUri } }),
      ],
      {
        subject: {
          points: [{ uri: 'http://example.com/elsewhere.crl', crlIssuer: undefined }],
        },
      },
    ),
    lab('list and response, both revoked', plain, [
      await crl({ entries: 2, revoked: [listed(plain)] }),
      await ocsp({ responses: [single(plain, revoked)] }),
    ]),
    lab('list good, response revoked', plain, [
      await crl({ entries: 2 }),
      await ocsp({ signer: responder, responses: [single(plain, revoked)] }),
    ]),
    lab('list revoked, response good', plain, [
      await crl({ entries: 2, revoked: [listed(plain)] }),
      await ocsp({ signer: responder, responses: [single(plain, 'good')] }),
    ]),
  ]

  const donors = [
    await crl({ entries: 2 }, fake),
    await crl({ cRLNumber: 12, baseCRLNumber: 10, entries: 1 }, fake),
    await crl({ issuingDistributionPoint: indirect, revoked: [pointed] }, other),
    await ocsp({ responses: [plain, single(pointed, 'good')] }, fake),
    await ocsp({ signer: responder, responses: [single(pointed, 'good')] }),
  ].map(({ tree }) => tree)
  return { labs, stranger: fake.key, donors }
}

/** An entry as version 1 has it. */
function listedBare({ tbsCertificate }: IssuedCertificate): RevokedInput {
  return { serialNumber: tbsCertificate.serialNumber }
}

function treeOf(der: Uint8Array): Node {
  return parseTree(der) as Node
}

function key(index: number): KeyInput {
  return `Ed25519#${index}` as KeyInput
}

function generalized(digits: string): Uint8Array {
  return Uint8Array.from([0x18, digits.length, ...digits].map(octetOf))
}

function octetOf(one: number | string): number {
  return typeof one === 'number' ? one : one.charCodeAt(0)
}

export const pointUri = 'http://example.com/list.crl'

const signsLists: CertificateOptions = { keyUsage: ['cRLSign'], extendedKeyUsage: 'absent' }
