/** `npm run conformance` and `npm run -s conformance -- --file F --json`: see `command.ts`. @module */
import { command, corpora } from './command.ts'
import { showProgress } from './progress.ts'

process.exitCode = await command(process.argv.slice(2), {
  out: (line) => console.log(line),
  error: (line) => console.error(line),
  corpora,
  ci: process.env.CI === 'true',
  ...(process.stderr.isTTY ? { progress: showProgress(process.stderr) } : {}),
})
