/** The stores that every test of the store runs over. @module */
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type PostgresServer, startPostgres } from '../postgres.ts'

export interface TestedStore {
  readonly kind: 'sqlite' | 'postgres'
  /** Whether it cannot run here; why was said on standard error. */
  readonly missing: boolean
  /** The URL of a store that nobody has opened yet. */
  readonly createUrl: () => Promise<string>
}

export interface TestedStores {
  readonly stores: readonly TestedStore[]
  readonly postgres: PostgresServer | undefined
  /** A folder for what the tests write. */
  readonly folder: string
  readonly remove: () => Promise<void>
}

/** @param what - Is said to be skipped where PostgreSQL is missing. */
export async function startStores(what: string): Promise<TestedStores> {
  const folder = await mkdtemp(join(tmpdir(), 'mtls-policy-store-'))
  const postgres = await startPostgres(what)
  let files = 0
  return {
    folder,
    postgres,
    stores: [
      {
        kind: 'sqlite',
        missing: false,
        createUrl: async () => `file:${join(folder, `store-${++files}`, 'store.sqlite')}`,
      },
      {
        kind: 'postgres',
        missing: postgres === undefined,
        createUrl: async () => (await postgres?.createDatabase()) ?? '',
      },
    ],
    async remove() {
      await postgres?.remove()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/**
 * Bundles a program beside this file as the package itself is bundled: one file, packages outside, no other file of ours to start.
 *
 * @returns The file to run.
 */
export async function bundleProgram(name: string, folder: string): Promise<string> {
  const root = fileURLToPath(new URL('../../../', import.meta.url))
  const file = join(folder, `${name}.mjs`)
  await build({
    entryPoints: [fileURLToPath(new URL(`./${name}.ts`, import.meta.url))],
    outfile: file,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2023',
    packages: 'external',
    logLevel: 'warning',
  })
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir').catch((error) => {
    if (error.code !== 'EEXIST') throw error
  })
  return file
}
