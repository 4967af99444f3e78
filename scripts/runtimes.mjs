/**
 * `npm run runtimes`: the core's tests under other versions of Node, and a portable program (test/portable) under other
 * runtimes, which import the packed package by their own export condition. `-- --only bun,deno` runs some of them.
 *
 * The runtimes come from npm in exactly these versions, into node_modules/.cache/runtimes, where they stay.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

/** What no WebCrypto verifies. */
const beyondWebCrypto = [
  'web: RSA-2048 RSASSA-PKCS1-v1_5 MD5',
  'web: RSA-2048 RSASSA-PKCS1-v1_5 SHA-224',
  'web: secp256k1 ECDSA SHA-256',
  'web: P-224 ECDSA SHA-256',
  'web: DSA-2048 DSA SHA-256',
]

/**
 * `program`: below node_modules. `build`: the file of the package that the runtime's condition picks. `lacks`: what its drivers call
 * unsupported, of what Node verifies; a list that is longer or shorter is a failure, because somebody must look.
 */
const runtimes = [
  { name: 'node22', package: 'node', version: '22.23.3', program: 'node/bin/node' },
  { name: 'node24', package: 'node', version: '24.21.0', program: 'node/bin/node' },
  {
    name: 'bun',
    package: 'bun',
    version: '1.4.5',
    program: '.bin/bun',
    build: 'index.node.js',
    lacks: [
      'web: Ed448',
      ...beyondWebCrypto,
      'node: Ed448',
      'node: secp256k1 ECDSA SHA-256',
      'node: DSA-2048 DSA SHA-256',
    ],
  },
  {
    name: 'deno',
    package: 'deno',
    version: '2.9.6',
    program: '.bin/deno',
    build: 'index.web.js',
    lacks: [
      'web: Ed448',
      'web: RSA-8192 RSASSA-PKCS1-v1_5 SHA-256',
      'web: P-384 ECDSA SHA-1',
      ...beyondWebCrypto,
      'node: Ed448',
      'node: RSA-8192 RSASSA-PKCS1-v1_5 SHA-256',
      'node: P-384 ECDSA SHA-1',
      'node: P-521 ECDSA SHA-1',
      'node: P-521 ECDSA SHA-256',
      'node: secp256k1 ECDSA SHA-256',
      'node: P-224 ECDSA SHA-256',
    ],
  },
  {
    name: 'workerd',
    package: 'workerd',
    version: '1.20261117.1',
    program: '.bin/workerd',
    build: 'index.web.js',
    lacks: ['web: Ed448', ...beyondWebCrypto],
  },
]
const coreTests = ['base', 'der', 'x509', 'effect', 'path', 'acl', 'client', 'runtime', 'testing']

/** What follows the run in every runtime. */
const report = `
console.log('lacks', JSON.stringify(lacks))
console.log(\`\${passed} passed, \${failed} failed\`)`

const root = fileURLToPath(new URL('..', import.meta.url))
const { values } = parseArgs({ options: { only: { type: 'string' }, keep: { type: 'boolean' } } })
const wanted = values.only?.split(',') ?? runtimes.map(({ name }) => name)
const scratch = mkdtempSync(join(tmpdir(), 'runtimes-'))
const failures = []
try {
  const chosen = runtimes.filter(({ name }) => wanted.includes(name))
  if (chosen.length !== wanted.length) throw new Error(`unknown runtime among ${wanted}`)
  if (chosen.some(({ build }) => build)) await prepare()
  for (const runtime of chosen) {
    const begin = performance.now()
    console.log(`\n── ${runtime.name} ${runtime.version}`)
    const program = install(runtime)
    const ok = program !== undefined && (await runIn(runtime, program))
    if (!ok) failures.push(runtime.name)
    console.log(`${runtime.name}: ${ok ? 'passed' : 'FAILED'}, ${seconds(begin)} s`)
  }
} finally {
  if (values.keep) console.log(`kept: ${scratch}`)
  else rmSync(scratch, { recursive: true, force: true })
}
const ran = wanted.length - failures.length
console.log(`\nruntimes: ${ran} passed, ${failures.length} failed ${failures.join(' ')}`)
process.exitCode = failures.length === 0 ? 0 : 1

/** @returns {string | undefined} The program; `undefined` when npm cannot install it. */
function install({ name, package: from, version, program }) {
  const folder = join(root, 'node_modules/.cache/runtimes', `${name}-${version}`)
  const path = join(folder, 'node_modules', program)
  if (existsSync(path)) return path
  mkdirSync(folder, { recursive: true })
  // Some of these packages fetch or link their program by a script.
  const manifest = { private: true, allowScripts: { [from]: true } }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  const args = ['install', '--no-audit', '--no-fund', '--loglevel=error', `${from}@${version}`]
  npm(args, folder)
  return existsSync(path) ? path : undefined
}

/** npm names its own program to the scripts it runs; a plain `node scripts/…` finds npm on the path. */
function npm(args, cwd) {
  const cli = process.env.npm_execpath
  const [program, first] = cli?.endsWith('.js') ? [process.execPath, [cli]] : ['npm', []]
  return spawnSync(program, [...first, ...args], { cwd, stdio: ['ignore', 2, 2] }).status === 0
}

