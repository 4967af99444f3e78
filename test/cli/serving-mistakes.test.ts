/** What the serving commands refuse, in the words of their own options. */
import { afterAll, describe, expect, test } from 'vitest'
import { generateSigningKey, publicKeyPem } from '../../src/deployment/index.ts'
import { issueCa } from '../../src/testing/index.ts'
import { startPostgres } from '../management/postgres.ts'
import { cli, folderOf } from './support.ts'

const ca = await issueCa('Server CA')
const [one, other] = await Promise.all(
  ['one', 'other'].map((name) => ca.issue(name, { subjectAltName: [{ dns: 'localhost' }] })),
)
const folder = await folderOf({
  'one.pem': one?.chainPem ?? '',
  'one.key': one?.privateKeyPem ?? '',
  'other.key': other?.privateKeyPem ?? '',
  'none.pem': 'no certificate',
  'none.key': 'no key',
  'manager.pub': publicKeyPem(generateSigningKey().publicKey),
  'bad.pub': 'no key',
  'text.sqlite': 'This is a letter, and no database, although its name says so.\n'.repeat(100),
})

const postgres = await startPostgres('mistakes about a database')
afterAll(() => postgres?.remove())

interface Mistake {
  readonly code: string
  readonly message: string
  readonly remedy: string
}

async function refused(argv: readonly string[]): Promise<Mistake> {
  const { code, out, err } = await cli([...argv, '--json'], {
    cwd: folder,
    env: { MTLS_POLICY_TOKEN: `mtlsp_${'a'.repeat(43)}` },
  })
  expect([code, err]).toEqual([2, ''])
  return JSON.parse(out).error
}

/** A later option has the last word. */
function gateway(...more: readonly string[]): readonly string[] {
  return [
    ...['gateway', '--environment', 'production', '--manager', 'http://127.0.0.1:1'],
    ...['--manager-key', 'manager.pub', '--listen', '127.0.0.1:0', '--log-level', 'silent'],
    ...more,
  ]
}
const pair = ['--certificate', 'one.pem', '--key', 'one.key']

function manager(...more: readonly string[]): readonly string[] {
  return ['manager', '--port', '0', '--log-level', 'silent', ...more]
}

describe('a certificate and a key', () => {
  test.each([
    ['that do not fit', 'one.pem', 'other.key', 'key-does-not-fit'],
    ['that is none', 'one.pem', 'none.key', 'key-unreadable'],
    ['where the certificate is none', 'none.pem', 'one.key', 'certificate-unreadable'],
  ])(
    '%s are refused by both servers, with the options that named them',
    async (_, pem, key, code) => {
      const ofManager = await refused(
        manager(
          '--database',
          `file:${folder}/tls.sqlite`,
          '--tls-certificate',
          pem,
          '--tls-key',
          key,
        ),
      )
      const ofGateway = await refused(gateway('--certificate', pem, '--key', key))
      for (const [mistake, options] of [
        [ofManager, ['--tls-certificate one.pem', '--tls-key other.key']],
        [ofGateway, ['--certificate one.pem', '--key other.key']],
      ] as const) {
        expect(mistake.code).toBe(code)
        if (code === 'key-does-not-fit') {
          for (const option of options) expect(mistake.message).toContain(option)
        }
      }
    },
  )
})

describe('gateway', () => {
  test('says first of an unknown option that it is unknown', async () => {
    expect((await refused(['gateway', '--nope'])).code).toBe('usage-unknown-option')
  })

  test('says of all required options at once that they are missing', async () => {
    const { code, message } = await refused(['gateway', '--manager', 'https://manager.example'])
    expect(code).toBe('usage-missing-option')
    expect(message.match(/--[a-z-]+/g)).toEqual([
      ...['--environment', '--manager-key', '--certificate', '--key'],
    ])
  })

  test.each([
    ['a manager that is no URL', ['--manager', 'manager.example'], '--manager'],
    ['a password in its URL', ['--manager', 'http://user:hush@127.0.0.1:1'], '--manager'],
    ['a user in its URL', ['--manager', 'http://user@127.0.0.1:1'], '--manager'],
    ['a key that is none', ['--manager-key', 'bad.pub'], '--manager-key'],
    ['a name that cannot be one', ['--name', 'a/b'], '--name'],
  ])('refuses %s by the flag that there is', async (_what, flags, flag) => {
    const mistake = await refused(gateway(...pair, ...flags))
    expect(mistake.code).toBe('option-invalid')
    expect(mistake.message.split(/[ :]/)[0]).toBe(flag)
    const { out } = await cli(['gateway', '--help'])
    expect(out).toContain(` ${flag} `)
    expect(JSON.stringify(mistake)).not.toMatch(/hush|managerUrl|publicKey/)
  })

  test('help says what --json prints', async () => {
    const { out } = await cli(['gateway', '--help'])
    expect(out.replace(/\s+/g, ' ')).toContain('{"listeners","metrics"} with --metrics-listen')
  })
})

describe('a database', () => {
  test('that is a file of something else is called so', async () => {
    const { code, message } = await refused(manager('--database', `file:${folder}/text.sqlite`))
    expect(code).toBe('store-unavailable')
    expect(message).toContain('SQLITE_NOTADB')
    expect(message).toContain('no SQLite database')
  })

  test('that is a folder is called so', async () => {
    expect((await refused(manager('--database', `file:${folder}`))).message).toContain('EISDIR')
  })

  test('at a server that is not there', async () => {
    const mistake = await refused(manager('--database', 'postgres://user:hush@127.0.0.1:1/db'))
    expect([mistake.code, mistake.remedy]).toEqual([
      'store-unavailable',
      expect.stringContaining('start the database'),
    ])
    expect(mistake.message).toContain('ECONNREFUSED')
    expect(JSON.stringify(mistake)).not.toContain('hush')
  })

  describe.skipIf(!postgres)('of PostgreSQL', () => {
    const url = postgres?.url ?? ''
    test.each([
      ['with another password', url.replace(/:[^:@]*@/, ':hush@'), '28P01', 'the password'],
      ['of another name', url.replace(/[^/]*$/, 'nowhere'), '3D000', 'no database of that name'],
      ['without TLS, to be verified', `${url}?sslmode=verify-full`, 'tls-unsupported', 'no TLS'],
    ])('%s', async (_what, database, reason, words) => {
      const mistake = await refused(manager('--database', database))
      expect(mistake.code).toBe('store-unavailable')
      expect(mistake.message).toContain(reason)
      expect(mistake.message).toContain(words)
      expect(mistake.remedy).not.toContain('start the database')
      for (const secret of ['hush', postgres?.password]) {
        expect(JSON.stringify(mistake)).not.toContain(secret)
      }
    })
  })
})
