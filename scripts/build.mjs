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
  'revocation.node': 'src/revocation.ts',
  'revocation.web': 'src/revocation.web.ts',
  'policy.node': 'src/policy.ts',
  'policy.web': 'src/policy.web.ts',
  sources: 'src/http/sources/index.ts',
  express: 'src/http/express.ts',
  fastify: 'src/http/fastify.ts',
  koa: 'src/http/koa.ts',
  'hono.node': 'src/http/hono.node.ts',
  'hono.web': 'src/http/hono.web.ts',
  'node-http': 'src/http/node-http.ts',
  'fetch.node': 'src/http/fetch.node.ts',
  'fetch.web': 'src/http/fetch.web.ts',
  prometheus: 'src/http/metrics/prometheus.ts',
  opentelemetry: 'src/http/metrics/opentelemetry.ts',
  explain: 'src/explain.ts',
  pkcs7: 'src/pkcs7/index.ts',
  testing: 'src/testing/index.ts',
  management: 'src/management/index.ts',
  gateway: 'src/gateway/index.ts',
  cli: 'src/cli/main.ts',
  server: 'src/cli/server.ts',
}

/**
 * What the command line loads only to serve stays a file of its own: it names packages that not everybody has.
 *
 * @type {import('esbuild').Plugin}
 */
const server = {
  name: 'server',
  setup(building) {
    building.onResolve({ filter: /^\.\/server\.ts$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './server.js', external: true } : undefined,
    )
  },
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
    // A temporary folder is its maker's alone; what is built as root runs as someone else.
    await chmod(fresh, 0o755)
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
  /** @type {import('esbuild').BuildOptions} */
  const options = {
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2023',
    packages: 'external',
    legalComments: 'none',
    // A quarter less to read and to compile at each start; names stay, for traces.
    minifyWhitespace: true,
    logLevel: 'warning',
  }
  const result = await bundleCore(esbuild, options, outdir)
    .then((core) =>
      esbuild({
        ...options,
        entryPoints: entries,
        outdir,
        // What a few entries share beyond the core is in each of them: a file more costs more than what is in it.
        plugins: [server, core],
      }),
    )
    .catch((error) => {
      if (!('errors' in error)) throw error // esbuild has printed its own
    })
  if (!result) return 0
  const cli = join(outdir, 'cli.js')
  const text = await readFile(cli, 'utf8')
  if (!text.startsWith('#!')) await writeFile(cli, `#!/usr/bin/env node\n${text}`)
  await chmod(cli, 0o755)
  return Object.keys(entries).length
}

/**
 * Writes `core.js`: every module that the entry for the web reaches, in one file. esbuild would cut them into a chunk for each set
 * of entries that share one, and opening a file costs more than reading what is in it.
 *
 * @param {typeof import('esbuild').build} esbuild
 * @param {import('esbuild').BuildOptions} options
 * @param {string} outdir
 * @returns {Promise<import('esbuild').Plugin>} Makes other builds import `./core.js` in the place of those modules.
 */
async function bundleCore(esbuild, options, outdir) {
  const analysis = { ...options, write: false, metafile: true, outdir, outbase: root }
  const reached = await esbuild({ ...analysis, entryPoints: [entries['index.web']] })
  // An index only passes names on; in the core it would pass on those of every entry point.
  const files = Object.values(reached.metafile.outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([file, { bytesInOutput }]) => bytesInOutput > 0 && !/index(\.web)?\.ts$/.test(file))
    .map(([file]) => file)
  const alone = await esbuild({ ...analysis, entryPoints: files, bundle: false })
  const core = await esbuild({
    ...options,
    stdin: {
      contents: files.map((file) => `export * from './${file}'`).join('\n'),
      resolveDir: root,
    },
    outfile: join(outdir, 'core.js'),
    metafile: true,
  })
  const [output] = Object.values(core.metafile.outputs)
  for (const { entryPoint, exports } of Object.values(alone.metafile.outputs)) {
    // Of two names that are the same, `export *` exports none.
    const lost = exports.find((name) => !output?.exports.includes(name))
    if (lost !== undefined) throw new Error(`${entryPoint}: another module exports ${lost} as well`)
  }
  const paths = new Set(files.map((file) => join(root, file)))
  return {
    name: 'core',
    setup(building) {
      building.onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ path, resolveDir }) =>
        paths.has(join(resolveDir, path)) ? { path: './core.js', external: true } : undefined,
      )
    },
  }
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
