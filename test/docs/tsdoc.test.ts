/** The examples beside the sources: every public function and class has one, and each runs. */

import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import prometheusClient from 'prom-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { canonicalJson } from '../../src/deployment/index.ts'
import {
  createManagement,
  createManagementClient,
  generateSigningKey,
  openStore,
  serveManagement,
} from '../../src/management/index.ts'
import { nodeHandlers } from '../../src/runtime/node.ts'
import { createPki, type Pki, testTime } from '../../src/testing/index.ts'
import { optionsOf } from '../path/support.ts'
import { pkcs7Of } from '../pkcs7/support.ts'
import { modules, runExample } from './examples.ts'
import { root } from './markdown.ts'

interface Example {
  readonly file: string
  /** Of the tag, from 1. */
  readonly line: number
  readonly code: string
}

const sources = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.ts') && !name.startsWith('cli/'))
  .sort()
  .map((name) => ({ file: `src/${name}`, text: readFileSync(`${root}src/${name}`, 'utf8') }))
const examples = sources.flatMap(({ file, text }) => examplesOf(file, text))

const entries = Object.keys(modules).filter((name) => name.startsWith('mtls-policy'))

test.each(entries)('every function and class of %s has an example', async (name) => {
  const entry = Object.entries((await modules[name]?.()) ?? {})
  const callable = entry.filter(([, value]) => typeof value === 'function').map(([key]) => key)
  expect(callable).not.toEqual([])
  expect(callable.flatMap((key) => withoutExample(key))).toEqual([])
})

test.each([
  ['no comment', 'export function one(): void {}'],
  ['a comment without one', '/** Text. */\nexport function one(): void {}'],
  ['the one before', '/**\n * @example\n * a()\n */\nconst a = 1\nexport class one {}'],
])('a declaration with %s has no example', (_, text) => {
  expect(withoutExample('one', [{ file: 'a.ts', text }])).toEqual(['a.ts: one'])
})

let given: Readonly<Record<string, unknown>>
let manager: Manager
beforeAll(async () => {
  manager = await startManager()
  given = { ...(await givenFor(await createPki())), ...manager.given }
})
afterAll(() => manager.end())

test.each(examples)('the example in $file, line $line, does what it says', async (example) => {
  const { file, code } = example
  // Every framework's function is called alike: the one beside the example is meant.
  const [, adapter = ''] = /^src\/http\/([\w-]+)/.exec(file) ?? []
  const own = await modules[`mtls-policy/${adapter}`]?.()
  // In a block of its own, so that it may name its constants as it likes.
  const printed = await runExample(`{\n${code}\n}`, { ...given, ...own })
  const promised = promisedBy(code)
  if (promised.length > 0) expect(printed).toEqual(promised)
})

test('what examples read is what they take it for', async () => {
  const code = `const bundle = parsePkcs7(await readFile('cas.p7b'))
console.log(bundle.ok && bundle.value.certificates.length)
console.log(parseIntermediates(await readFile('intermediates.pem')).unreadable.length)`
  expect(await runExample(code, given)).toEqual(['2', '0'])
})

/** Where `name` is declared without an example right above, or that it is declared nowhere. */
function withoutExample(name: string, files = sources): readonly string[] {
  const declaration = new RegExp(
    `^export (?:async )?(?:function\\*? |const |class )${name}(?![\\w$])`,
    'm',
  )
  const found = files.filter(({ text }) => declaration.test(text))
  if (found.length === 0) return [`${name} is declared nowhere`]
  return found.flatMap(({ file, text }) => {
    const before = text.slice(0, declaration.exec(text)?.index)
    const comment = before.endsWith('*/\n') ? before.slice(before.lastIndexOf('/**')) : ''
    return examplesOf(file, comment).length > 0 ? [] : [`${file}: ${name}`]
  })
}

interface Manager {
  readonly given: Readonly<Record<string, unknown>>
  readonly end: () => Promise<void>
}

/** A manager with one project, for the examples of those who talk to one. */
async function startManager(): Promise<Manager> {
  const folder = await mkdtemp(join(tmpdir(), 'mtls-policy-examples-'))
  const store = await openStore({ url: `file:${folder}/examples.sqlite` })
  const management = await createManagement({ store, signingKey: generateSigningKey() })
  const served = await serveManagement({ management, port: 0 })
  const { url } = served
  const { token } = await management.createToken('examples', { rights: [{ right: 'admin' }] })
  await createManagementClient({ url, token }).project('MyProject').create()
  // Who serves it in an example closes it.
  const other = await createManagement({ store, signingKey: generateSigningKey() })
  return {
    given: { canonicalJson, folder, store, management: other, url, token, fetch },
    end: async () => {
      await served.close()
      await store.close()
      await rm(folder, { recursive: true })
    },
  }
}

/** What an example hands to a framework, the framework's own tests look at. */
function ignore(): void {}

/** From the tag to the next tag or the end of the comment. */
function examplesOf(file: string, text: string): readonly Example[] {
  return [...text.matchAll(/^ *\* @example(?![\w.])(.*(?:\n *\* ?(?!@|\/).*)*)/gm)].map(
    ({ 1: lines = '', index }) => ({
      file,
      line: text.slice(0, index).split('\n').length,
      code: lines.replace(/^ *\* ?/gm, '').trim(),
    }),
  )
}

/** What stands as a comment behind `console.log(…)`. */
function promisedBy(code: string): readonly string[] {
  return [...code.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, text = '']) => text)
}

/** Names that the examples take for granted: the public ones, and those of one small PKI. */
async function givenFor(pki: Pki): Promise<Readonly<Record<string, unknown>>> {
  const { der: crl } = await pki.issuing.issueCrl()
  const loaded = await Promise.all(entries.map((name) => modules[name]?.()))
  const { root: anchor, issuing, client, anchorsPem, intermediatesPem, chainPem } = pki
  const { subject: name, subjectPublicKeyInfo } = anchor.tbsCertificate
  const files: Readonly<Record<string, string | Uint8Array>> = {
    'ca.pem': anchorsPem,
    'intermediates.pem': intermediatesPem,
    'cas.p7b': pkcs7Of([anchor.der, issuing.der]),
    'issuing-ca.crl': crl,
  }
  return {
    ...Object.assign({}, ...loaded),
    anchorsPem,
    chainPem,
    pem: chainPem,
    caPem: anchorsPem,
    der: client.der,
    certificate: client,
    trustAnchor: { name, subjectPublicKeyInfo, certificate: undefined },
    path: {
      certificates: [client, issuing],
      anchor: { name, spki: subjectPublicKeyInfo.der, certificate: anchor },
    },
    options: optionsOf({ anchors: [anchor], intermediates: [issuing] }),
    handlers: nodeHandlers(),
    time: testTime,
    client: prometheusClient,
    app: { use: ignore, get: ignore },
    fastify: { register: ignore },
    koa: { use: ignore },
    hono: { use: ignore },
    readFile: async (file: string) => {
      const content = files[file]
      if (content === undefined) throw new Error(`the example reads ${file}`)
      return content
    },
  }
}
