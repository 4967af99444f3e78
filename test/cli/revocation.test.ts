import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { failureCodes } from '../../src/explain.ts'
import { issueCa, startResponder, testTime, toPem } from '../../src/testing/index.ts'
import { statusProblems } from '../client/status-problems.ts'
import { cli, folderOf } from './support.ts'

const responder = await startResponder()
afterAll(() => responder.close())
const root = await issueCa('Root CA')
const ca = await root.issueCa('Issuing CA')
const places = {
  cRLDistributionPoints: [{ uri: responder.url('/ca.crl') }],
  authorityInfoAccess: { ocsp: responder.url('/ocsp') },
}
const good = await ca.issue('client-a', places)
const bad = await ca.issue('client-b', places)
const plain = await ca.issue('client-c')
const rootList = await root.issueCrl()
const list = await ca.issueCrl({
  revoked: [{ serialNumber: bad.tbsCertificate.serialNumber, reason: 'keyCompromise' }],
})
const old = { thisUpdate: testTime - 200_000, nextUpdate: testTime - 3600 }
const expired = await ca.issueCrl(old)
const response = await ca.issueOcspResponse({
  responses: [good, { certificate: bad, certStatus: 'revoked' }],
})
const otherResponse = await ca.issueOcspResponse({ responses: [plain] })
const error = await ca.issueOcspResponse({ responseStatus: 'tryLater' })
responder.set('/ca.crl', { crlOf: ca, options: { revoked: [bad] } })
responder.set('/ocsp', { ocspOf: ca, statuses: [{ certificate: bad, certStatus: 'revoked' }] })
const folder = await folderOf({
  'root.pem': root.pem,
  'a.pem': good.chainPem,
  'b.pem': bad.chainPem,
  'c.pem': plain.chainPem,
  'ca.crl': list.der,
  'both.crl': rootList.pem + list.pem,
  'root.crl': rootList.der,
  'expired.crl': expired.pem,
  'ocsp.der': response.der,
  'ocsp.pem': toPem(response.der, 'OCSP RESPONSE'),
  'other.der': otherResponse.der,
  'later.der': error.der,
  'empty.crl': '',
  'page.crl': '<!doctype html>',
  'cut.pem': list.pem.slice(0, 200),
  'cut.der': list.der.subarray(0, 100),
  'mixed.pem': list.pem + ca.pem,
  'a.key': good.privateKeyPem,
})
await mkdir(join(folder, 'crls'))
await writeFile(join(folder, 'crls/root.crl'), rootList.der)
await writeFile(join(folder, 'crls/ca.r0'), list.pem)
await writeFile(join(folder, 'crls/ca.pem'), ca.pem)
await mkdir(join(folder, 'nothing'))

const run = (...argv: string[]) => cli([...argv, '-a', 'root.pem'], { cwd: folder })
const check = async (...argv: string[]) => {
  const { code, out } = await run('check', '--json', ...argv)
  const json = JSON.parse(out)
  return { code, json, result: json.results[0] }
}

