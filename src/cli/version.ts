/** The version of this package. @module */

import { readFileSync } from 'node:fs'

/** As package.json has it: beside the built program, or two folders above this source. */
export function packageVersion(): string {
  for (const path of ['../package.json', '../../package.json']) {
    const { name, version } = readPackage(new URL(path, import.meta.url))
    if (name === 'mtls-policy' && version !== undefined) return version
  }
  return 'unknown'
}

function readPackage(file: URL): { readonly name?: string; readonly version?: string } {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) return {}
    throw error
  }
}
