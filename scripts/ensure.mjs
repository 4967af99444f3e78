/**
 * Makes a clone ready to run: installs the packages when they are missing or the lock file names others, and builds
 * dist/ when it is missing or older than its sources. Says on stderr what it does and nothing when there is nothing to
 * do; stdout is left to the program that follows. `--deps-only` does not build.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** @returns {boolean} Whether the packages of the lock file are installed now. */
export function ensurePackages() {
  if (packagesAreCurrent()) return true
  console.error('mtls-policy: installing packages (npm ci) …')
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  // npm names its own program to the scripts it runs; a plain `node scripts/…` finds npm on the path.
  const npm = process.env.npm_execpath
  const options = { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] }
  const { status } = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...args], options)
    : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' })
  if (status !== 0) console.error('mtls-policy: npm ci failed')
  return status === 0
}

/** @returns {Promise<boolean>} Whether dist/ holds what src/ says now. */
export async function ensureBuild() {
  if (buildIsCurrent()) return true
  console.error('mtls-policy: building …')
  const { build } = await import('./build.mjs')
  // A program needs no declarations to run; `npm run build` and packing write them.
  return build({ declarations: false, quiet: true })
}

/** npm keeps a copy of the lock file of what it installed; every package that it had to install is in there. */
function packagesAreCurrent() {
  const installed = packagesOf(join(root, 'node_modules/.package-lock.json'))
  const wanted = packagesOf(join(root, 'package-lock.json'))
  if (!installed || !wanted) return false
  return Object.entries(wanted).every(
    ([path, { version, optional, peer }]) =>
      path === '' ||
      (installed[path] === undefined ? optional || peer : installed[path].version === version),
  )
}

/** @param {string} file */
function packagesOf(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : undefined
}

function buildIsCurrent() {
  const dist = join(root, 'dist')
  if (!existsSync(dist)) return false
  const outputs = readdirSync(dist).filter((name) => name.endsWith('.js'))
  if (outputs.length === 0) return false
  const built = Math.min(...outputs.map((name) => statSync(join(dist, name)).mtimeMs))
  const sources = ['src', 'package.json', 'scripts/build.mjs']
  return sources.every((name) => newest(join(root, name)) <= built)
}

/** Newest change below `path`, in milliseconds; folders count too, because a file that was removed leaves its mark there. */
function newest(path) {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const ready = ensurePackages() && (process.argv.includes('--deps-only') || (await ensureBuild()))
  process.exitCode = ready ? 0 : 1
}
