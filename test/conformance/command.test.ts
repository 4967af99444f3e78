import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { issueCa, testTime } from '../../src/testing/index.ts'
import { command, type Surroundings } from './command.ts'
import { showProgress } from './progress.ts'
import { isRelaxed, unusedRelaxations } from './relaxations.ts'
import type { Report } from './runner.ts'

const folder = mkdtempSync(join(tmpdir(), 'command-'))
afterAll(() => rmSync(folder, { recursive: true }))

const root = await issueCa('Root CA')
const client = await root.issue('client-a')

function limboCase(id: string, expected: 'SUCCESS' | 'FAILURE', peer = client.pem): object {
  return {
    id,
    validation_kind: 'CLIENT',
    trusted_certs: [root.pem],
    untrusted_intermediates: [],
    peer_certificate: peer,
    validation_time: new Date(testTime * 1000).toISOString(),
    expected_result: expected,
    expected_peer_name: null,
    expected_peer_names: [],
    max_chain_depth: null,
    crls: [],
  }
}

async function run(args: readonly string[], around: Partial<Surroundings> = {}) {
  const out: string[] = []
  const error: string[] = []
  const code = await command(args, {
    out: (line) => out.push(line),
    error: (line) => error.push(line),
    corpora: new URL('missing/', pathToFileURL(`${folder}/`)),
    ci: false,
    ...around,
  })
  return { code, out, error }
}

function write(name: string, ...testcases: readonly object[]): string {
  const file = join(folder, name)
  writeFileSync(file, JSON.stringify({ version: 1, testcases }))
  return file
}

describe('one file', () => {
  test('whatever its name, the result is the last line, and agreement is exit code 0', async () => {
    const file = write('renamed.json', limboCase('a', 'SUCCESS'), limboCase('b', 'FAILURE', 'none'))
    const { code, out, error } = await run(['--file', file, '--json'])
    expect({ code, error }).toEqual({ code: 0, error: [] })
    expect(JSON.parse(out.at(-1) ?? '')).toMatchObject({
      file,
      cases: 2,
      agree: 2,
      disagree: [],
      skipped: [],
      seconds: expect.any(Number),
      default: { relaxed: [], disagree: [] },
    })
  })

  test('a disagreement that is not listed is exit code 1', async () => {
    const file = write('wrong.json', limboCase('a', 'FAILURE'))
    const { code, out, error } = await run(['--file', file, '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(out.at(-1) ?? '')).toMatchObject({ disagree: ['a'] })
    expect(error).toEqual([expect.stringContaining('disagrees a')])
  })

  test('without --json there is a table', async () => {
    const { out } = await run(['--file', write('table.json', limboCase('a', 'SUCCESS'))])
    expect(out.join('\n')).toMatch(/^suite.*\nlimbo \(rfc5280\) +sync +1 +1 +0 +0/)
  })

  test.each([
    ['a file that is not there', ['--file', join(folder, 'none.json')]],
    ['--json without a file', ['--json']],
    ['an unknown option', ['--fast']],
  ])('%s is exit code 2, with the usage', async (_, args) => {
    const { code, out, error } = await run(args)
    expect({ code, out }).toEqual({ code: 2, out: [] })
    expect(error.at(-1)).toMatch(/^usage/)
  })
})

describe('all corpora', () => {
  test('without them, a clone skips with a line and continuous integration fails', async () => {
    expect(await run([])).toMatchObject({ code: 0, out: [expect.stringContaining('skipped')] })
    expect(await run([], { ci: true })).toMatchObject({ code: 1, out: [] })
  })
})

describe('progress', () => {
  test('is one line that goes away', () => {
    const written: string[] = []
    const show = showProgress({ write: (text) => written.push(text) })('limbo')
    for (let done = 1; done <= 100; done++) show('rfc5280', 'sync', done, 100)
    expect(written[0]).toContain('limbo  rfc5280  sync  1 of 100')
    expect(written.at(-1)).toBe('\r\u001b[K')
    expect(written.length).toBeLessThan(10)
  })
})

describe('the relaxation table', () => {
  test('explains a refusal by its code or its case, and nothing else', () => {
    expect(isRelaxed('x', 'serial-number-zero')).toBe(true)
    expect(isRelaxed('rfc5280::serial::zero', 'other')).toBe(true)
    expect(isRelaxed('x', 'certificate-expired')).toBe(false)
    expect(isRelaxed('x', undefined)).toBe(false)
  })

  test('names cases that show something', () => {
    const report = {
      cases: [{ id: 'rfc5280::serial::zero' }, { id: 'rfc5280::serial::too-long' }],
      second: { relaxed: ['rfc5280::serial::zero'], unexplained: [] },
    } as unknown as Report
    expect(unusedRelaxations(report)).toEqual([
      expect.stringContaining('rfc5280::serial::too-long'),
    ])
    const { second, ...single } = report
    expect(second && unusedRelaxations(single as Report)).toEqual([])
  })
})
