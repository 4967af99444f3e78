/**
 * The order of the folders in src: who may import whom, and what the core may not name.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, posix, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { type Finding, findingAt, readSource } from './source-text.ts'

interface Layer {
  /** Folders that this one may import from, besides itself. */
  readonly folders: readonly string[]
  /** Packages that it may import; none reaches what `.` and `./sync` load. */
  readonly packages?: readonly string[]
  /** Whether it may import `node:…`. */
  readonly node?: true
}

/** Arrows only go down this list. The sources at the top of src, index and sync, are the folder `''`. */
const layers: { readonly [folder: string]: Layer } = {
  base: { folders: [] },
  der: { folders: ['base'] },
  x509: { folders: ['base', 'der'] },
  effect: { folders: ['base'] },
  path: { folders: ['base', 'x509', 'effect'] },
  revocation: { folders: ['base', 'x509', 'effect', 'path'] },
  acl: { folders: ['base', 'x509', 'effect'] },
  client: { folders: ['base', 'x509', 'effect', 'path', 'revocation', 'acl'] },
  policy: { folders: ['base', 'x509', 'effect', 'acl', 'client'] },
  runtime: {
    folders: ['base', 'x509', 'effect', 'path', 'revocation', 'client'],
    node: true,
  },
  '': {
    folders: [
      'base',
      'der',
      'x509',
      'effect',
      'path',
      'revocation',
      'acl',
      'client',
      'policy',
      'runtime',
      'http',
    ],
  },
  http: {
    folders: ['base', 'der', 'x509', 'effect', 'path', 'revocation', 'client', 'policy', 'runtime'],
    packages: ['prom-client', '@opentelemetry/api', 'fastify', 'hono'],
    node: true,
  },
  pkcs7: { folders: ['base', 'x509'], packages: ['pkijs', 'asn1js'] },
  testing: {
    folders: ['base', 'der', 'x509', 'runtime'],
    packages: ['pkijs', 'asn1js', '@peculiar/webcrypto'],
    node: true,
  },
  deployment: {
    folders: ['base', 'x509', 'effect', 'acl', 'client', 'policy', 'http'],
    node: true,
  },
  management: {
    folders: [
      '',
      'base',
      'der',
      'x509',
      'effect',
      'revocation',
      'acl',
      'client',
      'policy',
      'runtime',
    ].concat(['http', 'pkcs7', 'deployment']),
    packages: [
      'hono',
      '@hono/node-server',
      '@hono/zod-openapi',
      'zod',
      'kysely',
      'libsql',
      'pg',
      'pino',
      'prom-client',
    ],
    node: true,
  },
  gateway: {
    folders: [
      '',
      'base',
      'x509',
      'effect',
      'path',
      'revocation',
      'acl',
      'client',
      'policy',
      'runtime',
    ].concat(['http', 'deployment']),
    packages: ['pino', 'prom-client'],
    node: true,
  },
  cli: {
    folders: [
      '',
      'base',
      'der',
      'x509',
      'effect',
      'path',
      'revocation',
      'acl',
      'client',
      'policy',
    ].concat(['runtime', 'pkcs7', 'testing', 'http', 'deployment', 'management', 'gateway']),
    packages: ['commander', 'picocolors', 'cli-progress', 'pino', 'prom-client'],
    node: true,
  },
}

/** From here nothing reads a clock, draws a random number, or names a platform. */
const core = ['base', 'der', 'x509', 'effect', 'path', 'revocation', 'acl', 'client', 'policy']

