import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { demoClients } from '../../src/cli/demo-pki.ts'
import { createPki, issueCa, issueVariant, toPem } from '../../src/testing/index.ts'
import { cli, demoFolder, folderOf } from './support.ts'

const pki = await demoFolder()
const check = (files: readonly string[], ...options: string[]) =>
  cli(['check', ...files, '--anchors', 'ca.pem', ...options], { cwd: pki })
const checkJson = async (files: readonly string[], ...options: string[]) => {
  const { code, out } = await check(files, '--json', ...options)
  return { code, json: JSON.parse(out) }
}

describe('check judges', () => {
  test.each(demoClients)('$file: $what', async ({ file, code }) => {
    const { code: exit, json } = await checkJson([file], '--acl', 'issuers.acl', '--crl', 'crls')
    expect(json.results[0].code).toBe(code ?? null)
    expect(json.results[0].status).toBe(code === undefined ? 'accepted' : 'refused')
    expect(exit).toBe(code === undefined ? 0 : 1)
  })
  test('a whole folder, with a line each and the sums, and the exit code of the worst', async () => {
    const { code, out } = await check(['clients'], '--acl', 'issuers.acl', '--crl', 'crls')
    expect(code).toBe(1)
    expect(out).toMatch(/clients\/expired\.pem +refused +certificate-expired/)
    expect(out).toContain('1 accepted, 5 refused\n')
  })
  test('at another time', async () => {
    const { code, json } = await checkJson(['clients/client-a.pem'], '--time', '2040-01-01')
    expect([code, json.results[0].code]).toEqual([1, 'certificate-expired'])
    expect(json.time).toBe('2040-01-01T00:00:00Z')
  })
  test('standard input', async () => {
    const stdin = await readFile(join(pki, 'clients/client-a.pem'))
    const { code } = await cli(['check', '-', '-a', 'ca.pem'], { cwd: pki, stdin })
    expect(code).toBe(0)
  })
  test('without proof when it is told so, and says that', async () => {
    const argv = ['check', 'clients/foreign.pem', '--no-validate-certificate']
    const { code, out } = await cli([...argv, '--acl', 'issuers.acl', '--json'], { cwd: pki })
    expect([code, JSON.parse(out).results[0].code]).toEqual([1, 'issuer-not-allowed'])
    const open = JSON.parse((await cli([...argv, '--json'], { cwd: pki })).out).results[0]
    expect([open.ok, open.verified]).toEqual([true, false])
    expect(open.warnings[0].code).toBe('certificate-not-verified')
  })
  test('by the client ACL', async () => {
    const { json } = await checkJson(['clients/client-a.pem'], '--client-acl', 'clients.acl')
    expect(json.results[0].ok).toBe(true)
    await writeFile(join(pki, 'nobody.acl'), '')
    const refused = await checkJson(['clients/client-a.pem'], '--client-acl', 'nobody.acl')
    expect(refused.json.results[0].code).toBe('acl-empty')
  })
  test('by every option that reaches the core', async () => {
    const one = async (...options: string[]) =>
      (await checkJson(['clients/client-a.pem'], ...options)).json.results[0].code
    expect(await one('--purpose', 'serverAuth')).toBe('extended-key-usage-missing')
    expect(await one('--max-intermediates', '0')).toBe('path-too-long')
    expect(await one('--require-explicit-policy')).toBe('policy-required')
    expect(await one('--policy', '1.2.3', '--require-explicit-policy')).toBe('policy-required')
    const server = async (...options: string[]) =>
      (await checkJson(['server.pem'], ...options)).json.results[0].code
    expect(await server()).toBe('extended-key-usage-server-only')
    expect(
      await server('--accepted-purpose', 'clientAuth', '--accepted-purpose', 'serverAuth'),
    ).toBe(null)
    expect(await server('--purpose', 'serverAuth', '--expect-name', 'DNS:localhost')).toBe(null)
    expect(await server('--purpose', 'serverAuth', '--expect-name', 'DNS:other.example')).toBe(
      'peer-name-mismatch',
    )
  })
  test('under profile rfc5280 what interoperable lets pass, and by options what is dangerous', async () => {
    const odd = await issueVariant('odd-serial-negative')
    const weak = await issueVariant('signed-with-sha1')
    const folder = await folderOf({
      'odd.pem': odd.client.chainPem,
      'odd-ca.pem': odd.anchorsPem,
      'weak.pem': weak.client.chainPem,
      'weak-ca.pem': weak.anchorsPem,
    })
    const code = async (...argv: string[]) =>
      JSON.parse((await cli(['check', ...argv, '--json'], { cwd: folder })).out).results[0].code
    expect(await code('odd.pem', '-a', 'odd-ca.pem')).toBe(null)
    expect(await code('odd.pem', '-a', 'odd-ca.pem', '--profile', 'rfc5280')).toBe(
      'serial-number-negative',
    )
    expect(await code('weak.pem', '-a', 'weak-ca.pem')).toBe('signature-algorithm-weak')
    expect(await code('weak.pem', '-a', 'weak-ca.pem', '--dangerously-allow-sha1')).toBe(null)
  })
  test('an expired anchor as expired, unless its dates shall not count', async () => {
    const variant = await issueVariant('anchor-expired')
    const folder = await folderOf({
      'a.pem': variant.client.chainPem,
      'ca.pem': variant.anchorsPem,
    })
    const argv = ['check', 'a.pem', '-a', 'ca.pem', '--json']
    const refused = await cli(argv, { cwd: folder })
    expect([refused.code, JSON.parse(refused.out).results[0].code]).toEqual([
      1,
      'certificate-expired',
    ])
    expect((await cli([...argv, '--no-anchor-validity'], { cwd: folder })).code).toBe(0)
  })
})

