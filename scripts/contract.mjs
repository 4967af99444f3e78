/**
 * Contract tests: schemathesis, from PyPI, against a running manager and its OpenAPI document. Installed into a temporary folder, unless
 * SCHEMATHESIS names one that has it.
 *
 * Usage: node scripts/contract.mjs [--examples N]
 */

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const at = process.argv.indexOf('--examples')
const examples = at === -1 ? '20' : process.argv[at + 1]
const folder = mkdtempSync(join(tmpdir(), 'mtls-policy-schemathesis-'))

/**
 * What is well-formed and not valid is 422 here, in words that a schema cannot say: a certificate that does not parse, a key that was used
 * for another request. 412 and 415
 * are as plain, and a head that is too large is 431 by Node itself.
 */
const config = `
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "412", "415", "422"]
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "409", "412", "413", "415", "422", "431"]
`

try {
  process.exitCode = await run()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function run() {
  const python = process.env.PYTHON ?? 'python3'
  const packages = process.env.SCHEMATHESIS ?? join(folder, 'packages')
  if (process.env.SCHEMATHESIS === undefined) {
    const pip = ['-m', 'pip', 'install', '--quiet', '--target', packages, 'schemathesis>=4,<5']
    const installed = spawnSync(python, pip, { stdio: ['ignore', 'inherit', 'inherit'] })
    if (installed.status !== 0) {
      console.error('contract tests need python3 with pip and a package index')
      return 1
    }
  }
  const server = spawn(
    process.execPath,
    ['--import', 'tsx', join(root, 'scripts', 'contract-server.ts')],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const ended = new Promise((resolve) => server.once('exit', resolve))
  try {
    const line = await firstLine(server)
    const { url, token } = JSON.parse(line)
    const file = join(folder, 'schemathesis.toml')
    writeFileSync(file, config)
    const options = [
      ['-m', 'schemathesis.cli'],
      ['--config-file', file],
      ['run', `${url}/apiops/openapi.json`],
      ['--header', `Authorization: Bearer ${token}`],
      ['--max-examples', examples],
      ['--seed', '20261128'],
      // About the generator on a busy machine, not about the manager.
      ['--suppress-health-check', 'filter_too_much,too_slow,data_too_large'],
      ['--continue-on-failure', '--no-color'],
    ].flat()
    const tests = spawn(python, options, {
      cwd: folder,
      env: { ...process.env, PYTHONPATH: packages },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    const code = await new Promise((resolve) => tests.once('exit', resolve))
    if (server.exitCode !== null) {
      console.error('the manager did not survive')
      return 1
    }
    return code ?? 1
  } finally {
    server.kill('SIGTERM')
    await ended
  }
}

async function firstLine({ stdout }) {
  for await (const line of createInterface({ input: stdout })) return line
  throw new Error('the manager did not start')
}
