/** The program. @module */

import { now } from '../runtime/clock.ts'
import { run } from './run.ts'

async function readStdin(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array)
  return Buffer.concat(chunks)
}

// `mtls-policy … | head` closes the pipe early: nobody is left to tell.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(process.exitCode ?? 0)
})

try {
  process.exitCode = await run(process.argv.slice(2), {
    stdout: process.stdout,
    stderr: process.stderr,
    readStdin,
    cwd: process.cwd(),
    env: process.env,
    now,
  })
} catch (error) {
  // A fault of this program. Exit code 1 would say that a certificate was judged.
  process.stderr.write(`internal error: ${error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = 2
}
