import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createPki, issueCa } from '../../src/testing/index.ts'
import { pkcs7Of } from '../pkcs7/support.ts'
import { cli, demoFolder, folderOf } from './support.ts'

const pki = await demoFolder()

describe('show', async () => {
  const root = await issueCa('Root CA')
  const ca = await root.issueCa('Issuing CA', {
    nameConstraints: {
      permitted: [{ dns: 'example.com' }, { ip: '10.0.0.0/8' }],
    },
    policyConstraints: { requireExplicitPolicy: 0 },
    inhibitAnyPolicy: 1,
  })
  const client = await ca.issue('client-a', {
    key: 'RSA-2048',
    subjectAltName: [{ dns: 'a.example.com' }, { uri: 'spiffe://example.org/a' }],
    certificatePolicies: ['1.2.3'],
    authorityInfoAccess: { ocsp: 'http://ocsp.example/', caIssuers: 'http://ca.example/ca.crt' },
    cRLDistributionPoints: [{ uri: 'http://crl.example/ca.crl' }],
  })
  const folder = await folderOf({ 'chain.pem': client.chainPem, 'bad.pem': 'hello' })

  test('puts everything that people look for into JSON', async () => {
    const { code, out } = await cli(['show', 'chain.pem', '--json'], { cwd: folder })
    expect(code).toBe(0)
    const [{ certificates }] = JSON.parse(out).results
    expect(certificates).toHaveLength(2)
    expect(certificates[0]).toMatchObject({
      version: 3,
      subject: 'CN=client-a',
      issuer: 'CN=Issuing CA',
      notBefore: '2020-01-01T00:00:00Z',
      notAfter: '2049-12-31T23:59:59Z',
      key: { kind: 'RSA', size: 2048, exponent: '65537' },
      signatureAlgorithm: 'ECDSA with SHA-256',
      subjectAltNames: [
        'dNSName:a.example.com',
        'uniformResourceIdentifier:spiffe://example.org/a',
      ],
      keyUsage: ['digitalSignature'],
      extendedKeyUsage: ['clientAuth'],
      certificatePolicies: ['1.2.3'],
      ocspUris: ['http://ocsp.example/'],
      caIssuersUris: ['http://ca.example/ca.crt'],
      crlUris: ['http://crl.example/ca.crl'],
    })
    const { createHash, X509Certificate } = await import('node:crypto')
    const peer = new X509Certificate(client.pem)
    const plainHex = (text: string) => text.replaceAll(':', '').toLowerCase()
    const spki = peer.publicKey.export({ type: 'spki', format: 'der' })
    const digest = createHash('sha256').update(spki)
    expect(certificates[0].sha256).toBe(plainHex(peer.fingerprint256))
    expect(certificates[0].sha1).toBe(plainHex(peer.fingerprint))
    expect(certificates[0].spkiPin).toBe(digest.digest('base64'))
    expect(certificates[0]['x5t#S256']).toBe(
      Buffer.from(plainHex(peer.fingerprint256), 'hex').toString('base64url'),
    )
    expect(certificates[1]).toMatchObject({
      basicConstraints: { cA: true },
      policyConstraints: { requireExplicitPolicy: 0 },
      inhibitAnyPolicy: 1,
    })
    expect(certificates[1].nameConstraints.permitted).toEqual([
      'dNSName:example.com',
      'iPAddress:10.0.0.0/8',
    ])
  })
  test('and into text, with the time that is left', async () => {
    const { code, out } = await cli(['show', 'chain.pem'], { cwd: folder })
    expect(code).toBe(0)
    expect(out).toContain('chain.pem  1 of 2')
    expect(out).toMatch(/not after +2049-12-31T23:59:59Z {2}\(in 19 years\)\n/)
    expect(out).toMatch(/key +RSA 2048 bits, exponent 65537\n/)
    const expired = await cli(['show', 'clients/expired.pem'], { cwd: pki })
    expect(expired.out).toContain('(1 day ago)  expired')
    expect(expired.code).toBe(0)
  })
  test('a bundle in PKCS #7', async () => {
    const bundle = await folderOf({ 'cas.p7b': pkcs7Of([root.der, ca.der]) })
    const { code, out } = await cli(['show', 'cas.p7b', '--json'], { cwd: bundle })
    expect(code).toBe(0)
    const [result] = JSON.parse(out).results
    expect(result.format).toBe('pkcs7')
    expect(result.certificates.map((one: { subject: string }) => one.subject).sort()).toEqual([
      'CN=Issuing CA',
      'CN=Root CA',
    ])
  })
  test('says what cannot be read, with exit code 2', async () => {
    const { code, out } = await cli(['show', 'bad.pem', '--json'], { cwd: folder })
    expect([code, JSON.parse(out).results[0].code]).toEqual([2, 'input-unrecognized'])
    expect((await cli(['show', 'none.pem'], { cwd: folder })).out).toContain('file-not-found')
  })
})

