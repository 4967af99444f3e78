import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type ServerOptions } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseIssuerAcl } from '../../src/acl/index.ts'
import { writeDemoPki } from '../../src/cli/demo-pki.ts'
import { isServer, runExample } from './examples.ts'
import { blocksOf, pages, readPage, sectionOf } from './markdown.ts'
import { ask } from './tls-client.ts'

/** Pages whose blocks follow on each other. */
const continued: readonly string[] = ['docs/testing.md']
const runnable = /^(?:js|ts|javascript|typescript)$/

const programs = pages.flatMap((page) => {
  const blocks = blocksOf(readPage(page)).filter(({ language }) => runnable.test(language))
  if (continued.includes(page)) {
    return [{ page, line: 1, code: blocks.map(({ code }) => code).join('\n') }]
  }
  return blocks
    .filter(({ code }) => !code.includes('createServer(') && !isServer(code))
    .map((one) => ({ page, ...one }))
})

test.each(programs)('the example in $page, line $line, prints what it says', async ({ code }) => {
  expect(await runExample(code)).toEqual(promisedBy(code))
})

describe('the first example of the README', () => {
  const readme = readPage('README.md')
  const section = sectionOf(readme, '## Ten lines that work')
  const blocks = blocksOf(section)
  const before = process.cwd()
  const folder = mkdtempSync(join(tmpdir(), 'mtls-policy-readme-'))
  beforeAll(async () => {
    await writeDemoPki(folder, new Date(), { organization: 'Example', key: 'P-256' }, false)
    process.chdir(folder)
  })
  afterAll(() => {
    process.chdir(before)
    rmSync(folder, { recursive: true })
  })

  test('answers and prints as shown', async () => {
    const [, program, session, log] = blocks
    const servers: Server[] = []
    type Handler = NonNullable<Parameters<typeof createServer>[1]>
    const https = {
      createServer: (options: ServerOptions, handler: Handler) => {
        const server = createServer(options, handler)
        servers.push(server)
        return { listen: () => server.listen(0, '127.0.0.1') }
      },
    }
    const printed: string[] = []
    await runExample(
      program?.code ?? '',
      { console: { log: (line: string) => printed.push(line) } },
      {
        'node:https': async () => https,
      },
    )
    const [server] = servers as [Server]
    if (!server.listening) await once(server, 'listening')
    try {
      const shown = session?.code.trimEnd().split('\n') ?? []
      expect(shown.length).toBeGreaterThan(5)
      for (let i = 0; i < shown.length; i += 2) {
        expect(await ask(server, shown[i] as string)).toBe(`${shown[i + 1]}\n`)
      }
    } finally {
      server.close()
    }
    expect(printed.map(withoutTime)).toEqual(log?.code.trimEnd().split('\n').map(withoutTime))
  })
})

test('the example of an ACL is one', () => {
  const [grammar, example] = blocksOf(sectionOf(readPage('README.md'), '## ACLs'))
  expect(parseIssuerAcl(example?.code ?? '').entries).toHaveLength(4)
  for (const word of ['at', 'under', 'expires', 'note'])
    expect(grammar?.code).toContain(`[${word} `)
})

/** What stands as a comment behind `console.log(…)` or below it. */
function promisedBy(code: string): readonly string[] {
  return [...code.matchAll(/console\.log\(.*\)(?: \/\/ |\n\s*\/\/ )(.*)$/gm)].map(
    ([, text = '']) => text,
  )
}

function withoutTime(line: string): string {
  return line.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/, 'TIME')
}
