/** Bundles what is measured as the package's build does, into a folder of the system's temporary one. @module */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

export type Subject = typeof import('./subject.ts')

/** @returns The module, loaded; the folder is gone when it returns. */
export async function loadSubject(): Promise<Subject> {
  const folder = await mkdtemp(join(tmpdir(), 'mtls-policy-bench-'))
  try {
    const outfile = join(folder, 'subject.mjs')
    await build({
      entryPoints: [fileURLToPath(new URL('subject.ts', import.meta.url))],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'neutral',
      target: 'es2023',
      packages: 'external',
      legalComments: 'none',
      logLevel: 'warning',
    })
    return (await import(pathToFileURL(outfile).href)) as Subject
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
