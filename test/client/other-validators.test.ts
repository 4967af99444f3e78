import { describe, expect, test } from 'vitest'
import {
  parseCertificate,
  parseTrustAnchors,
  type Verdict,
  validateClientCertificateSync,
} from '../../src/sync.ts'
import {
  type CertificateAuthority,
  type CertificateOptions,
  issueCa,
  issueVariant,
  poolKey,
  testTime,
  toPem,
} from '../../src/testing/index.ts'

// Bugs that other validators had; each is a test by its name. Repository and number, or the advisory, in the name.

const time = new Date(testTime * 1000)

function judge(
  client: { readonly der: Uint8Array },
  cas: readonly { readonly der: Uint8Array }[],
  ...anchors: readonly { readonly pem: string }[]
): Verdict {
  return validateClientCertificateSync([client.der, ...cas.map(({ der }) => der)], {
    trustAnchors: parseTrustAnchors(anchors.map(({ pem }) => pem)),
    time,
  })
}

function codeOf(verdict: Verdict): string {
  return verdict.ok ? 'accepted' : verdict.failure.code
}

describe('only the shortest or the first path is tried (PKI.js, @peculiar/x509, certvalidator#32)', async () => {
  const oldRoot = await issueCa('Old Root')
  const newRoot = await issueCa('New Root', { key: 'P-256#9' })
  const issuing = await newRoot.issueCa('Issuing CA')
  const client = await issuing.issue('client-a')
  const bridge = await oldRoot.crossSign(newRoot)

  test('the longer path over a cross-certificate is found', () => {
    const verdict = judge(client, [issuing, newRoot, bridge], oldRoot)
    expect(verdict.ok && verdict.verified && verdict.path.length).toBe(3)
  })

  test('the shorter path is refused by a rule, and the longer one is taken', async () => {
    const servers = await oldRoot.crossSign(issuing, { extendedKeyUsage: ['serverAuth'] })
    for (const cas of [
      [servers, issuing, bridge],
      [bridge, issuing, servers],
    ]) {
      const verdict = judge(client, cas, oldRoot)
      expect(verdict.ok && verdict.verified && verdict.path.length).toBe(3)
    }
  })

  test('of two anchors that the same CA chains to, the expired one does not stand in the way', async () => {
    const expired = await issueCa('Old Root', { key: oldRoot.key, notAfter: testTime - 1 })
    for (const anchors of [
      [expired, oldRoot],
      [oldRoot, expired],
    ]) {
      expect(codeOf(judge(client, [issuing, bridge], ...anchors))).toBe('accepted')
    }
  })

  test('a CA that was issued again after it expired is used, in whatever order', async () => {
    const root = await issueCa('Root CA')
    const ca = await root.issueCa('Some CA', { notAfter: testTime - 1 })
    const again = await root.crossSign(ca)
    const leaf = await ca.issue('client-a')
    expect(codeOf(judge(leaf, [ca, again], root))).toBe('accepted')
    expect(codeOf(judge(leaf, [again, ca], root))).toBe('accepted')
    expect(codeOf(judge(leaf, [ca], root))).toBe('certificate-expired')
  })

  test('a CA that was issued again with a new key is told from the old one', async () => {
    const root = await issueCa('Root CA')
    const first = await root.issueCa('Some CA', withoutIdentifiers)
    const second = await root.issueCa('Some CA', { ...withoutIdentifiers, key: 'P-256#30' })
    for (const ca of [first, second]) {
      const leaf = await ca.issue('client-a', withoutIdentifiers)
      expect(codeOf(judge(leaf, [first, second], root))).toBe('accepted')
      expect(codeOf(judge(leaf, [second, first], root))).toBe('accepted')
    }
  })
})

describe('a self-signed anchor is dropped while de-duplicating (PKI.js#345)', async () => {
  const root = await issueCa('Root CA')
  const issuing = await root.issueCa('Issuing CA')
  const client = await issuing.issue('client-a')

  test('the client sends the anchor too', () => {
    expect(codeOf(judge(client, [issuing, root], root))).toBe('accepted')
    expect(codeOf(judge(client, [root, issuing], root))).toBe('accepted')
  })

  test('the anchor is given twice, and sent', () => {
    expect(codeOf(judge(client, [issuing, root, root, issuing], root, root))).toBe('accepted')
  })

  test('the anchor is among the intermediates as well', () => {
    const verdict = validateClientCertificateSync(client.der, {
      trustAnchors: parseTrustAnchors(root.pem),
      intermediates: [root.der, issuing.der],
      time,
    })
    expect(codeOf(verdict)).toBe('accepted')
  })

  test('the anchor comes twice, self-signed and cross-signed, under one key', async () => {
    const other = await issueCa('Other Root', { key: 'P-256#9' })
    const cross = await other.crossSign(root)
    expect(codeOf(judge(client, [issuing, cross], root))).toBe('accepted')
    expect(codeOf(judge(client, [issuing, root, cross], other))).toBe('accepted')
  })

  test('a self-signed certificate that is sent is no anchor', () => {
    return issueCa('Another Root', { key: 'P-256#9' }).then((another) => {
      expect(codeOf(judge(client, [issuing, root], another))).toBe('root-not-trusted')
    })
  })
})