describe('check reads', () => {
  test('two leaves as the first one, and warns of the other', async () => {
    const files = ['client-a', 'expired'].map((name) => readFile(join(pki, `clients/${name}.pem`)))
    await writeFile(join(pki, 'two.pem'), Buffer.concat(await Promise.all(files)))
    const { code, json } = await checkJson(['two.pem'])
    expect(code).toBe(0)
    expect(json.results[0].identity.subject).toBe('CN=client-a,O=Example')
    expect(json.results[0].warnings.map((one: { code: string }) => one.code)).toContain(
      'presented-not-a-ca',
    )
  })
  test('a folder without its keys, but not without what pretends to be a certificate', async () => {
    const folder = join(pki, 'mixed')
    await mkdir(folder)
    await cp(join(pki, 'clients/client-a.pem'), join(folder, 'a.pem'))
    await cp(join(pki, 'keys/client-a.key'), join(folder, 'key.pem'))
    const good = await checkJson(['mixed'])
    expect(good.code).toBe(0)
    expect(good.json.skipped).toMatchObject([{ file: 'mixed/key.pem', kind: 'private-key' }])
    await writeFile(
      join(folder, 'trusted.pem'),
      toPem(Uint8Array.of(0x30, 0), 'TRUSTED CERTIFICATE'),
    )
    const bad = await checkJson(['mixed'])
    expect(bad.code).toBe(2)
    expect(bad.json.results[1]).toMatchObject({ status: 'unreadable', kind: 'trusted-certificate' })
  })
  test('intermediates from several files, and a folder of anchors beside keys', async () => {
    const leaf = await createPki()
    const folder = await folderOf({
      'leaf.pem': leaf.clientPem,
      'i.pem': leaf.intermediatesPem,
      'other.pem': (await issueCa('Other CA')).pem,
    })
    await mkdir(join(folder, 'cas'))
    await writeFile(join(folder, 'cas/root.crt'), leaf.anchorsPem)
    await writeFile(join(folder, 'cas/key.pem'), leaf.root.privateKeyPem)
    const argv = ['check', 'leaf.pem', '-a', 'cas', '-i', 'other.pem']
    expect((await cli(argv, { cwd: folder })).code).toBe(1)
    expect((await cli([...argv, '-i', 'i.pem'], { cwd: folder })).code).toBe(0)
  })
})

