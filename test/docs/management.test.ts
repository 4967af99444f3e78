/** The page of the management API, entered in one shell after the other against a manager. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeDemoPki } from '../../src/cli/demo-pki.ts'
import {
  createManagement,
  generateSigningKey,
  openStore,
  serveManagement,
} from '../../src/management/index.ts'
import { hasCurl } from '../examples/shown.ts'
import { type Block, blocksOf, readPage } from './markdown.ts'
import { enter } from './shell.ts'

const page = readPage('docs/management.md')
const [start, setUp, ...blocks] = blocksOf(page).filter(({ language }) =>
  /^(?:sh|json)$/.test(language),
)
/** Each with the answer that stands below it, if there is one. */
const steps = blocks.flatMap((block, index) => {
  if (block.language !== 'sh') return []
  const next = blocks[index + 1]
  return [{ block, line: block.line, answer: next?.language === 'json' ? next : undefined }]
})

describe.runIf(hasCurl())('docs/management.md', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mtls-policy-api-'))
  const ends: (() => Promise<unknown>)[] = []
  let variables = ''

  beforeAll(async () => {
    await writeDemoPki(
      join(folder, 'demo-pki'),
      new Date(),
      { organization: 'Example', key: 'P-256' },
      false,
    )
    const store = await openStore({ url: `file:${join(folder, 'store.sqlite')}` })
    const management = await createManagement({ store, signingKey: generateSigningKey() })
    const { token } = await management.createToken('admin', { rights: [{ right: 'admin' }] })
    writeFileSync(join(folder, 'admin-token'), `${token}\n`)
    const server = await serveManagement({ management, host: '127.0.0.1', port: 0 })
    ends.push(
      () => server.close(),
      () => management.close(),
      () => store.close(),
    )
    variables = (setUp as Block).code.replace(/^URL=.*$/m, `URL=${server.url}`)
  })
  afterAll(async () => {
    for (const end of ends) await end()
    rmSync(folder, { recursive: true })
  })

  test('begins with the commands that start a manager', () => {
    expect(start?.code).toMatch(/^npx mtls-policy pki demo-pki\nnpx mtls-policy manager /)
    expect(variables).not.toBe(setUp?.code)
    expect(steps.filter(({ answer }) => answer !== undefined).length).toBeGreaterThan(15)
  })

  test.each(steps)('line $line is answered as shown', async ({ block, answer }) => {
    const printed = await enter(`${variables}\n${block.code}`, folder)
    if (answer === undefined) {
      expect(printed).not.toContain('"success":false')
      return
    }
    const actual: unknown = JSON.parse(printed)
    expect(shownAs(actual, JSON.parse(answer.code))).toEqual(JSON.parse(answer.code))
  })
})

/** The answer with `…` where the page has it: in place of a text, or of the rest of one. */
function shownAs(actual: unknown, shown: unknown, key = ''): unknown {
  // A signature by ECDSA is an octet longer or shorter each time.
  if (key === 'octets' && typeof actual === typeof shown) return shown
  if (typeof actual === 'string' && typeof shown === 'string') {
    const parts = shown.split('…')
    const fits =
      parts.length > 1 &&
      actual.startsWith(parts[0] as string) &&
      actual.endsWith(parts.at(-1) as string)
    return fits ? shown : actual
  }
  if (Array.isArray(actual) && Array.isArray(shown)) {
    return actual.map((one, index) => shownAs(one, shown[index]))
  }
  if (isObject(actual) && isObject(shown)) {
    return Object.fromEntries(
      Object.entries(actual).map(([key, value]) => [key, shownAs(value, shown[key], key)]),
    )
  }
  return actual
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
