/**
 * Runs the command line from a clone, built first where needed. npm starts its scripts in the project's folder; the
 * file names given belong to the folder where npm was called.
 *
 * @module
 */
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureBuild, ensurePackages } from './ensure.mjs'

if (ensurePackages() && (await ensureBuild())) {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const called = process.env.INIT_CWD
  if (called && relative(root, process.cwd()) === '') process.chdir(called)
  const cli = new URL('../dist/cli.js', import.meta.url)
  process.argv[1] = fileURLToPath(cli)
  await import(cli.href)
} else {
  process.exitCode = 2
}
