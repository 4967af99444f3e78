/**
 * `npm run runtimes`: the tests of the core, of policies and of servers under other versions of Node, and a portable program
 * (test/portable) under other runtimes, which import the packed package by their own export condition and serve requests with it.
 * `-- --only bun,deno` runs some of them.
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
 * `program`: below node_modules. `build`: which files of the package the runtime's condition picks. `lacks`: what its drivers call
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
    build: 'node',
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
    build: 'web',
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
    build: 'web',
    lacks: ['web: Ed448', ...beyondWebCrypto],
  },
]
const nodeTests = [
  'base',
  'der',
  'x509',
  'effect',
  'path',
  'acl',
  'client',
  'policy',
  'runtime',
  'http',
  'testing',
]

/** Entries whose file depends on the runtime. */
const conditional = ['index', 'policy', 'fetch']

/** How the portable program begins in every runtime. */
const imports = `import * as library from 'mtls-policy'
import * as acl from 'mtls-policy/acl'
import * as fetchEntry from 'mtls-policy/fetch'
import * as policy from 'mtls-policy/policy'
import * as sources from 'mtls-policy/sources'
import { run } from './portable.mjs'
const entries = { library, acl, policy, fetch: fetchEntry, sources }
`

/** What follows the run. */
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
  const folders = nodeTests.filter((name) => existsSync(join(root, 'test', name)))
  const args = [vitest, 'run', '--reporter=dot', ...folders.map((name) => `test/${name}/`)]
  return spawnSync(node, args, { cwd: root, stdio: 'inherit' }).status === 0
}

function runScript(runtime, program) {
  writeFileSync(
    join(scratch, 'main.mjs'),
    `import { readFileSync } from 'node:fs'
import process from 'node:process'
import * as sync from 'mtls-policy/sync'
import { nodeHandlers } from './node.mjs'
${imports}
const data = JSON.parse(readFileSync(new URL('data.json', import.meta.url), 'utf8'))
const picked = ['mtls-policy', 'mtls-policy/policy', 'mtls-policy/fetch'].map((entry) => {
  const file = import.meta.resolve(entry)
  return file.slice(file.lastIndexOf('/') + 1)
})
console.log('picked', picked.join(' '))
const listen = { hostname: '127.0.0.1', port: 0 }
const serve = {
  bun: (fetch) => {
    const server = Bun.serve({ ...listen, fetch })
    return { port: server.port, close: () => server.stop() }
  },
  deno: (fetch) => {
    const server = Deno.serve({ ...listen, onListen: () => {} }, fetch)
    return { port: server.addr.port, close: () => server.shutdown() }
  },
}
const platform = {
  shows: 'address',
  serve: async (handler) => {
    const { port, close } = serve.${runtime.name}(handler)
    return { ask: (path, init) => fetch(\`http://127.0.0.1:\${port}\${path}\`, init), close }
  },
}
const { passed, failed, lacks } = await run({
  data,
  entries,
  sync,
  nodeHandlers,
  platform,
  say: console.log,
})
${report}
if (failed > 0) process.exitCode = 1
`,
  )
  const permissions = ['--quiet', '--allow-read', '--allow-env', '--allow-net=127.0.0.1']
  const args = runtime.name === 'deno' ? ['run', ...permissions] : ['run']
  const ran = spawnSync(program, [...args, 'main.mjs'], { cwd: scratch, encoding: 'utf8' })
  return judge(ran, runtime)
}

async function runWorkerd(runtime, program) {
  const { build: esbuild } = await import('esbuild')
  writeFileSync(
    join(scratch, 'worker.mjs'),
    `${imports}
import data from 'data.json'
let serving
const platform = (env) => ({
  shows: 'cf',
  serve: async (handler) => {
    serving = handler
    const ask = (path, init) => env.self.fetch(\`http://app.example\${path}\`, init)
    return { ask, close: async () => {} }
  },
})
export default {
  fetch: (request, env) => serving(request, env),
  async test(controller, env) {
    const surroundings = { data, entries, platform: platform(env), say: console.log }
    const { passed, failed, lacks } = await run(surroundings)
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
  const bundled = Object.keys(metafile.inputs).map((path) => path.split('/').at(-1))
  const picked = conditional.flatMap((entry) =>
    bundled.filter((name) => name.startsWith(`${entry}.`)),
  )
  writeFileSync(
    join(scratch, 'config.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = .portable)]);
const portable :Workerd.Worker = (
  modules = [
    (name = "worker", esModule = embed "worker.bundle.mjs"),
    (name = "data.json", json = embed "data.json"),
  ],
  bindings = [(name = "self", service = "main")],
  compatibilityDate = "2026-11-01",
);
`,
  )
  const ran = spawnSync(program, ['test', 'config.capnp'], { cwd: scratch, encoding: 'utf8' })
  return judge({ ...ran, stdout: `picked ${picked.join(' ')}\n${ran.stdout}` }, runtime)
}

/** Whether the program ran to its end without failures, over the right build, and lacks what is known. */
function judge({ status, stdout, stderr, error }, { build, lacks }) {
  const text = `${stdout ?? ''}${stderr ?? ''}${error ?? ''}`
  console.log(text.trim())
  const problems = []
  const files = conditional.map((entry) => `${entry}.${build}.js`).join(' ')
  if (!text.includes(`picked ${files}\n`)) problems.push(`the runtime did not pick ${files}`)
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
