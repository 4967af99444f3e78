/** Writes docs/openapi.json from the routes: `npx tsx scripts/openapi.ts`. A test holds the file against what is served. */

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { managementOpenApi } from '../src/management/index.ts'

const file = new URL('../docs/openapi.json', import.meta.url)
writeFileSync(file, `${JSON.stringify(managementOpenApi(), null, 2)}\n`)
execFileSync('npx', ['biome', 'format', '--write', fileURLToPath(file)], { stdio: 'inherit' })
