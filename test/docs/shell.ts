/** A reader's shell. @module */

import { spawn } from 'node:child_process'
import { once } from 'node:events'

/**
 * Enters commands, in bash.
 *
 * @param environment - Besides `PATH`.
 * @returns What they printed on standard output.
 * @throws Error with what they printed when one of them fails.
 */
export async function enter(
  commands: string,
  cwd: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const env = { PATH: process.env.PATH, HOME: cwd, ...environment }
  const child = spawn('bash', ['-c', `set -eu -o pipefail\n${commands}`], { cwd, env })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (data) => {
    stdout += data
  })
  child.stderr.on('data', (data) => {
    stderr += data
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${commands}\nended with ${code}:\n${stdout}${stderr}`)
  return stdout
}