describe('an expired chain is accepted (PKI.js#247)', () => {
  test.each([
    'expired',
    'expired-one-second-ago',
    'intermediate-expired',
    'anchor-expired',
  ] as const)('%s', async (name) => {
    const { client, intermediatesPem, anchorsPem } = await issueVariant(name)
    const verdict = validateClientCertificateSync(client.der, {
      trustAnchors: parseTrustAnchors(anchorsPem),
      ...(intermediatesPem === '' ? {} : { intermediates: intermediatesPem }),
      time,
    })
    expect(codeOf(verdict)).toBe('certificate-expired')
  })
})

describe('the path length is not enforced (forge, GHSA-h8mc-2r26-8398)', async () => {
  const root = await issueCa('Root CA')
  const limited = await root.issueCa('Limited CA', {
    basicConstraints: { cA: true, pathLenConstraint: 0 },
  })
  const below = await limited.issueCa('CA below')

  test('one CA too many', async () => {
    expect(codeOf(judge(await below.issue('client-a'), [below, limited], root))).toBe(
      'path-length-exceeded',
    )
  })

  test('a path length counts without a key usage beside it', async () => {
    const bare = await root.issueCa('Bare CA', {
      basicConstraints: { cA: true, pathLenConstraint: 0 },
      keyUsage: 'absent',
    })
    const lower = await bare.issueCa('CA lower')
    expect(codeOf(judge(await lower.issue('client-a'), [lower, bare], root))).toBe(
      'path-length-exceeded',
    )
  })

  test('a self-issued CA does not count, and does not start anew', async () => {
    const again = await limited.issueCa('Limited CA', { key: 'P-256#31' })
    expect(codeOf(judge(await again.issue('client-a'), [again, limited], root))).toBe('accepted')
    const lower = await again.issueCa('CA lower')
    expect(codeOf(judge(await lower.issue('client-a'), [lower, again, limited], root))).toBe(
      'path-length-exceeded',
    )
  })

  test('a path length of the anchor counts', async () => {
    const short = await issueCa('Short Root', {
      key: 'P-256#9',
      basicConstraints: { cA: true, pathLenConstraint: 0 },
    })
    const ca = await short.issueCa('Some CA')
    expect(codeOf(judge(await ca.issue('client-a'), [ca], short))).toBe('path-length-exceeded')
  })
})

describe('basic constraints are bypassed (forge, fixed in 1.4.0)', async () => {
  const root = await issueCa('Root CA')
  const fakeCa = (options: CertificateOptions): Promise<CertificateAuthority> =>
    root.issueCa('client-a', { keyUsage: ['digitalSignature'], ...options })

  test.each<readonly [string, CertificateOptions, string]>([
    [
      'neither basic constraints nor key usage',
      { basicConstraints: 'absent', keyUsage: 'absent' },
      'basic-constraints-missing',
    ],
    [
      'no basic constraints, keyCertSign',
      { basicConstraints: 'absent', keyUsage: ['keyCertSign'] },
      'basic-constraints-missing',
    ],
    [
      'cA FALSE, keyCertSign',
      { basicConstraints: { cA: false }, keyUsage: ['keyCertSign'] },
      'not-a-ca',
    ],
    ['cA FALSE, no key usage', { basicConstraints: { cA: false }, keyUsage: 'absent' }, 'not-a-ca'],
    ['cA TRUE, no keyCertSign', { basicConstraints: { cA: true } }, 'key-usage-no-cert-sign'],
  ])('%s', async (_, options, code) => {
    const ca = await fakeCa(options)
    expect(codeOf(judge(await ca.issue('client-b'), [ca], root))).toBe(code)
  })
})

describe('version 1 (forge#1145)', async () => {
  const root = await issueCa('Root CA')

  test('with extensions it is refused', async () => {
    const client = await root.issueBytes('client-a', { version: 1, keyUsage: ['digitalSignature'] })
    expect(codeOf(judge(client, [], root))).toBe('certificate-version')
  })

  test('without extensions it may be a client, and is no CA', async () => {
    expect(codeOf(judge(await root.issue('client-a', { version: 1 }), [], root))).toBe('accepted')
    const ca = await root.issueCa('Some CA', { version: 1 })
    expect(codeOf(judge(await ca.issue('client-a'), [ca], root))).toBe('basic-constraints-missing')
  })
})