/** Time, entropy, bytes and signature checks come into the core as inputs or answers. */
const forbiddenInCore: readonly RegExp[] = [
  /\bcrypto\s*\.\s*(?:subtle|getRandomValues|randomUUID)\b/gu,
  /(?<!\.\s*|\bfunction\s*\*?\s*)\bfetch\s*\(|\bglobalThis\b/gu,
  /\bDate\s*\.\s*now\b/gu,
  /\bnew\s+Date\s*(?:\(\s*\)|(?![\s(\w]))/gu,
  /(?<!\bnew\s+)(?<![\w.$])Date\s*\(/gu,
  /\bperformance\s*\.\s*now\b/gu,
  /\bMath\s*\.\s*random\b/gu,
  /(?<![\w.$])Buffer\b/gu,
  /(?<![\w.$])process\s*[.[]/gu,
]

/** What `source`, the file `path` below src, imports or names against the rules. */
function layerFindings(path: string, source: string): readonly Finding[] {
  const folder = path.includes('/') ? (path.split('/')[0] as string) : ''
  const layer = layers[folder]
  if (!layer) return [`0: the folder ${folder} has no place in the order of layers`]
  const { code, specifiers } = readSource(source)
  const offsets: number[] = []
  for (const { name, offset } of specifiers) {
    if (!mayImport(path, folder, layer, name)) offsets.push(offset)
  }
  if (core.includes(folder)) {
    for (const pattern of forbiddenInCore) {
      for (const match of code.matchAll(pattern)) offsets.push(match.index)
    }
  }
  return offsets.sort((a, b) => a - b).map((offset) => findingAt(source, offset))
}

function mayImport(path: string, folder: string, layer: Layer, specifier: string): boolean {
  if (specifier.startsWith('node:')) return layer.node === true
  if (specifier.startsWith('.')) {
    const target = posix.join(dirname(path).split(sep).join('/'), specifier)
    if (target.startsWith('..')) return false
    const to = target.includes('/') ? (target.split('/')[0] as string) : ''
    return to === folder || layer.folders.includes(to)
  }
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  return layer.packages?.includes(name) ?? false
}

/**
 * A rule is always cited as `RFC nnnn §x.y` on one line, so that one grep lists every citation. A document may be named as a whole
 * (`RFC 4514 text`), but not the two whose rules we enforce section by section. `'RFC822'` is a kind of name.
 */
function citationFindings(source: string): readonly Finding[] {
  return [...source.matchAll(/\bRFC[\s\-_]*\d+|\bRFC\s(?!and section)/gu)]
    .filter(({ index }) => !isCitation(source.slice(index)))
    .map(({ index }) => findingAt(source, index))
}

function isCitation(text: string): boolean {
  if (/^RFC822\b/u.test(text)) return true
  if (/^RFC [1-9]\d{2,4} §(?:\d+|[A-Z]\b)(?:\.\d+)*/u.test(text)) return true
  return /^RFC (?!5280|6960)[1-9]\d{2,4}\b(?!,? ?(?:section|\d|\n \* §))/u.test(text)
}

const src = fileURLToPath(new URL('../src/', import.meta.url))
const files = readdirSync(src, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.(?:ts|tsx|mts)$/u.test(entry.name))
  .map((entry) => relative(src, `${entry.parentPath}/${entry.name}`).split(sep).join('/'))
  .map((path) => ({ path, source: readFileSync(`${src}/${path}`, 'utf8') }))

describe('sources', () => {
  test('there are some', () => {
    expect(files.length).toBeGreaterThan(5)
  })
  test('import only from the folders below them, and the core names no platform', () => {
    const findings = files.flatMap(({ path, source }) =>
      layerFindings(path, source).map((finding) => `src/${path}:${finding}`),
    )
    expect(findings).toEqual([])
  })
  test('cite an RFC as RFC nnnn §x.y', () => {
    const findings = files.flatMap(({ path, source }) =>
      citationFindings(source).map((finding) => `src/${path}:${finding}`),
    )
    expect(findings).toEqual([])
  })
})

describe('the layer rule finds', () => {
  test.each([
    ['an arrow upwards', 'der/reader.ts', "import { x } from '../x509/name.ts'"],
    ['a type from above', 'acl/match.ts', "import type { X } from '../path/failure.ts'"],
    ['a re-export from above', 'x509/index.ts', "export * from '../path/index.ts'"],
    ['an import over several lines', 'base/a.ts', "import {\n  a,\n  b,\n} from '../der/b.ts'"],
    ['a dynamic import', 'path/build.ts', "const x = await import('../client/a.ts')"],
    ['a type import in place', 'path/build.ts', "type X = import('../client/a.ts').X"],
    ['an import for effect', 'base/a.ts', "import '../der/b.ts'"],
    ['the entry point from a folder', 'client/a.ts', "import { x } from '../index.ts'"],
    ['a way out of src', 'base/a.ts', "import { x } from '../../test/setup.ts'"],
    ['a Node module in the core', 'path/a.ts', "import { sep } from 'node:path'"],
    ['a Node module at the top', 'index.ts', "import { sep } from 'node:path'"],
    ['a package in the core', 'x509/a.ts', "import * as asn1js from 'asn1js'"],
    ['a package of another layer', 'pkcs7/a.ts', "import { Command } from 'commander'"],
    ['a folder that nobody placed', 'helpers/a.ts', 'export const x = 1'],
    ['WebCrypto', 'client/a.ts', 'await crypto.subtle.digest(a, b)'],
    ['randomness of WebCrypto', 'client/a.ts', 'crypto.getRandomValues(a)'],
    ['fetch', 'client/a.ts', 'const x = await fetch(url)'],
    ['fetch by another way', 'client/a.ts', 'const x = await globalThis.fetch(url)'],
    ['the clock', 'client/a.ts', 'const t = Date.now()'],
    ['the clock as a function', 'client/a.ts', 'const now = Date.now'],
    ['the clock as a date', 'client/a.ts', 'const t = new Date()'],
    ['the clock as a date without brackets', 'client/a.ts', 'const t = new Date\n'],
    ['the clock as a text', 'client/a.ts', 'const t = Date()'],
    ['another clock', 'client/a.ts', 'const t = performance.now()'],
    ['chance', 'path/a.ts', 'Math.random()'],
    ['chance inside a template', 'path/a.ts', `const t = \`\${Math.random()}\``],
    ["Node's Buffer", 'base/a.ts', "Buffer.from('00', 'hex')"],
    ["Node's Buffer as a type", 'base/a.ts', 'export type Bytes = Buffer | Uint8Array'],
    ["Node's process", 'base/a.ts', 'if (process.env.X) run()'],
    ['code after a comment', 'base/a.ts', '/* a */ Date.now() // b'],
    ['code after a regular expression', 'base/a.ts', "const r = /['`]/u\nDate.now()"],
    ['code after a division', 'base/a.ts', 'const r = a / b; Date.now(); const s = c / d'],
    ['code after a template in a template', 'base/a.ts', `\`\${\`\${a}\`}\`; Date.now()`],
  ])('%s', (_what, path, source) => {
    expect(layerFindings(path, source)).toHaveLength(1)
  })
})

describe('the layer rule lets pass', () => {
  test.each([
    ['an arrow down', 'path/a.ts', "import { x } from '../x509/name.ts'"],
    ['its own folder', 'path/rules/a.ts', "import { x } from '../failure.ts'"],
    ['the drivers at the top', 'index.node.ts', "import { x } from './runtime/node.ts'"],
    ['Node below the edge', 'runtime/node.ts', "import { verify } from 'node:crypto'"],
    ['a package where it belongs', 'testing/a.ts', "import * as pkijs from 'pkijs'"],
    ['a comment', 'path/a.ts', "/** Like Date.now(), see import('node:fs'). */\n// new Date()"],
    ['a text', 'path/a.ts', "export const x = 'Date.now() or process.env, Buffer'"],
    ['a template', 'path/a.ts', `export const x = \`fetch(\${url}) // Date.now()\``],
    ['a date from an input', 'client/a.ts', 'const t = new Date(seconds * 1000)'],
    ['the date type', 'client/a.ts', 'if (time instanceof Date) use(time.getTime())'],
    ['a question of that name', 'client/a.ts', "yield* ask({ op: 'fetch', uri })"],
    ['a member of that name', 'client/a.ts', 'const x = handlers.fetch(effect)'],
    ['an ArrayBuffer', 'base/a.ts', 'new ArrayBuffer(8)'],
    ['a text that looks like an import', 'path/a.ts', 'export const x = "from \'node:fs\'"'],
    ['Array.from', 'path/a.ts', "Array.from('node:fs')"],
  ])('%s', (_what, path, source) => {
    expect(layerFindings(path, source)).toEqual([])
  })
})

describe('the citation rule', () => {
  test.each([
    'RFC 5280',
    'RFC5280 §4.1',
    'RFC 5280, section 6',
    'RFC 5280\n * §4.1',
    'RFC 5280 4.1',
    'RFC4514',
    'RFC 4514 2.4',
    'RFC 4514, section 2',
  ])('finds %j', (text) => {
    expect(citationFindings(`/** See ${text}. */`)).toHaveLength(1)
  })
  test.each([
    'RFC 5280 §6.1.3 (a)(1)',
    'RFC 4514 §2',
    'RFC 5280 §A.1',
    "profile: 'rfc5280'",
    'text as in RFC 4514',
    "kind: 'RFC822'",
  ])('lets %j pass', (text) => {
    expect(citationFindings(`/** See ${text}. */`)).toEqual([])
  })
})
