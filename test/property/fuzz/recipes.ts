/**
 * For each failure code a way to provoke it, with something left to chance. What a recipe signs, it signs with the key of the
 * right issuer, unless the forgery is the point.
 * @module
 */

import { encodeBase64 } from '../../../src/base/base64.ts'
import { concatBytes } from '../../../src/base/bytes.ts'
import type { FailureCode } from '../../../src/client/failure.ts'
import {
  writeBitString,
  writeBoolean,
  writeElement,
  writeInteger,
  writeNull,
  writeOctetString,
  writeSequence,
} from '../../../src/der/writer.ts'
import { elementsOf, oid, primitive } from '../../../src/testing/encode.ts'
import { encodeExtension } from '../../../src/testing/extensions.ts'
import { bulkSerialNumber } from '../../../src/testing/index.ts'
import { poolKey } from '../../../src/testing/keys.ts'
import { encodeName } from '../../../src/testing/names.ts'
import { toPem } from '../../../src/testing/pem.ts'
import { encodeScheme, usualScheme } from '../../../src/testing/sign.ts'
import {
  clientPlan,
  encodeTbs,
  forge,
  forgeCa,
  forgeClient,
  forgeRoot,
  type Plan,
  type Signer,
  signTbs,
} from '../forge.ts'
import type { Random } from './random.ts'
import {
  bareRoot,
  denied,
  foreign,
  issuing,
  killedCa,
  killedKey,
  listingCa,
  policyA,
  revokedCount,
  root,
  type SettingName,
  silentCa,
  unlisted,
} from './settings.ts'
import { allNodes, encodeTree, type Node, parseTree } from './tree.ts'

export interface Input {
  readonly presented: string | Uint8Array | readonly Uint8Array[]
  readonly setting: SettingName
  /** Something was changed and then signed by the right issuer. */
  readonly resigned: boolean
}

export type Recipe = (random: Random) => Input

/** Every code but those of `withoutRecipe`. */
export type ProvokedCode = Exclude<FailureCode, keyof typeof withoutRecipe>

/** Codes that octets alone cannot cause, and why. */
export const withoutRecipe = {
  'acl-empty': 'an ACL without entries refuses everybody, whatever the octets',
} as const satisfies { readonly [C in FailureCode]?: string }

type Options = Partial<Plan>

const serial = (random: Random) =>
  concatBytes(Uint8Array.of(1 + random.below(0x7e)), random.bytes(7))

function present(
  client: Uint8Array,
  issuers: readonly Uint8Array[] = [issuing.der],
  setting: SettingName = 'default',
  resigned = true,
): Input {
  return { presented: [client, ...issuers], setting, resigned }
}

/** A client under the issuing CA. */
function leaf(
  options: Options | ((random: Random) => Options),
  setting: SettingName = 'default',
  issuer: Signer = issuing,
): Recipe {
  return (random) => {
    const chosen = typeof options === 'function' ? options(random) : options
    const client = forgeClient(issuer, { serialNumber: serial(random), ...chosen })
    return present(client, [issuer.der], setting)
  }
}

/** A client under a CA of its own. */
function under(
  ca: Options | ((random: Random) => Options),
  client: Options = {},
  setting: SettingName = 'default',
): Recipe {
  return (random) => {
    const chosen = typeof ca === 'function' ? ca(random) : ca
    const signer = forgeCa(root, 'CN=Other CA,O=Example', poolKey('P-256', 8 + random.below(8)), {
      serialNumber: serial(random),
      ...chosen,
    })
    return present(
      forgeClient(signer, { serialNumber: serial(random), ...client }),
      [signer.der],
      setting,
    )
  }
}

/** A client whose signed part was changed as a tree, then signed. */
function changed(change: (tbs: Node, random: Random) => void, options: Options = {}): Recipe {
  return (random) => {
    const scheme = encodeScheme(usualScheme('P-256'))
    const plan = clientPlan(issuing, { serialNumber: serial(random), ...options })
    const tbs = parseTree(encodeTbs(plan, scheme)) as Node
    change(tbs, random)
    return present(signTbs(encodeTree(tbs), issuing.key, scheme))
  }
}

function raw(oid: string, value: Uint8Array, critical = false): Options {
  return { rawExtensions: [{ oid, value, critical }] }
}

const spki = (algorithm: Uint8Array, key: Uint8Array) =>
  writeSequence(algorithm, writeBitString(key))