describe('check with lists and responses', () => {
  test('accepts who is on none of the lists, and says by which one', async () => {
    const { code, result } = await check('a.pem', '--crl', 'both.crl')
    expect([code, result.code, result.warnings]).toEqual([0, null, []])
    expect(result.revocation).toEqual([
      {
        position: 0,
        subject: 'CN=client-a',
        status: 'good',
        stale: false,
        evidence: [
          {
            by: 'crl',
            issuer: 'CN=Issuing CA',
            thisUpdate: '2029-12-31T23:00:00Z',
            nextUpdate: '2030-01-07T23:00:00Z',
            age: 3600,
            delta: null,
          },
        ],
      },
      expect.objectContaining({ position: 1, subject: 'CN=Issuing CA', status: 'good' }),
    ])
    expect(result.validUntil).toBe('2030-01-07T23:00:00Z')
  })
  test('draws the status of each certificate with the age of what says so and what comes next', async () => {
    const { out } = await run('check', 'a.pem', '--crl', 'both.crl')
    expect(out).toContain(
      '├─ client-a: good, says the CRL of Issuing CA, 1 hour old, next in 6 days\n',
    )
    expect(out).toContain(
      '└─ Issuing CA: good, says the CRL of Root CA, 1 hour old, next in 6 days\n',
    )
  })
  test('refuses who is revoked, by a list in a folder and by a response', async () => {
    const { code, result } = await check('b.pem', '--crl', 'crls')
    expect([code, result.code, result.position]).toEqual([1, 'certificate-revoked', 0])
    expect(result.revocation).toMatchObject([
      { status: 'revoked', reason: 'keyCompromise', revocationDate: '2029-12-30T23:00:00Z' },
      { status: 'good', position: 1 },
    ])
    const rule = ['--revocation', 'ocsp,depth=target']
    for (const file of ['ocsp.der', 'ocsp.pem']) {
      const by = await check('b.pem', '--ocsp', file, ...rule)
      expect([by.code, by.result.code]).toEqual([1, 'certificate-revoked'])
      expect((await check('a.pem', '--ocsp', file, ...rule)).code).toBe(0)
    }
    const { out } = await run('check', 'b.pem', '--crl', 'crls')
    expect(out).toContain('client-b: revoked since 2029-12-30T23:00:00Z (1 day ago), keyCompromise')
  })
  test('says of every certificate what is missing, and what would mend it', async () => {
    const { code, result } = await check('a.pem', '--crl', 'expired.crl')
    expect([code, result.code, result.position]).toEqual([1, 'revocation-unknown', 0])
    expect(result.revocation.map((one: { status: string }) => one.status)).toEqual([
      'unknown',
      'unknown',
    ])
    expect(result.revocation[0].problems).toMatchObject([
      { code: 'crl-expired', source: 'RFC 5280 §5.1.2.5' },
    ])
    expect(result.revocation[1].problems).toMatchObject([{ code: 'crl-missing' }])
    const { out } = await run('check', 'a.pem', '--crl', 'expired.crl')
    expect(out).toContain('crl-expired: the CRL ran out 2029-12-31T23:00:00Z\n')
    expect(out).toContain('→ get the list anew: mtls-policy crl fetch, or --fetch')
    expect(out).toContain('nothing at hand says whether the certificate is revoked [RFC 5280')
  })
  test('obeys the rule: depth, unknown, stale and max-age', async () => {
    const by = async (rule: string, list: string) => {
      const { result } = await check('a.pem', '--crl', list, '--revocation', rule)
      const codes = result.warnings.map((one: { code: string }) => one.code)
      return [
        result.code,
        ...codes,
        ...result.revocation.map((one: { status: string }) => one.status),
      ]
    }
    expect(await by('crl', 'ca.crl')).toEqual(['revocation-unknown', 'good', 'unknown'])
    expect(await by('crl,depth=target', 'ca.crl')).toEqual([null, 'good', 'not-checked'])
    expect(await by('crl,unknown=allow', 'ca.crl')).toEqual([
      null,
      'revocation-unknown',
      'good',
      'unknown',
    ])
    const target = 'crl,depth=target'
    expect(await by(target, 'expired.crl')).toContain('revocation-unknown')
    expect(await by(`${target},stale=30m`, 'expired.crl')).toContain('revocation-unknown')
    expect(await by(`${target},stale=2h`, 'expired.crl')).toEqual([
      null,
      'revocation-stale',
      'good',
      'not-checked',
    ])
    expect(await by(`${target},max-age=30m`, 'ca.crl')).toEqual([
      'revocation-unknown',
      'unknown',
      'not-checked',
    ])
  })
  test('without a rule looks at what is given, and warns when nothing is', async () => {
    const both = await check('a.pem', '--crl', 'both.crl', '--ocsp', 'ocsp.der')
    const by = both.result.revocation[0].evidence.map((one: { by: string }) => one.by)
    expect([both.code, by.toSorted()]).toEqual([0, ['crl', 'ocsp']])
    for (const none of [[], ['--revocation', 'none']]) {
      const { code, result } = await check('a.pem', ...none)
      expect([code, result.revocation, result.warnings[0].code]).toEqual([
        0,
        [],
        'revocation-not-checked',
      ])
    }
  })
  test('an error of a responder is one of the problems', async () => {
    const { result } = await check(
      'a.pem',
      '--ocsp',
      'later.der',
      '--revocation',
      'ocsp,depth=target',
    )
    expect(result.revocation[0].problems[0].code).toBe('ocsp-error')
  })
  test('keeps to 80 columns', async () => {
    for (const command of ['check', 'explain']) {
      for (const file of ['a.pem', 'b.pem']) {
        const argv = [command, file, '-a', 'root.pem', '--crl', 'ca.crl']
        const around = { cwd: folder, terminal: { columns: 80 }, env: { NO_COLOR: '1' } }
        const { out } = await cli(argv, around)
        expect(out.split('\n').filter((line) => line.length > 80)).toEqual([])
      }
    }
  })
})