describe('checkIssued is taken for a signature check (app-store-server-api#4)', async () => {
  const root = await issueCa('Root CA')
  const issuing = await root.issueCa('Issuing CA')

  test('names and key identifiers of the right issuer, signed by another key', async () => {
    const client = await issuing.issue('client-a', { signingKey: 'P-256#50' })
    expect(codeOf(judge(client, [issuing], root))).toBe('signature-invalid')
  })

  test('a forged intermediate', async () => {
    const forged = await root.issueCa('Issuing CA', {
      key: issuing.key,
      signingKey: 'P-256#50',
    })
    const client = await issuing.issue('client-a')
    expect(codeOf(judge(client, [forged], root))).toBe('signature-invalid')
    // The true one beside it is found all the same.
    expect(codeOf(judge(client, [forged, issuing], root))).toBe('accepted')
  })

  test('a whole forged chain with an anchor that looks like ours', async () => {
    const lookAlike = await issueCa('Root CA', {
      key: 'P-256#50',
      subjectKeyIdentifier:
        root.tbsCertificate.extensions.subjectKeyIdentifier?.keyIdentifier ?? new Uint8Array(),
    })
    const ca = await lookAlike.issueCa('Issuing CA')
    expect(codeOf(judge(await ca.issue('client-a'), [ca, lookAlike], root))).toBe(
      'signature-invalid',
    )
  })
})

describe('what the client sends out of order or damaged decides nothing', async () => {
  const root = await issueCa('Root CA')
  const issuing = await root.issueCa('Issuing CA')
  const client = await issuing.issue('client-a')

  test('a damaged client certificate does not promote the next one', () => {
    const damaged = client.pem.replace(/[A-Za-z0-9+/]{8}\n/, '********\n')
    const verdict = validateClientCertificateSync(damaged + issuing.pem, {
      trustAnchors: parseTrustAnchors(root.pem),
      time,
    })
    expect(codeOf(verdict)).toBe('input-pem-malformed')
  })

  test('a CA is judged as the client that it claims to be', () => {
    expect(codeOf(judge(issuing, [client], root))).toBe('key-usage-no-digital-signature')
  })
})

describe('an object that looks like a certificate is no certificate', async () => {
  const root = await issueCa('Root CA')
  const options = { trustAnchors: parseTrustAnchors(root.pem), time }
  const good = await root.issue('client-a')
  const server = await root.issue('server', { extendedKeyUsage: ['serverAuth'] })

  test('fields that nobody signed do not count beside octets that somebody did', () => {
    const { extensions, subject } = good.tbsCertificate
    const forged = { ...server, tbsCertificate: { ...server.tbsCertificate, extensions, subject } }
    expect(codeOf(validateClientCertificateSync(forged, options))).toBe(
      'extended-key-usage-server-only',
    )
    expect(codeOf(validateClientCertificateSync([good, forged], options))).toBe('accepted')
  })

  test('a copy is read again', () => {
    const { der, tbsCertificate, signatureAlgorithm, signatureValue } = good
    const copy = structuredClone({ der, tbsCertificate, signatureAlgorithm, signatureValue })
    expect(codeOf(validateClientCertificateSync(copy, options))).toBe('accepted')
  })

  test('what came as JSON is refused', () => {
    const parsed = JSON.parse('{"tbsCertificate":{"validity":{}},"der":{"0":48}}')
    expect(codeOf(validateClientCertificateSync(parsed, options))).toBe('input-unrecognized')
  })
})

describe('the parser is lax (PKI.js#425)', () => {
  test.each([
    ['length-indefinite', 'der-indefinite-length'],
    ['length-not-minimal', 'der-length-not-minimal'],
    ['serial-not-minimal', 'der-integer'],
    ['trailing-octet', 'der-trailing-data'],
    ['truncated', 'der-truncated'],
    ['boolean-not-der', 'der-boolean'],
    ['default-written', 'der-default-value'],
    ['set-order', 'der-set-order'],
    ['time-without-seconds', 'der-time'],
    ['time-with-offset', 'der-time'],
    ['bad-printable-string', 'der-string'],
    ['duplicate-extension', 'extension-duplicate'],
    ['ip-address-of-five-octets', 'extension-malformed'],
  ] as const)('%s', async (name, code) => {
    const { client } = await issueVariant(name)
    const read = parseCertificate(client.der)
    expect(read.ok ? 'read' : read.failure.code).toBe(code)
  })

  test('a private key, a key and a request are named, not half-read', () => {
    const { privateKey, publicKey } = poolKey('P-256', 0)
    const options = { trustAnchors: parseTrustAnchors(rootPem) }
    for (const [der, label] of [
      [privateKey, 'PRIVATE KEY'],
      [publicKey, 'PUBLIC KEY'],
    ] as const) {
      expect(codeOf(validateClientCertificateSync(toPem(der, label), options))).toBe(
        'input-not-a-certificate',
      )
    }
  })
})

const rootPem = (await issueCa('Root CA')).pem
const withoutIdentifiers: CertificateOptions = {
  subjectKeyIdentifier: 'absent',
  authorityKeyIdentifier: 'absent',
}
