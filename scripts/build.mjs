/**
 * Bundles every entry point into dist/ and writes the declarations to dist/types/. Chunks are shared between entries, so
 * that a class is the same class under `mtls-policy` and `mtls-policy/sync`. The result replaces dist/ in one move: a
 * reader never sees half a build, and a build that fails leaves the last good one.
 *
 * `--js` leaves the declarations as they are, `--quiet` prints failures only.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Name of the file in dist/ → its source. */
export const entries = {
  'index.node': 'src/index.node.ts',
  'index.web': 'src/index.web.ts',
  sync: 'src/sync.ts',
  path: 'src/path/index.ts',
  acl: 'src/acl/index.ts',
  explain: 'src/explain.ts',
  pkcs7: 'src/pkcs7/index.ts',
  testing: 'src/testing/index.ts',
  cli: 'src/cli/main.ts',
}

/**
 * @param {{ declarations?: boolean, quiet?: boolean }} [options]
 * @returns {Promise<boolean>} Whether everything was built.
 */
export async function build({ declarations = true, quiet = false } = {}) {
  const begin = performance.now()
  const dist = join(root, 'dist')
  const fresh = await mkdtemp(join(root, '.build-'))
  try {
    const bundles = await bundle(fresh)
    if (!bundles) return false
    const types = join(fresh, 'types')
    if (!declarations) {
      if (existsSync(join(dist, 'types'))) await cp(join(dist, 'types'), types, { recursive: true })
    } else if (!declare(types)) return false
    const old = `${fresh}-old`
    if (existsSync(dist)) await rename(dist, old)
    await rename(fresh, dist)
    await rm(old, { recursive: true, force: true })
    if (!quiet) {
      const seconds = ((performance.now() - begin) / 1000).toFixed(1)
      console.error(`built dist/: ${bundles} entry points in ${seconds} s`)
    }
    return true
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

/** @param {string} outdir */
async function bundle(outdir) {
  const { build: esbuild } = await import('esbuild')
  const present = Object.entries(entries).filter(([, source]) => existsSync(join(root, source)))
  for (const [name, source] of Object.entries(entries)) {
    if (!existsSync(join(root, source))) console.error(`dist/${name}.js left out: no ${source}`)
  }
  const result = await esbuild({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(present),
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2023',
    packages: 'external',
    chunkNames: 'chunks/[name]-[hash]',
    legalComments: 'none',
    logLevel: 'warning',
  }).catch(() => undefined) // esbuild has printed why
  if (!result) return 0
  const cli = join(outdir, 'cli.js')
  if (existsSync(cli)) {
    const text = await readFile(cli, 'utf8')
    if (!text.startsWith('#!')) await writeFile(cli, `#!/usr/bin/env node\n${text}`)
    await chmod(cli, 0o755)
  }
  return present.length
}

/** @param {string} outDir */
function declare(outDir) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const args = [tsc, '-p', 'tsconfig.build.json', '--outDir', outDir]
  // stdout belongs to the program that was asked for, so that what tsc says goes to stderr.
  return spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] }).status === 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { ensurePackages } = await import('./ensure.mjs')
  if (!ensurePackages()) process.exit(1)
  const done = await build({
    declarations: !process.argv.includes('--js'),
    quiet: process.argv.includes('--quiet'),
  })
  process.exitCode = done ? 0 : 1
}