function rsaSpki(modulus: Uint8Array, exponent: Uint8Array): Uint8Array {
  const rsa = writeSequence(oid('1.2.840.113549.1.1.1'), writeNull())
  return spki(rsa, writeSequence(writeElement(2, modulus), writeElement(2, exponent)))
}

/** A number of `bits` bits, odd, as the contents of an INTEGER. */
function modulusOf(bits: number, random: Random): Uint8Array {
  const octets = random.bytes(Math.ceil(bits / 8))
  const top = (bits - 1) % 8
  octets[0] = ((octets[0] as number) & ((1 << top) - 1)) | (1 << top)
  octets[octets.length - 1]! |= 1
  return top === 7 ? concatBytes(Uint8Array.of(0), octets) : octets
}

const leafNodes = (node: Node, tag: number) => allNodes(node).filter((one) => one.tag === tag)

const ecdsa = (arc: number) => writeSequence(oid(`1.2.840.10045.4.3.${arc}`))

/** `count` CAs, each under the one before. */
function tower(count: number): readonly Signer[] {
  const cas: Signer[] = []
  for (let i = 0; i < count; i++) {
    const name = `CN=Floor ${i},O=Example`
    cas.push(forgeCa(cas.at(-1) ?? root, name, poolKey('P-256', 8 + (i % 50))))
  }
  return cas
}

const floors = tower(36)

/** CAs of one name that certify each other under many keys: each pair is a candidate. */
function mesh(): readonly Uint8Array[] {
  const name = 'CN=Mesh,O=Example'
  const outside = forgeRoot('CN=Mesh,O=Example', poolKey('P-521', 0))
  return Array.from(
    { length: 60 },
    (_, i) =>
      forgeCa(outside, name, poolKey('P-256', i), {
        authorityKeyIdentifier: 'absent',
        subjectKeyIdentifier: 'absent',
        notBefore: 1_600_000_000 + i,
      }).der,
  )
}

const meshed = mesh()

const large = new Uint8Array(1_048_576 + 64)
large.set([0x30, 0x83, 0x10, 0, 0x3b])

const dsaKey = poolKey('DSA-1024', 0)
const [dsaAlgorithm, dsaBits] = elementsOf(dsaKey.publicKey) as [Uint8Array, Uint8Array]
const [dsaOid] = elementsOf(dsaAlgorithm) as [Uint8Array]
const dsaWithoutParameters = writeSequence(writeSequence(dsaOid), dsaBits)

const ecAlgorithm = (elementsOf(issuing.key.publicKey) as [Uint8Array])[0]