describe('a kill list', async () => {
  const serialNumber = Buffer.from(good.tbsCertificate.serialNumber).toString('hex')
  const entry = { issuer: 'CN=Issuing CA', serialNumber, note: 'laptop stolen' }
  const lists: Readonly<Record<string, unknown>> = {
    'kill.json': [entry],
    'over.json': [{ ...entry, expires: '2029-12-31' }],
    'ca.json': [{ issuer: 'CN=Issuing CA', expires: '2031-01-01T00:00:00Z' }],
    'object.json': entry,
    'fields.json': [{ serialNumber }],
    'date.json': [{ ...entry, expires: 'tomorrow' }],
    'number.json': [{ ...entry, serialNumber: 5 }],
    'nothing.json': [null],
  }
  for (const [name, value] of Object.entries(lists)) {
    await writeFile(join(folder, name), JSON.stringify(value))
  }
  await writeFile(join(folder, 'broken.json'), '[{')

  test.each([
    ['kill.json', 1, 'certificate-killed'],
    ['over.json', 0, null],
    ['ca.json', 1, 'issuer-killed'],
  ])('%s: exit code %i, %s', async (file, exit, expected) => {
    const { code, result } = await check('a.pem', '--kill-list', file)
    expect([code, result.code]).toEqual([exit, expected])
  })
  test('counts where nothing is validated, too', async () => {
    const argv = ['check', 'a.pem', '--no-validate-certificate', '--kill-list', 'kill.json']
    expect((await cli(argv, { cwd: folder })).out).toContain('certificate-killed')
  })
  test.each([
    'object.json',
    'fields.json',
    'date.json',
    'number.json',
    'nothing.json',
    'broken.json',
  ])('%s is none, and an entry is shown', async (file) => {
    const { code, json } = await check('a.pem', '--kill-list', file)
    expect([code, json.error.code]).toEqual([2, 'kill-list-invalid'])
    expect(json.error.remedy).toContain('"serialNumber"')
  })
})