describe('what cannot be read is never accepted: exit code 2', async () => {
  const good = await readFile(join(pki, 'clients/client-a.pem'), 'utf8')
  const der = Buffer.from(good.replace(/-----END[\s\S]*|-----[^-]*-----|\s/g, ''), 'base64')
  const files: Readonly<Record<string, readonly [content: string | Uint8Array, code: string]>> = {
    'empty.pem': ['', 'input-empty'],
    'text.pem': ['hello\n', 'input-unrecognized'],
    'noise.der': [
      Uint8Array.from({ length: 500 }, (_, i) => (i * 73 + 11) % 256),
      'input-unrecognized',
    ],
    'noise-30.der': [Uint8Array.of(0x30, 1, 2, 3, 4), 'der-trailing-data'],
    'truncated.pem': [good.slice(0, 400), 'input-pem-malformed'],
    'truncated.der': [der.subarray(0, 300), 'der-truncated'],
    'trailing.der': [Buffer.concat([der, Uint8Array.of(0)]), 'der-trailing-data'],
    'key.pem': [await readFile(join(pki, 'keys/client-a.key')), 'input-not-a-certificate'],
    'damaged-leaf.pem': [good.replace('MII', '!!!'), 'input-pem-malformed'],
  }
  const folder = await folderOf(
    Object.fromEntries(Object.entries(files).map(([name, [content]]) => [name, content])),
  )
  await cp(join(pki, 'ca.pem'), join(folder, 'ca.pem'))
  test.each(Object.entries(files))('%s', async (name, [, expected]) => {
    const { code, out } = await cli(['check', name, '-a', 'ca.pem', '--json'], { cwd: folder })
    const [result] = JSON.parse(out).results
    expect([code, result.ok, result.status]).toEqual([2, false, 'unreadable'])
    expect(result.code).toBe(expected)
    expect(result.remedy).not.toBe('')
  })
  test('a missing file, which hides none of the others', async () => {
    const { code, json } = await checkJson(['missing.pem', 'clients/client-a.pem'])
    expect(code).toBe(2)
    expect(json.results.map((one: { code: string | null }) => one.code)).toEqual([
      'file-not-found',
      null,
    ])
    expect(json.ok).toBe(false)
  })
})

describe('wrong usage: exit code 2, a code and what to do', async () => {
  const folder = await folderOf({ 'text.pem': 'hello', 'x.acl': 'allow everybody' })
  await mkdir(join(folder, 'nothing'))
  const client = join(pki, 'clients/client-a.pem')
  const anchors = ['-a', join(pki, 'ca.pem')]
  test.each([
    ['no anchors', [client], 'usage-missing-option', '--anchors'],
    ['a misspelt option', [client, '--ancors', 'x'], 'usage-unknown-option', '--anchors?'],
    ['an option without its value', [client, '--anchors'], 'usage-missing-argument', '--help'],
    ['no file', [...anchors], 'usage-missing-argument', '--help'],
    [
      'a date that is none',
      [client, ...anchors, '--time', '2026-02-30'],
      'time-invalid',
      '2026-11-23',
    ],
    [
      'a time without a zone',
      [client, ...anchors, '--time', '2026-02-03T10:00'],
      'time-invalid',
      'Z',
    ],
    ['a word for a date', [client, ...anchors, '--time', 'tomorrow'], 'time-invalid', '@'],
    ['an unknown purpose', [client, ...anchors, '--purpose', 'x'], 'usage-invalid-value', '--help'],
    [
      'an unknown accepted purpose',
      [client, ...anchors, '--accepted-purpose', 'x'],
      'option-invalid',
      '--help',
    ],
    [
      'a number that is none',
      [client, ...anchors, '--clock-tolerance', '1h'],
      'usage-invalid-value',
      'number',
    ],
    [
      'a number that is too large',
      [client, ...anchors, '--clock-tolerance', '99999999'],
      'option-invalid',
      '--help',
    ],
    ['anchors that are none', [client, '-a', 'text.pem'], 'trust-anchor-unreadable', 'CERTIFICATE'],
    ['anchors that are missing', [client, '-a', 'none.pem'], 'file-not-found', 'check the name'],
    [
      'intermediates that are none',
      [client, ...anchors, '-i', 'text.pem'],
      'intermediate-unreadable',
      'PEM',
    ],
    ['an ACL that is none', [client, ...anchors, '--acl', 'x.acl'], 'acl-invalid', 'allow dn'],
    [
      'an ACL in broken JSON',
      [client, ...anchors, '--acl', client.replace('client-a.pem', '../broken.json')],
      'acl-invalid',
      'allow dn',
    ],
    [
      'a folder without certificates',
      ['nothing', ...anchors],
      'folder-without-certificates',
      '.pem',
    ],
    ['standard input twice', ['-', '-', ...anchors], 'stdin-twice', 'once'],
    [
      'an option without effect',
      [client, ...anchors, '--no-validate-certificate'],
      'usage-invalid-value',
      'leave',
    ],
    [
      'a name that is none',
      [client, ...anchors, '--expect-name', 'x'],
      'usage-invalid-value',
      'DNS:',
    ],
  ])('%s', async (_, argv, expected, remedy) => {
    await writeFile(join(pki, 'broken.json'), '[{')
    const { code, out } = await cli(['check', '--json', ...argv], { cwd: folder })
    expect(code).toBe(2)
    const { ok, error, results } = JSON.parse(out)
    expect([ok, error.code, results]).toEqual([false, expected, []])
    expect(error.remedy).toContain(remedy)
    const text = await cli(['check', ...argv], { cwd: folder })
    expect([text.code, text.out]).toEqual([2, ''])
    expect(text.err).toContain(`(${expected})`)
  })
  test('a command that is none', async () => {
    expect((await cli(['chek'])).err).toContain('Did you mean check?')
    expect((await cli(['a.pem'])).err).toContain('check a.pem --anchors ca.pem')
    expect((await cli(['chek'])).code).toBe(2)
    expect(await cli([])).toMatchObject({ code: 2, out: '' })
  })
  test('help is no mistake', async () => {
    const { code, out } = await cli(['check', '--help'])
    expect(code).toBe(0)
    expect(out).toContain('--anchors')
    expect(out).toContain('Exit codes')
  })
})