export const recipes: { readonly [C in ProvokedCode]: Recipe } = {
  'input-empty': (random) => ({
    presented: random.pick<Input['presented']>(['', new Uint8Array(0), [], ' \n\t', '\r\n']),
    setting: 'default',
    resigned: false,
  }),
  'input-unrecognized': (random) => ({
    presented: random.chance(50)
      ? `x${encodeBase64(random.bytes(20))}!`
      : concatBytes(Uint8Array.of(0x2d + random.below(3)), random.bytes(random.below(300))),
    setting: 'default',
    resigned: false,
  }),
  'input-not-a-certificate': (random) => ({
    presented: random.pick<() => string | Uint8Array>([
      () => toPem(random.bytes(30), random.pick(['PRIVATE KEY', 'CERTIFICATE REQUEST', 'PKCS7'])),
      () => issuing.key.privateKey,
      () => issuing.key.publicKey,
      () => toPem(issuing.key.publicKey, 'CERTIFICATE'),
    ])(),
    setting: 'default',
    resigned: false,
  }),
  'input-pem-malformed': (random) => {
    const pem = toPem(issuing.der, 'CERTIFICATE')
    const at = 40 + random.below(200)
    const presented = random.chance(50)
      ? pem.slice(0, -10 - random.below(60))
      : `${pem.slice(0, at)}${random.pick(['!', '*', '%', '$'])}${pem.slice(at)}`
    return { presented, setting: 'default', resigned: false }
  },
  'presented-too-many': (random) => ({
    presented: Array.from({ length: 101 + random.below(20) }, () => issuing.der),
    setting: 'default',
    resigned: false,
  }),
  'presented-too-large': (random) => ({
    presented: [issuing.der, large.subarray(0, 1_048_576 - random.below(400))],
    setting: 'default',
    resigned: false,
  }),
  'certificate-too-large': (random) => ({
    presented: large.subarray(0, 1_048_577 + random.below(60)),
    setting: 'default',
    resigned: false,
  }),

  'der-truncated': (random) => {
    const client = forgeClient(issuing)
    return present(client.subarray(0, 1 + random.below(client.length - 1)))
  },
  'der-trailing-data': (random) =>
    present(concatBytes(forgeClient(issuing), random.bytes(1 + random.below(9)))),
  'der-unexpected-tag': changed((tbs, random) => {
    random.pick(tbs.children?.slice(2) ?? []).tag = random.pick([0x05, 0x0a, 0x24, 0x60])
  }),
  'der-indefinite-length': changed((tbs, random) => {
    const node = random.pick(leafNodes(tbs, 0x30))
    node.header = Uint8Array.of(node.tag, 0x80)
  }),
  'der-length-not-minimal': changed((tbs, random) => {
    const node = random.pick(leafNodes(tbs, 0x06))
    node.header = Uint8Array.of(node.tag, 0x81, node.content.length)
  }),
  'der-length-too-large': changed((tbs, random) => {
    const node = random.pick(tbs.children ?? [])
    node.header = Uint8Array.of(node.tag, 0x85 + random.below(100), 1, 1, 1, 1, 1, 1, 1)
  }),
  'der-boolean': leaf((random) =>
    raw('2.5.29.19', writeSequence(writeElement(1, Uint8Array.of(1 + random.below(0xfe))))),
  ),
  'der-integer': leaf((random) => ({ serialNumber: Uint8Array.of(0, random.below(0x80)) })),
  'der-bit-string': leaf((random) => ({
    keyUsage: 'absent',
    ...raw('2.5.29.15', writeElement(3, Uint8Array.of(7, 1 + random.below(0x7f)))),
  })),
  'der-object-identifier': leaf((random) => ({
    extendedKeyUsage: 'absent',
    ...raw(
      '2.5.29.37',
      writeSequence(writeElement(6, Uint8Array.of(0x2a, 0x80 + random.below(128)))),
    ),
  })),
  'der-set-order': leaf((random) => {
    const [set] = elementsOf(
      encodeName([
        [
          { type: 'CN', value: `c${random.below(999)}` },
          { type: 'O', value: 'x' },
        ],
      ]),
    ) as [Uint8Array]
    const [a, b] = elementsOf(concatBytes(Uint8Array.of(0x30), set.subarray(1))) as [
      Uint8Array,
      Uint8Array,
    ]
    return { subject: writeSequence(writeElement(0x31, b, a)) }
  }),
  'der-time': changed((tbs, random) => {
    const node = random.pick(leafNodes(tbs, 0x17))
    const at = random.below(node.content.length)
    node.content = Uint8Array.from(node.content)
    node.content[at] = random.pick([0x20, 0x2b, 0x3a, 0x61])
  }),
  'der-string': leaf((random) => ({
    subject: [
      { type: 'CN', value: `a${random.pick(['*', '@', '_', '&', '#'])}b`, as: 'PrintableString' },
    ],
  })),
  'der-default-value': leaf(() => raw('2.5.29.19', writeSequence(writeBoolean(false)))),
  'certificate-version': changed((tbs, random) => {
    tbs.children?.splice(
      0,
      1,
      parseTree(writeElement(0xa0, writeElement(2, Uint8Array.of(3 + random.below(100))))) as Node,
    )
  }),
  'signature-algorithm-mismatch': (random) => {
    const tbs = encodeTbs(clientPlan(issuing, { serialNumber: serial(random) }), ecdsa(2))
    return present(signTbs(tbs, issuing.key, ecdsa(random.pick([1, 3, 4]))))
  },
  'extension-duplicate': leaf(() => raw('2.5.29.15', Uint8Array.of(3, 2, 7, 0x80), true)),
  'extension-malformed': leaf((random) => ({
    subjectAltName: [{ ip: random.bytes(random.pick([0, 1, 3, 5, 8, 15, 17, 32])) }],
  })),

  'certificate-expired': leaf((random) => ({
    notAfter: 1_600_000_000 + random.below(290_000_000),
  })),
  'certificate-not-yet-valid': leaf((random) => ({
    notBefore: 1_893_456_001 + random.below(600_000_000),
  })),
  'extended-key-usage-missing': leaf((random) => ({
    extendedKeyUsage: [random.pick(['codeSigning', 'emailProtection', '1.2.3.4'])],
  })),
  'extended-key-usage-server-only': leaf({ extendedKeyUsage: ['serverAuth'] }),
  'key-usage-no-digital-signature': leaf((random) => ({
    keyUsage: [random.pick(['keyEncipherment', 'nonRepudiation', 'keyAgreement'] as const)],
  })),
  'key-usage-no-cert-sign': under((random) => ({
    keyUsage: [random.pick(['cRLSign', 'digitalSignature'] as const)],
  })),
  'peer-name-mismatch': leaf(
    (random) => ({
      extendedKeyUsage: ['serverAuth'],
      subjectAltName: [{ dns: `s${random.below(999)}.example.com` }],
    }),
    'server',
  ),
  'key-too-weak': leaf((random) => ({
    subjectPublicKeyInfo: rsaSpki(
      modulusOf(512 + 8 * random.below(150), random),
      Uint8Array.of(1, 0, 1),
    ),
  })),
  'key-too-large': leaf((random) => ({
    subjectPublicKeyInfo: rsaSpki(
      modulusOf(8200 + 8 * random.below(50), random),
      Uint8Array.of(1, 0, 1),
    ),
  })),
  'key-size-not-octets': leaf((random) => ({
    subjectPublicKeyInfo: rsaSpki(
      modulusOf(2049 + random.below(7), random),
      Uint8Array.of(1, 0, 1),
    ),
  })),
  'key-exponent': leaf((random) => ({
    subjectPublicKeyInfo: rsaSpki(
      modulusOf(2048, random),
      Uint8Array.from(random.pick([[1], [2], [4], [1, 0, 0], [2, 0, 0, 0, 1], [1, 0, 0, 0, 0, 1]])),
    ),
  })),
  'key-algorithm-not-allowed': leaf((random) => ({
    key: poolKey(random.pick(['secp256k1', 'P-224', 'P-192', 'DSA-2048'] as const), 0),
  })),
  'key-algorithm-unknown': leaf((random) => ({
    subjectPublicKeyInfo: spki(writeSequence(oid(`1.2.3.${random.below(9999)}`)), random.bytes(32)),
  })),
  'key-malformed': leaf((random) => ({
    subjectPublicKeyInfo: spki(ecAlgorithm, random.bytes(random.pick([0, 1, 33, 64, 66]))),
  })),
  'key-parameters-missing': (random) => {
    const signer = forgeCa(root, 'CN=DSA CA,O=Example', dsaKey, {
      subjectPublicKeyInfo: dsaWithoutParameters,
    })
    const client = forge(clientPlan(signer, { serialNumber: serial(random) }), dsaKey, {
      name: 'DSA',
      hash: 'SHA-256',
    })
    return present(client, [signer.der], 'dangerous')
  },
  'signature-algorithm-unknown': leaf((random) => ({
    algorithm: writeSequence(oid(`1.2.840.10045.4.9.${random.below(999)}`)),
  })),
  'signature-algorithm-parameters': leaf((random) => ({
    algorithm: writeSequence(
      oid('1.2.840.10045.4.3.2'),
      random.chance(50) ? writeNull() : writeOctetString(random.bytes(3)),
    ),
  })),
  'signature-algorithm-weak': leaf({ algorithm: writeSequence(oid('1.2.840.10045.4.1')) }),
  'signature-algorithm-key-mismatch': leaf((random) => ({
    algorithm: encodeScheme(
      random.pick([
        { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as const,
        { name: 'Ed25519' } as const,
        { name: 'RSASSA-PSS', hash: 'SHA-384', saltLength: 48 } as const,
      ]),
    ),
  })),
  'signature-algorithm-unsupported': under((random) => ({
    // Coordinates by chance are on the curve once in 2^128 times.
    subjectPublicKeyInfo: spki(ecAlgorithm, concatBytes(Uint8Array.of(4), random.bytes(64))),
  })),
  'signature-invalid': (random) =>
    present(
      forge(
        clientPlan(issuing, { serialNumber: serial(random) }),
        poolKey('P-256', 20 + random.below(20)),
      ),
      [issuing.der],
      'default',
      false,
    ),
  'name-not-permitted': under(
    { nameConstraints: { permitted: [{ dns: 'example.com' }] } },
    { subjectAltName: [{ dns: 'a.example.org' }] },
  ),
  'name-excluded': under(
    (random) => ({ nameConstraints: { excluded: [{ ip: `10.1.0.0/${8 + random.below(16)}` }] } }),
    { subjectAltName: [{ ip: '10.1.0.9' }] },
  ),
  'name-form-unsupported': under(
    { nameConstraints: { excluded: [{ registeredId: '1.2.3' }] } },
    { subjectAltName: [{ registeredId: '1.2.3.4' }] },
  ),
  'name-malformed': under(
    { nameConstraints: { permitted: [{ dns: 'example.com' }] } },
    { subjectAltName: [{ dns: 'a..example.com' }] },
  ),
  'name-constraint-malformed': under(
    (random) => ({
      nameConstraints: {
        permitted: [{ ip: Uint8Array.of(10, 0, 0, 0, 255, random.below(127), 255, 0) }],
      },
    }),
    { subjectAltName: [{ ip: '10.0.0.1' }] },
  ),
  'policy-required': leaf(
    (random) => ({ certificatePolicies: [`1.2.3.${random.below(999)}`] }),
    'policy',
  ),
  'policy-mapping-any': under((random) => ({
    certificatePolicies: [policyA],
    policyMappings: [random.chance(50) ? ['2.5.29.32.0', policyA] : [policyA, '2.5.29.32.0']],
  })),
  'policy-duplicate': leaf({ certificatePolicies: [policyA, policyA] }),
  'policy-qualifier-unknown': leaf((random) =>
    raw(
      '2.5.29.32',
      writeSequence(
        writeSequence(
          oid(policyA),
          writeSequence(writeSequence(oid(`1.2.3.${random.below(99)}`), writeNull())),
        ),
      ),
      true,
    ),
  ),
  'issuer-empty': leaf({ issuer: [] }),
  'unknown-critical-extension': leaf((random) =>
    raw(`1.3.6.1.4.1.32473.${random.below(9999)}`, random.bytes(random.below(30)), true),
  ),
  'basic-constraints-missing': under((random) =>
    random.chance(50) ? { version: 1, ...withoutExtensions } : { basicConstraints: 'absent' },
  ),
  'not-a-ca': under({ basicConstraints: { cA: false } }),
  'path-length-exceeded': (random) => {
    const short = forgeCa(root, 'CN=Short CA,O=Example', poolKey('P-256', 41), {
      basicConstraints: { cA: true, pathLenConstraint: 0 },
      serialNumber: serial(random),
    })
    const below = forgeCa(short, 'CN=Below CA,O=Example', poolKey('P-256', 42))
    return present(forgeClient(below, { serialNumber: serial(random) }), [below.der, short.der])
  },
  'path-too-long': (random) => {
    const count = 33 + random.below(4)
    const client = forgeClient(floors[count - 1] as Signer, { serialNumber: serial(random) })
    return present(
      client,
      floors.slice(0, count).map(({ der }) => der),
    )
  },
  'issuer-unknown': (random) =>
    present(
      forgeClient(issuing, { serialNumber: serial(random) }),
      random.chance(50) ? [] : [root.der],
    ),
  'root-not-trusted': (random) =>
    present(forgeClient(foreign, { serialNumber: serial(random) }), [foreign.der]),
  'target-is-trust-anchor': (random) =>
    present(bareRoot.der, random.chance(50) ? [] : [issuing.der], 'default', false),
  'budget-exhausted': (random) => {
    const plan = clientPlan(issuing, {
      issuer: 'CN=Mesh,O=Example',
      authorityKeyIdentifier: 'absent',
      serialNumber: serial(random),
    })
    const top = forgeCa(root, 'CN=Mesh,O=Example', poolKey('P-256', 63), {
      authorityKeyIdentifier: 'absent',
      subjectKeyIdentifier: 'absent',
    })
    return present(forge(plan, issuing.key), [...meshed, top.der], 'default', false)
  },

  'serial-number-zero': leaf({ serialNumber: 0 }, 'rfc5280'),
  'serial-number-negative': leaf(
    (random) => ({ serialNumber: Uint8Array.of(0x80 + random.below(0x70), 1) }),
    'rfc5280',
  ),
  'serial-number-too-long': leaf(
    (random) => ({
      serialNumber: concatBytes(Uint8Array.of(1), random.bytes(20 + random.below(20))),
    }),
    'rfc5280',
  ),
  'authority-key-identifier-missing': leaf({ authorityKeyIdentifier: 'absent' }, 'rfc5280'),
  'authority-key-identifier-critical': leaf(
    { criticality: { authorityKeyIdentifier: true } },
    'rfc5280',
  ),
  'subject-key-identifier-missing': under({ subjectKeyIdentifier: 'absent' }, {}, 'rfc5280'),
  'subject-key-identifier-critical': leaf(
    (random) => ({
      subjectKeyIdentifier: random.bytes(20),
      criticality: { subjectKeyIdentifier: true },
    }),
    'rfc5280',
  ),
  'basic-constraints-not-critical': under(
    { criticality: { basicConstraints: false } },
    {},
    'rfc5280',
  ),
  'name-constraints-not-critical': under(
    {
      nameConstraints: { excluded: [{ dns: 'example.org' }] },
      criticality: { nameConstraints: false },
    },
    {},
    'rfc5280',
  ),
  'policy-constraints-not-critical': under(
    (random) => ({
      policyConstraints: { requireExplicitPolicy: 3 + random.below(9) },
      criticality: { policyConstraints: false },
    }),
    {},
    'rfc5280',
  ),
  'inhibit-any-policy-not-critical': under(
    (random) => ({
      inhibitAnyPolicy: random.below(9),
      criticality: { inhibitAnyPolicy: false },
    }),
    {},
    'rfc5280',
  ),
  'freshest-crl-critical': leaf(
    raw(
      '2.5.29.46',
      writeSequence(
        writeSequence(
          writeElement(
            0xa0,
            writeElement(0xa0, primitive(6, new TextEncoder().encode('http://example.com'))),
          ),
        ),
      ),
      true,
    ),
    'rfc5280',
  ),
  'no-rev-avail-critical': leaf(
    { noRevAvail: 'present', criticality: { noRevAvail: true } },
    'rfc5280',
  ),
  'key-usage-cert-sign-without-ca': leaf(
    { keyUsage: ['digitalSignature', 'keyCertSign'] },
    'rfc5280',
  ),
  'path-length-without-ca': leaf(
    (random) => raw('2.5.29.19', writeSequence(writeInteger(random.below(100))), true),
    'rfc5280',
  ),
  'name-constraints-in-end-entity': leaf(
    { nameConstraints: { excluded: [{ dns: 'example.org' }] } },
    'rfc5280',
  ),
  'subject-empty': leaf({ subject: [] }, 'rfc5280'),
  'subject-alt-name-not-critical': leaf(
    {
      subject: [],
      subjectAltName: [{ dns: 'a.example.com' }],
      criticality: { subjectAltName: false },
    },
    'rfc5280',
  ),
  'dns-name-is-ip-address': leaf(
    (random) => ({ subjectAltName: [{ dns: `10.0.${random.below(256)}.1` }] }),
    'rfc5280',
  ),
  'dns-name-not-preferred-syntax': leaf(
    (random) => ({ subjectAltName: [{ dns: `a_${random.below(999)}.example.com` }] }),
    'rfc5280',
  ),

  'certificate-killed': leaf({ key: killedKey }, 'killed'),
  'issuer-killed': leaf({}, 'killed', killedCa),
  'certificate-revoked': leaf(
    (random) => ({ serialNumber: bulkSerialNumber(random.below(revokedCount)) }),
    'revocation',
    listingCa,
  ),
  'revocation-unknown': leaf({}, 'revocation', silentCa),

  'issuer-not-allowed': leaf({}, 'acl', unlisted),
  'issuer-denied': leaf({}, 'acl', denied),
  'issuer-deny-unchecked': leaf({}, 'unverified'),
  'client-not-allowed': leaf((random) => ({ subject: `CN=c${random.below(999)},O=Else` }), 'acl'),
  'client-denied': leaf(
    (random) => ({ subject: `CN=c${random.below(999)},OU=Denied,O=Example` }),
    'acl',
  ),
}

const withoutExtensions: Options = {
  basicConstraints: 'absent',
  keyUsage: 'absent',
  subjectKeyIdentifier: 'absent',
  authorityKeyIdentifier: 'absent',
}

/** Extensions of every kind, for mutations to bite into. */
export function richClient(): Uint8Array {
  return forgeClient(issuing, {
    basicConstraints: { cA: false },
    subjectAltName: [
      { dns: 'a.example.com' },
      { email: 'a@example.com' },
      { uri: 'spiffe://example.com/a' },
      { ip: '10.0.0.1' },
      { directoryName: 'CN=a,O=Example' },
      { smtpUtf8: 'ä@example.com' },
      { registeredId: '1.2.3' },
    ],
    certificatePolicies: [policyA, { policy: '1.2.3', cps: 'http://example.com' }],
    cRLDistributionPoints: [{ uri: 'http://example.com/crl' }],
    authorityInfoAccess: { ocsp: 'http://example.com/ocsp' },
    subjectKeyIdentifier: Uint8Array.of(1, 2, 3, 4),
    rawExtensions: [
      { oid: '1.3.6.1.4.1.32473.9', value: encodeExtension('1.2.3', true, large.subarray(0, 4)) },
    ],
  })
}