/** A user's folder: the packed package in node_modules, the portable program and its data beside it. */
async function prepare() {
  const begin = performance.now()
  npm(
    ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', scratch, root],
    scratch,
  )
  const installed = join(scratch, 'node_modules/mtls-policy')
  mkdirSync(installed, { recursive: true })
  const unpack = `tar -xzf "${scratch}"/mtls-policy-*.tgz --strip-components=1 -C "${installed}"`
  if (spawnSync('sh', ['-c', unpack], { stdio: 'inherit' }).status !== 0) {
    throw new Error('npm pack made nothing to unpack')
  }
  writeFileSync(
    join(scratch, 'package.json'),
    JSON.stringify({ private: true, type: 'module', dependencies: { 'mtls-policy': '*' } }),
  )
  const { build } = await import('esbuild')
  await build({
    absWorkingDir: root,
    entryPoints: { portable: 'test/portable/portable.ts', node: 'src/runtime/node.ts' },
    outdir: scratch,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2023',
    external: ['node:*'],
    logLevel: 'warning',
  })
  const tsx = join(root, 'node_modules/tsx/dist/cli.mjs')
  const data = spawnSync(
    process.execPath,
    [tsx, 'test/portable/data.ts', join(scratch, 'data.json')],
    { cwd: root, stdio: 'inherit' },
  )
  if (data.status !== 0) throw new Error('no data for the portable program')
  console.log(`packed, bundled, and answered by Node in ${seconds(begin)} s`)
}

async function runIn(runtime, program) {
  if (runtime.build === undefined) return runTests(program)
  return runtime.name === 'workerd' ? runWorkerd(runtime, program) : runScript(runtime, program)
}

function runTests(node) {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const folders = coreTests.filter((name) => existsSync(join(root, 'test', name)))
  const args = [vitest, 'run', '--reporter=dot', ...folders.map((name) => `test/${name}/`)]
  return spawnSync(node, args, { cwd: root, stdio: 'inherit' }).status === 0
}

function runScript(runtime, program) {
  writeFileSync(
    join(scratch, 'main.mjs'),
    `import { readFileSync } from 'node:fs'
import process from 'node:process'
import * as library from 'mtls-policy'
import * as sync from 'mtls-policy/sync'
import { nodeHandlers } from './node.mjs'
import { run } from './portable.mjs'
const data = JSON.parse(readFileSync(new URL('data.json', import.meta.url), 'utf8'))
const picked = import.meta.resolve('mtls-policy')
console.log('picked', picked.slice(picked.lastIndexOf('/') + 1))
const { passed, failed, lacks } = await run({ data, library, sync, nodeHandlers, say: console.log })
${report}
if (failed > 0) process.exitCode = 1
`,
  )
  const args = runtime.name === 'deno' ? ['run', '--quiet', '--allow-read', '--allow-env'] : ['run']
  const ran = spawnSync(program, [...args, 'main.mjs'], { cwd: scratch, encoding: 'utf8' })
  return judge(ran, runtime)
}

async function runWorkerd(runtime, program) {
  const { build: esbuild } = await import('esbuild')
  writeFileSync(
    join(scratch, 'worker.mjs'),
    `import * as library from 'mtls-policy'
import { run } from './portable.mjs'
import data from 'data.json'
export default {
  async test() {
    const { passed, failed, lacks } = await run({ data, library, say: console.log })
${report}
    if (failed > 0) throw new Error('failed')
  },
}
`,
  )
  const { metafile } = await esbuild({
    absWorkingDir: scratch,
    entryPoints: ['worker.mjs'],
    outfile: 'worker.bundle.mjs',
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['data.json', 'node:*'],
    metafile: true,
    logLevel: 'warning',
  })
  const picked = Object.keys(metafile.inputs).find((path) => /\/dist\/index\.\w+\.js$/.test(path))
  writeFileSync(
    join(scratch, 'config.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = .portable)]);
const portable :Workerd.Worker = (
  modules = [
    (name = "worker", esModule = embed "worker.bundle.mjs"),
    (name = "data.json", json = embed "data.json"),
  ],
  compatibilityDate = "2026-11-01",
);
`,
  )
  const ran = spawnSync(program, ['test', 'config.capnp'], { cwd: scratch, encoding: 'utf8' })
  return judge({ ...ran, stdout: `picked ${picked?.split('/').at(-1)}\n${ran.stdout}` }, runtime)
}

/** Whether the program ran to its end without failures, over the right build, and lacks what is known. */
function judge({ status, stdout, stderr, error }, { build, lacks }) {
  const text = `${stdout ?? ''}${stderr ?? ''}${error ?? ''}`
  console.log(text.trim())
  const problems = []
  if (!text.includes(`picked ${build}\n`)) problems.push(`the runtime did not pick ${build}`)
  const found = JSON.parse(/^lacks (.*)$/m.exec(text)?.[1] ?? '[]')
  for (const one of found) if (!lacks.includes(one)) problems.push(`now lacks ${one}`)
  for (const one of lacks) if (!found.includes(one)) problems.push(`no longer lacks ${one}`)
  if (status !== 0 || !/^[1-9]\d* passed, 0 failed$/m.test(text))
    problems.push(`exit code ${status}`)
  for (const problem of problems) console.log(`FAIL ${problem}`)
  return problems.length === 0
}

function seconds(begin) {
  return ((performance.now() - begin) / 1000).toFixed(1)
}