describe('--fetch', () => {
  const lab = ['--fetch', '--allow-private-addresses', '--revocation', 'crl-or-ocsp,depth=target']
  test('gets what the certificates name, and says what came', async () => {
    const { code, json, result } = await check('a.pem', ...lab)
    expect([code, result.revocation[0].status]).toEqual([0, 'good'])
    const rows = json.fetched.map((row: { kind: string; uri: string; ok: boolean }) => [
      row.kind,
      row.uri,
      row.ok,
    ])
    expect(rows.toSorted()).toEqual([
      ['crl', responder.url('/ca.crl'), true],
      ['ocsp', responder.url('/ocsp'), true],
    ])
    const { code: refused, result: revoked } = await check('b.pem', ...lab)
    expect([refused, revoked.code]).toEqual([1, 'certificate-revoked'])
    const { out } = await run('check', 'a.pem', ...lab)
    expect(out).toMatch(/✓ fetched {2}http:\S+ca\.crl {2}CRL, \d+ octets in \d+ ms\n/)
  })
  test('asks no private address unless that is allowed, and says so', async () => {
    const { code, json, result } = await check('a.pem', '--fetch')
    expect([code, result.code]).toEqual([1, 'revocation-unknown'])
    expect(json.fetched).toHaveLength(2)
    for (const row of json.fetched) {
      expect(row).toMatchObject({ ok: false, code: 'address-refused', bytes: null })
      expect(row.remedy).toContain('--allow-private-addresses')
    }
  })
  test('a URL of --crl beside files', async () => {
    const argv = ['--crl', responder.url('/ca.crl'), '--crl', 'root.crl', '--fetch']
    const { code, result } = await check('a.pem', ...argv, '--allow-private-addresses')
    expect([code, result.revocation.map((one: { status: string }) => one.status)]).toEqual([
      0,
      ['good', 'good'],
    ])
  })
  test('one that fails is told apart from what is missing; the rule decides', async () => {
    responder.fail('/ca.crl', { kind: 'status', status: 503 })
    responder.fail('/ocsp', 'wrong-content')
    const { code, json } = await check('a.pem', ...lab)
    responder.heal('/ca.crl')
    responder.heal('/ocsp')
    expect(code).toBe(1)
    expect(json.fetched.map((row: { code: string }) => row.code).toSorted()).toEqual([
      'status',
      'unreadable',
    ])
  })
  test('nothing hangs past --timeout', async () => {
    responder.fail('/ca.crl', 'never')
    const begin = performance.now()
    const rule = ['--revocation', 'crl,depth=target', '--timeout', '1']
    const argv = ['--fetch', '--allow-private-addresses', ...rule]
    const { code, json } = await check('a.pem', ...argv)
    responder.heal('/ca.crl')
    expect([code, json.fetched[0].code]).toEqual([1, 'timeout'])
    expect(performance.now() - begin).toBeLessThan(5000)
  })
  test('begins with what --cache kept', async () => {
    const argv = [...lab, '--cache', 'kept']
    expect((await check('a.pem', ...argv)).code).toBe(0)
    expect(await readdir(join(folder, 'kept'))).toHaveLength(2)
    responder.fail('/ca.crl', 'reset')
    responder.fail('/ocsp', 'reset')
    const { code, json } = await check('a.pem', ...argv)
    responder.heal('/ca.crl')
    responder.heal('/ocsp')
    expect([code, json.fetched]).toEqual([0, []])
  })
  test('says when no certificate names anything', async () => {
    const { code, out } = await run('check', 'c.pem', '--fetch', '--revocation', 'crl,depth=target')
    expect(code).toBe(1)
    expect(out).toContain('nothing was fetched: ')
  })
  test('is not advised to whoever gave it', async () => {
    responder.set('/old.crl', { crlOf: ca, options: old })
    const late = await ca.issue('client-d', {
      cRLDistributionPoints: [{ uri: responder.url('/old.crl') }],
    })
    await writeFile(join(folder, 'd.pem'), late.chainPem)
    const remedies = async (...argv: string[]): Promise<string[]> => {
      const { code, result } = await check(...argv, '--revocation', 'crl-or-ocsp,depth=target')
      const { problems } = result.revocation[0]
      expect([code, problems.map((one: { code: string }) => one.code)]).toEqual([
        1,
        ['crl-expired', 'ocsp-missing'],
      ])
      return problems.map(({ remedy }: { remedy: string }) => remedy)
    }
    const without = await remedies('d.pem', '--crl', 'expired.crl', '--ocsp', 'other.der')
    for (const remedy of without) expect(remedy).toContain('--fetch')
    const fetching = ['--fetch', '--allow-private-addresses']
    for (const remedy of await remedies('d.pem', ...fetching)) {
      expect(remedy).toContain('was fetched')
      expect(remedy).not.toContain('--fetch')
    }
    for (const command of ['check', 'explain']) {
      const { out } = await run(command, 'd.pem', ...fetching)
      expect(out).toContain('crl-expired: ')
      expect(out).not.toContain('--fetch')
    }
  })
  test('nor where the list that came is for others', async () => {
    const options = { issuingDistributionPoint: { onlyContainsCACerts: true } } as const
    responder.set('/cas.crl', { crlOf: ca, options })
    const client = await ca.issue('client-e', {
      cRLDistributionPoints: [{ uri: responder.url('/cas.crl') }],
    })
    await writeFile(join(folder, 'e.pem'), client.chainPem)
    const rule = ['--revocation', 'crl,depth=target']
    const { result } = await check('e.pem', '--fetch', '--allow-private-addresses', ...rule)
    const [problem] = result.revocation[0].problems
    expect(problem.code).toBe('crl-out-of-scope')
    expect(problem.remedy).not.toContain('crl fetch')
  })
  test('under explain, with both profiles after it', async () => {
    const { code, out } = await run('explain', 'a.pem', ...lab)
    expect(code).toBe(0)
    expect(out).toContain('✓ rfc5280: accepted')
    expect(out).toContain('client-a: good, says')
    expect(out).toContain('✓ fetched')
  })
})

