/** The command line in this process, with streams that remember. @module */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { writeDemoPki } from '../../src/cli/demo-pki.ts'
import { run } from '../../src/cli/run.ts'

/** The clock of these tests. */
export const now: Date = new Date('2030-01-01T00:00:00Z')

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface Around {
  readonly cwd?: string
  readonly stdin?: Uint8Array
  readonly env?: Readonly<Record<string, string>>
  readonly terminal?: { readonly columns: number }
}

export async function cli(argv: readonly string[], around: Around = {}): Promise<Ran> {
  let out = ''
  let err = ''
  const { terminal, env = {}, stdin = new Uint8Array(), cwd = process.cwd() } = around
  const code = await run(argv, {
    stdout: {
      write: (text) => {
        out += text
      },
      isTTY: terminal !== undefined,
      columns: terminal?.columns,
    },
    stderr: {
      write: (text) => {
        err += text
      },
    },
    readStdin: async () => stdin,
    cwd,
    env,
    now: () => now,
  })
  return { code, out, err }
}

/** A folder that is gone after the tests of the file. */
export async function folderOf(files: Readonly<Record<string, string | Uint8Array>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'mtls-policy-test-'))
  afterAll(() => rm(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  return folder
}

/** A folder with the demo PKI in it. */
export async function demoFolder(): Promise<string> {
  const folder = await folderOf()
  await writeDemoPki(folder, now, { organization: 'Example', key: 'P-256' }, false)
  return folder
}
