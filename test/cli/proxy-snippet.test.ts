/** `proxy-snippet`: what is printed for each proxy; that it does what it says is for test/e2e/proxies. @module */

import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { snippetMakers } from '../../src/cli/proxy-snippets/index.ts'
import { twinPattern, twinsOf } from '../../src/cli/proxy-snippets/snippet.ts'
import { cli, folderOf } from './support.ts'

const secret = 'only-the-proxy-knows-this'
const folder = await folderOf({
  secret: `${secret}\n`,
  short: 'fifteen-letters',
  quoted: 'a"; deny all; # and more',
})
const names = Object.keys(snippetMakers)
const full = names.filter((name) => snippetMakers[name]?.hasFull)

const json = async (...argv: readonly string[]) => {
  const { code, out } = await cli(['proxy-snippet', ...argv, '--json'], { cwd: folder })
  return { code, ...JSON.parse(out) }
}
const textOf = (made: { readonly files: readonly { readonly text: string }[] }) =>
  made.files.map(({ text }) => text).join('')

describe('every snippet', () => {
  test.each(names)('of %s names each header that it lets through', async (name) => {
    const made = await json(name)
    expect([made.code, made.ok, made.proxy]).toEqual([0, true, name])
    expect(made.headers.length).toBeGreaterThan(0)
    // App Service writes its own, Envoy's own is written by a setting.
    if (['envoy', 'istio'].includes(name)) expect(textOf(made)).toContain('SANITIZE_SET')
    else for (const header of made.headers) expect(textOf(made)).toContain(header)
  })

  test.each(names)('of %s is printed as it stands in the JSON', async (name) => {
    const { out, code } = await cli(['proxy-snippet', name])
    const made = await json(name)
    expect(code).toBe(0)
    expect(out).toBe(textOf(made))
    expect(out.endsWith('\n')).toBe(true)
    expect(out).not.toMatch(/undefined|\[object|NaN|[ \t]$/m)
  })

  test.each(full)('of %s can be whole, and says how to run it', async (name) => {
    const made = await json(name, '--full')
    expect(made.code).toBe(0)
    expect(textOf(made)).toContain('# Run: ')
    expect(made.run.length).toBeGreaterThan(0)
    expect((await json(name)).run).toBeUndefined()
  })

  test.each(full)('of %s has the values that were given', async (name) => {
    const made = await json(
      ...[name, '--full', '--upstream', '10.1.2.3:4567', '--listen', '127.0.0.1:9443'],
      ...['--server-name', 'mtls.example', '--certificate', '/a/chain.pem', '--key', '/a/key.pem'],
      ...['--client-ca', '/a/ca.pem', '--secret-file', 'secret', '--secret-header', 'X-From-Proxy'],
    )
    const text = textOf(made)
    expect(made.headers).toContain('X-From-Proxy')
    for (const value of ['10.1.2.3', '4567', '127.0.0.1', '9443', '/a/chain.pem', secret]) {
      expect(text).toContain(value)
    }
    if (name !== 'haproxy') expect(text).toContain('mtls.example')
    // Caddy verifies nothing.
    if (name !== 'caddy') expect(text).toContain('/a/ca.pem')
  })

  test('has the certificate under the name that was given, where the name is free', async () => {
    for (const name of names.filter((one) => snippetMakers[one]?.hasFreeHeader)) {
      const made = await json(name, '--header', 'X-Our-Client')
      expect(made.headers[0]).toBe('X-Our-Client')
      expect(textOf(made)).toContain('X-Our-Client')
    }
  })

  test('of Envoy is JSON unless text is asked for', async () => {
    expect(textOf(await json('envoy'))).toContain('format: JSON')
    expect(textOf(await json('envoy', '--form', 'text'))).not.toContain('format: JSON')
  })
})

describe('what cannot stand in a configuration is wrong usage', () => {
  test.each([
    [['squid'], 'usage-invalid-value'],
    [['toString'], 'usage-invalid-value'],
    [['nginx', '--server-name', 'a; deny all'], 'usage-invalid-value'],
    [['nginx', '--certificate', '/a b.pem'], 'usage-invalid-value'],
    [['nginx', '--key', '/a;b.pem'], 'usage-invalid-value'],
    [['nginx', '--client-ca', '/a\nb.pem'], 'usage-invalid-value'],
    [['nginx', '--upstream', 'http://127.0.0.1:3000'], 'usage-invalid-value'],
    [['nginx', '--upstream', '127.0.0.1'], 'usage-invalid-value'],
    [['nginx', '--listen', '0'], 'usage-invalid-value'],
    [['nginx', '--listen', '65536'], 'usage-invalid-value'],
    [['nginx', '--header', 'X_Client'], 'usage-invalid-value'],
    [['nginx', '--header', 'a-b-c-d-e-f-g'], 'usage-invalid-value'],
    [['nginx', '--header', 'x-ssl-client-verify'], 'options-conflict'],
    [
      ['nginx', '--secret-file', 'secret', '--secret-header', 'x-ssl-client-cert'],
      'options-conflict',
    ],
    [['nginx', '--secret-header', 'X-A'], 'usage-missing-option'],
    [['nginx', '--secret-file', 'short'], 'usage-invalid-value'],
    [['nginx', '--secret-file', 'quoted'], 'usage-invalid-value'],
    [['nginx', '--secret-file', 'nowhere'], 'file-unreadable'],
    [['nginx', '--form', 'text'], 'options-conflict'],
    [['envoy', '--form', 'xml'], 'usage-invalid-value'],
    [['envoy', '--header', 'X-A'], 'options-conflict'],
    [['traefik', '--full'], 'options-conflict'],
    [['aws-alb', '--secret-file', 'secret'], 'options-conflict'],
    [[], 'usage-missing-argument'],
  ] as const)('%j: %s', async (argv, expected) => {
    const { code, error } = await json(...argv)
    expect([code, error.code]).toEqual([2, expected])
  })

  test('an unknown name is answered with the known ones', async () => {
    const { error } = await json('squid')
    for (const name of names) expect(error.remedy).toContain(name)
  })

  test('a secret that will not do is not repeated', async () => {
    expect(JSON.stringify(await json('nginx', '--secret-file', 'short'))).not.toContain('fifteen')
  })
})

describe('twins', () => {
  const name = fc
    .array(fc.stringMatching(/^[A-Za-z0-9]{1,4}$/), { minLength: 1, maxLength: 6 })
    .map((parts) => parts.join('-'))

  test('are all spellings with an underscore for a dash, and not the name', () => {
    fc.assert(
      fc.property(name, (one) => {
        const twins = twinsOf(one)
        const dashes = one.split('-').length - 1
        expect(new Set(twins).size).toBe(2 ** dashes - 1)
        expect(twins).not.toContain(one)
        for (const twin of twins) expect(twin.replaceAll('_', '-')).toBe(one)
      }),
    )
  })

  test('and the name are what the pattern matches', () => {
    fc.assert(
      fc.property(name, (one) => {
        const pattern = new RegExp(`^${twinPattern(one)}$`)
        for (const spelling of [one, ...twinsOf(one)]) expect(spelling).toMatch(pattern)
      }),
    )
  })
})

test('docs/cli.md names every option', async () => {
  const docs = await readFile(new URL('../../docs/cli.md', import.meta.url), 'utf8')
  const { out } = await cli(['proxy-snippet', '--help'])
  const options = [...out.matchAll(/^ +(--[a-z-]+)/gm)].map(([, one]) => one as string)
  expect(options.length).toBeGreaterThan(10)
  expect(options.filter((one) => one !== '--help' && !docs.includes(one))).toEqual([])
})