describe('the text of check', () => {
  test('draws the path with a mark where it broke', async () => {
    const { out } = await check(['clients/partner.pem'], '--acl', 'issuers.acl')
    expect(out).toContain(
      'client-partner  ← Example Partner CA ✗  ← Example Root CA (trust anchor)\n',
    )
    const foreign = await check(['clients/foreign.pem'])
    expect(foreign.out).toContain('← ? Foreign Root CA (not given)')
    const variant = await issueVariant('anchor-expired')
    const folder = await folderOf({
      'a.pem': variant.client.chainPem,
      'ca.pem': variant.anchorsPem,
    })
    const { out: anchor } = await cli(['check', 'a.pem', '-a', 'ca.pem'], { cwd: folder })
    expect(anchor).toContain('← Root CA (trust anchor) ✗\n')
  })
  test('says when the certificate is itself an anchor', async () => {
    const chain = await readFile(join(pki, 'clients/client-a.pem'), 'utf8')
    const [alone = ''] = chain.split(/(?<=END CERTIFICATE-----\n)/)
    await writeFile(join(pki, 'alone.pem'), alone)
    const argv = ['check', 'alone.pem', '-a', 'alone.pem']
    expect((await cli(argv, { cwd: pki })).code).toBe(1)
    const { code, out } = await cli([...argv, '--pinned', 'accept'], { cwd: pki })
    expect(code).toBe(0)
    expect(out).toContain('  client-a (itself a trust anchor)\n')
  })
  test('has remedies in its own options', async () => {
    const { out } = await check(['server.pem'])
    expect(out).toContain('--accepted-purpose clientAuth --accepted-purpose serverAuth')
  })
  test('has colours on a terminal only, and as NO_COLOR and FORCE_COLOR say', async () => {
    const argv = ['check', 'clients/forged.pem', '-a', 'ca.pem']
    const terminal = { columns: 80 }
    const coloured = async (around: object) =>
      (await cli(argv, { cwd: pki, ...around })).out.includes('\u001b[')
    expect(await coloured({})).toBe(false)
    expect(await coloured({ terminal })).toBe(true)
    expect(await coloured({ terminal, env: { NO_COLOR: '1' } })).toBe(false)
    expect(await coloured({ env: { FORCE_COLOR: '1' } })).toBe(true)
  })
  test('keeps to 80 columns', async () => {
    for (const command of ['check', 'explain']) {
      const argv = [command, 'clients', '-a', 'ca.pem', '--acl', 'issuers.acl']
      const around = { cwd: pki, terminal: { columns: 80 }, env: { NO_COLOR: '1' } }
      const { out } = await cli(argv, around)
      expect(out.split('\n').filter((line) => line.length > 80)).toEqual([])
    }
  })
  test('cannot be made to move the cursor by a certificate', async () => {
    const root = await issueCa('Root CA')
    const client = await root.issueBytes('client-a', {
      subject: [{ type: 'CN', value: 'a\u001b[2J\u202Eb' }],
      subjectAltName: [{ uri: 'https://a.example/\u001b[31m' }],
    })
    const folder = await folderOf({ 'a.pem': client.pem, 'ca.pem': root.pem })
    for (const command of ['check', 'explain', 'show']) {
      const argv = [command, 'a.pem', ...(command === 'show' ? [] : ['-a', 'ca.pem'])]
      const { out } = await cli(argv, { cwd: folder })
      expect(out).toContain('\\')
      expect(out.includes('\u001b') || out.includes('\u202e')).toBe(false)
    }
  })
})
