/**
 * Holds what a user pays for importing the package: the size of the core in a browser bundle, that it names nothing of
 * Node there, how long importing takes, and that the core loads no package.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { ensurePackages } from './ensure.mjs'

const maxKilobytes = 40
const maxMilliseconds = 20
const processes = 21

const root = fileURLToPath(new URL('..', import.meta.url))
if (!ensurePackages()) process.exit(1)
const { build } = await import('./build.mjs')
if (!(await build({ quiet: true }))) process.exit(1)

let failures = 0
/** @param {boolean} ok @param {string} text */
function report(ok, text) {
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${text}`)
  if (!ok) failures++
}

// 1. The core as a browser's bundler sees it.
const { build: esbuild } = await import('esbuild')
/** @param {string} contents */
const bundle = (contents) =>
  esbuild({
    stdin: { contents, resolveDir: root },
    absWorkingDir: root,
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['browser'],
    legalComments: 'none',
  })
const bundled = await bundle("export * from 'mtls-policy'")
const code = bundled.outputFiles[0]?.text ?? ''
const kilobytes = kilobytesOf(code)
const size = `${kilobytes.toFixed(1)} kB minified + gzip, at most ${maxKilobytes} kB`
report(kilobytes > 1 && kilobytes <= maxKilobytes, `browser bundle of the core: ${size}`)
report(!code.includes('node:'), 'browser bundle of the core: no "node:"')
const inputs = Object.keys(bundled.metafile.inputs)
const foreign = inputs.filter((file) => file.includes('node_modules/'))
report(foreign.length === 0, `browser bundle of the core: no package inside ${foreign.join(' ')}`)
if (process.argv.includes('--inputs')) console.log(inputs.join('\n'))

// No limit of its own: who reads lists and responses as well loads this much.
const both = "export * from 'mtls-policy'\nexport * as revocation from 'mtls-policy/revocation'"
const whole = await bundle(both)
const wholeCode = whole.outputFiles[0]?.text ?? ''
report(!wholeCode.includes('node:'), 'browser bundle with mtls-policy/revocation: no "node:"')
// A worker's bundler takes the same builds.
for (const name of ['policy', 'sources', 'hono', 'fetch', 'prometheus']) {
  const entry = `mtls-policy/${name}`
  const { outputFiles, metafile } = await bundle(`export * from '${entry}'`)
  const text = outputFiles[0]?.text ?? ''
  const packages = Object.keys(metafile.inputs).filter((file) => file.includes('node_modules/'))
  report(!text.includes('node:'), `browser bundle of ${entry}: no "node:"`)
  report(
    packages.length === 0,
    `browser bundle of ${entry}: no package inside ${packages.join(' ')}`,
  )
}
console.log(`     with mtls-policy/revocation: ${kilobytesOf(wholeCode).toFixed(1)} kB`)

// 2. Importing, as the difference of two minima: node with the import, node with nothing. What else the machine does
// only ever adds; taken in turns, because its own speed drifts.
for (const file of ['index.node.js', 'sync.js']) {
  const url = pathToFileURL(join(root, 'dist', file)).href
  let cost = Number.POSITIVE_INFINITY
  // A machine may be busy for seconds; a regression is there every time.
  for (let attempt = 0; attempt < 4 && cost > maxMilliseconds; attempt++) {
    const [empty, full] = [[], []]
    for (let round = 0; round < processes; round++) {
      empty.push(milliseconds('0'))
      full.push(milliseconds(`await import(${JSON.stringify(url)})`))
    }
    cost = Math.min(...full) - Math.min(...empty)
  }
  const text = `${cost.toFixed(1)} ms, least of ${processes}, at most ${maxMilliseconds} ms`
  report(cost <= maxMilliseconds, `import of dist/${file}: ${text}`)
}

// 3. The published files alone, with no node_modules in reach.
const alone = mkdtempSync(join(tmpdir(), 'mtls-policy-'))
try {
  cpSync(join(root, 'dist'), join(alone, 'dist'), { recursive: true })
  cpSync(join(root, 'package.json'), join(alone, 'package.json'))
  for (const [name, ...conditions] of [
    ['mtls-policy'],
    ['mtls-policy', '--conditions=browser'],
    ['mtls-policy/sync'],
    ['mtls-policy/path'],
    ['mtls-policy/acl'],
    ['mtls-policy/revocation'],
    ['mtls-policy/revocation', '--conditions=browser'],
    ['mtls-policy/policy'],
    ['mtls-policy/policy', '--conditions=browser'],
    ['mtls-policy/sources'],
    ['mtls-policy/express'],
    ['mtls-policy/fastify'],
    ['mtls-policy/koa'],
    ['mtls-policy/node-http'],
    ['mtls-policy/hono'],
    ['mtls-policy/hono', '--conditions=browser'],
    ['mtls-policy/fetch'],
    ['mtls-policy/fetch', '--conditions=browser'],
    ['mtls-policy/prometheus'],
    ['mtls-policy/explain'],
  ]) {
    const args = [...conditions, '--input-type=module', '-e', `await import('${name}')`]
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: alone, encoding: 'utf8' })
    report(status === 0, `${[name, ...conditions].join(' ')} imports without any package`)
    if (status !== 0) console.log(stderr)
  }
} finally {
  rmSync(alone, { recursive: true, force: true })
}

process.exitCode = failures === 0 ? 0 : 1

/** @param {string} code */
function kilobytesOf(code) {
  return gzipSync(code, { level: 9 }).length / 1000
}

/** @param {string} source - A module; returned is the time of a whole process that runs it. */
function milliseconds(source) {
  const begin = performance.now()
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return performance.now() - begin
}