describe('PKCS #7 where certificates are asked for', async () => {
  const { client, issuing, root } = await createPki()
  const other = await issuing.issue('client-b')
  const folder = await folderOf({
    'client.p7b': pkcs7Of([root.der, issuing.der, client.der]),
    'two.p7b': pkcs7Of([client.der, other.der]),
    'cas.p7b': pkcs7Of([issuing.der]),
    'root.p7c': pkcs7Of([root.der]),
    'client.pem': client.pem,
  })
  const code = async (...argv: string[]) => {
    const ran = await cli(['check', ...argv, '--json'], { cwd: folder })
    return [ran.code, JSON.parse(ran.out).results[0]?.code]
  }
  test('anchors and intermediates', async () => {
    expect(await code('client.pem', '-a', 'root.p7c', '-i', 'cas.p7b')).toEqual([0, null])
  })
  test('a client whose certificate is the only one that is no CA', async () => {
    expect(await code('client.p7b', '-a', 'root.p7c')).toEqual([0, null])
  })
  test('never a guess between two, or a CA in place of a client', async () => {
    expect(await code('two.p7b', '-a', 'root.p7c')).toEqual([2, 'bundle-ambiguous'])
    expect(await code('cas.p7b', '-a', 'root.p7c')).toEqual([2, 'bundle-ambiguous'])
  })
})

describe('explain', () => {
  const explain = async (file: string, ...options: string[]) => {
    const argv = ['explain', file, '-a', 'ca.pem', '--acl', 'issuers.acl', ...options]
    return cli(argv, { cwd: pki })
  }
  test('names the entry that comes nearest, and what differs', async () => {
    const { code, out } = await explain('clients/partner.pem', '--json')
    expect(code).toBe(1)
    const [{ issuerAcl, profiles }] = JSON.parse(out).results
    expect(issuerAcl).toEqual({
      allowed: false,
      code: 'issuer-not-allowed',
      entry: null,
      nearest: {
        entry: 'allow dn "CN=Example Issuing CA,O=Example"',
        differences: [
          { field: 'CN', expected: 'Example Issuing CA', actual: 'Example Partner CA' },
        ],
      },
    })
    expect(profiles.rfc5280).toEqual({ ok: false, code: 'issuer-not-allowed' })
  })
  test('draws every path that was tried, with code, position, rule and remedy', async () => {
    const { out } = await explain('clients/foreign.pem')
    expect(out).toContain('paths that were refused: 1')
    expect(out).toContain('issuer-unknown at position 1')
    expect(out).toContain('[RFC 5280 §6.1.3 (a)(4)]')
    expect(out).toContain('→ add that CA to the trust anchors')
    expect(out).toContain('not asked: there is no valid path')
  })
  test('names the entry that allowed', async () => {
    const { code, out } = await explain('clients/client-a.pem')
    expect(code).toBe(0)
    expect(out).toContain('by the entry: allow dn "CN=Example Issuing CA,O=Example"')
    expect(out).toContain('✓ rfc5280: accepted')
  })
  test('has the exit code of check', async () => {
    expect((await explain('none.pem')).code).toBe(2)
    expect((await explain('clients')).code).toBe(1)
  })
})

describe('pki and demo', () => {
  test('private keys are private', async () => {
    for (const name of await readdir(join(pki, 'keys'))) {
      expect((await stat(join(pki, 'keys', name))).mode & 0o777).toBe(0o600)
    }
  })
  test('a folder that is not empty stays as it is', async () => {
    const folder = await folderOf({ 'mine.txt': 'mine' })
    const { code, err } = await cli(['pki', '.'], { cwd: folder })
    expect([code, await readdir(folder)]).toEqual([2, ['mine.txt']])
    expect(err).toContain('(folder-not-empty)')
    expect((await cli(['pki', '.', '--force'], { cwd: folder })).code).toBe(0)
    expect(await readFile(join(folder, 'mine.txt'), 'utf8')).toBe('mine')
  })
  test('an organization with signs that mean something in names and ACLs', async () => {
    const folder = await folderOf()
    const argv = ['pki', 'p', '--organization', 'A, "B" + #C\\']
    expect((await cli(argv, { cwd: folder })).code).toBe(0)
    const check = ['check', 'p/clients/client-a.pem', '-a', 'p/ca.pem', '--acl', 'p/issuers.acl']
    expect((await cli(check, { cwd: folder })).code).toBe(0)
  })
  test('the demonstration shows all six verdicts and is short', async () => {
    const { code, out } = await cli(['demo'], { env: { npm_lifecycle_event: 'start' } })
    expect(code).toBe(0)
    const codes = [
      'certificate-expired',
      'issuer-unknown',
      'issuer-not-allowed',
      'signature-invalid',
      'certificate-revoked',
    ]
    for (const text of ['✓ accepted', ...codes]) expect(out).toContain(text)
    expect(out).toContain('npm start -- check client.pem --anchors ca.pem')
    expect(out.split('\n').length).toBeLessThan(57)
  })
})
