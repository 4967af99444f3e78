import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { demoFolder } from './support.ts'

const program = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

/** Needs what `npm run build` writes; `npm cit` and CI build first. */
describe.runIf(existsSync(program) || process.env.CI === 'true')('the built program', async () => {
  const pki = await demoFolder()
  const at = ['--time', '2030-06-01']
  const cli = (argv: readonly string[], input?: Uint8Array) =>
    spawnSync(process.execPath, [program, ...argv], { cwd: pki, input, encoding: 'utf8' })

  test('reads standard input, writes text without colours into a pipe, and exits with 0', () => {
    const client = readFileSync(join(pki, 'clients/client-a.pem'))
    const { status, stdout } = cli(['check', '-', '-a', 'ca.pem', ...at], client)
    expect(status).toBe(0)
    expect(stdout).toContain('client-a  ← Example Issuing CA  ← Example Root CA (trust anchor)')
    expect(stdout).not.toContain('\u001b')
  })
  test('exits with 1 for a refusal and 2 for wrong usage', () => {
    expect(cli(['check', 'clients/forged.pem', '-a', 'ca.pem', ...at]).status).toBe(1)
    const { status, stderr, stdout } = cli(['check', 'clients/forged.pem', '--ancors', 'ca.pem'])
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toContain('Did you mean --anchors?')
  })
  test('knows its version, reads a list from standard input, and ends after fetching', () => {
    expect(cli(['--version']).stdout).toMatch(/^\d+\.\d+\.\d+\S*\n$/)
    const list = readFileSync(join(pki, 'crls/issuing-ca.crl'))
    const shown = cli(['crl', '-', '--issuer', 'intermediates.pem'], list)
    expect(shown.status).toBe(0)
    expect(shown.stdout).toContain('✓ signed by CN=Example Issuing CA,O=Example')
    const argv = ['check', 'clients/client-a.pem', '-a', 'ca.pem', '--crl', 'crls', '--fetch']
    const fetched = cli([...argv, '--time', '2030-01-02'])
    expect([fetched.status, fetched.stderr]).toEqual([0, ''])
    expect(fetched.stdout).toContain('nothing was fetched')
  })
})