describe('wrong usage about revocation: exit code 2, a code and what to do', () => {
  const url = 'http://crl.example/ca.crl'
  test.each([
    ['a folder for a response', ['--ocsp', 'crls'], 'file-unreadable', 'name a file'],
    ['a certificate for a list', ['--crl', 'root.pem'], 'crl-unreadable', '--anchors'],
    ['a response for a list', ['--crl', 'ocsp.der'], 'crl-unreadable', '--ocsp'],
    ['a list for a response', ['--ocsp', 'ca.crl'], 'ocsp-unreadable', '--crl'],
    ['a list in PEM for a response', ['--ocsp', 'both.crl'], 'ocsp-unreadable', '--crl'],
    ['a key for a list', ['--crl', 'a.key'], 'crl-unreadable', 'give a CRL'],
    ['an empty list', ['--crl', 'empty.crl'], 'crl-unreadable', 'give a CRL'],
    ['a web page for a list', ['--crl', 'page.crl'], 'crl-unreadable', 'X509 CRL'],
    ['half a list in PEM', ['--crl', 'cut.pem'], 'crl-unreadable', 'whole file'],
    ['half a list in DER', ['--crl', 'cut.der'], 'crl-unreadable', 'whole file'],
    ['a list with something behind it', ['--crl', 'mixed.pem'], 'crl-unreadable', '--anchors'],
    ['no such list', ['--crl', 'none.crl'], 'file-not-found', 'check the name'],
    ['a folder without lists', ['--crl', 'nothing'], 'folder-without-crls', '.crl'],
    ['a URL without --fetch', ['--crl', url], 'options-conflict', '--fetch'],
    ['a URL that is none', ['--fetch', '--crl', 'http://u:p@h/x'], 'usage-invalid-value', 'leave'],
    ['--timeout without --fetch', ['--timeout', '5'], 'options-conflict', '--fetch'],
    ['--cache without --fetch', ['--cache', 'x'], 'options-conflict', '--fetch'],
    ['a timeout of an hour', ['--fetch', '--timeout', '1h'], 'usage-invalid-value', '--timeout 10'],
    ['a rule that is none', ['--revocation', 'crls'], 'usage-invalid-value', 'crl-or-ocsp'],
    ['a rule without lists', ['--revocation', 'crl'], 'usage-missing-option', '--crl FILE'],
    ['a rule without responses', ['--revocation', 'ocsp'], 'usage-missing-option', '--ocsp FILE'],
    [
      'half of crl-or-ocsp',
      ['--revocation', 'crl-or-ocsp', '--crl', 'ca.crl'],
      'usage-missing-option',
      '--revocation crl',
    ],
    [
      'lists for ocsp',
      ['--revocation', 'ocsp', '--crl', 'ca.crl'],
      'options-conflict',
      'crl-or-ocsp',
    ],
    [
      'responses for crl',
      ['--revocation', 'crl', '--ocsp', 'ocsp.der'],
      'options-conflict',
      'crl-or-ocsp',
    ],
    ['lists for none', ['--revocation', 'none', '--crl', 'ca.crl'], 'options-conflict', 'leave'],
    ['fetching for none', ['--revocation', 'none', '--fetch'], 'options-conflict', 'leave'],
  ])('%s', async (_, options, expected, remedy) => {
    const { code, json } = await check('a.pem', ...options)
    expect([code, json.error.code]).toEqual([2, expected])
    expect(json.error.remedy).toContain(remedy)
    const text = await run('check', 'a.pem', ...options)
    expect([text.code, text.out]).toEqual([2, ''])
  })
  test('lists where nothing is validated', async () => {
    const argv = ['check', 'a.pem', '--no-validate-certificate', '--crl', 'ca.crl']
    expect((await cli(argv, { cwd: folder })).err).toContain('--crl has no effect with')
  })
  test('a list or a response in the place of a certificate', async () => {
    const list = await check('ca.crl')
    expect([list.code, list.result.code]).toEqual([2, 'input-not-a-certificate'])
    expect(list.result.remedy).toContain('--crl')
    for (const file of ['ocsp.der', 'ocsp.pem']) {
      const { code, result } = await check(file)
      expect([code, result.status]).toEqual([2, 'unreadable'])
      expect(result.remedy).toContain('--ocsp')
    }
  })
})

describe('explain with a code', () => {
  test('every code has a meaning, a source and a remedy', async () => {
    for (const word of [...Object.keys(statusProblems), ...failureCodes()]) {
      const { code, out } = await cli(['explain', word, '--json'])
      const json = JSON.parse(out)
      expect([code, json.code]).toEqual([0, word])
      expect(json.message).not.toBe('')
      expect(json.source).not.toBe('')
      expect(json.remedy).not.toBe('')
    }
  })
  test('in text', async () => {
    const { out } = await cli(['explain', 'crl-expired'])
    expect(out).toContain('the nextUpdate of the list lies before the time of the check')
    expect(out).toContain('[RFC 5280 §5.1.2.5]')
    expect(out).toContain('→ get the list anew')
  })
  test('a misspelt code is no missing trust anchor', async () => {
    const { code, err } = await cli(['explain', 'crl-mising'])
    expect(code).toBe(2)
    expect(err).toContain('crl-mising is no code')
    expect(err).toContain('(usage-invalid-value)')
  })
  test('names what the ACL said before revocation refused', async () => {
    await writeFile(join(folder, 'ca.acl'), 'allow dn "CN=Issuing CA"\n')
    const { out } = await run('explain', 'b.pem', '--crl', 'both.crl', '--acl', 'ca.acl')
    expect(out).toContain('certificate-revoked at position 0')
    expect(out).toContain('by the entry: allow dn "CN=Issuing CA"')
  })
})

test('--version is that of the package', async () => {
  const { default: own } = await import('../../package.json', { with: { type: 'json' } })
  for (const option of ['--version', '-V']) {
    expect(await cli([option])).toEqual({ code: 0, out: `${own.version}\n`, err: '' })
  }
})
