/**
 * Rewrites the package.json of the folder it runs in to what a server needs: the optional peers of the manager and the
 * gateway become dependencies, what only a clone needs goes. `npm install` beside the lock file then takes the very
 * versions that the tests ran with.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** What src/management and src/gateway import, and zod, which @hono/zod-openapi wants beside it; a test compares. */
export const serverPackages = [
  '@hono/node-server',
  '@hono/zod-openapi',
  'hono',
  'kysely',
  'libsql',
  'pg',
  'pino',
  'prom-client',
  'zod',
]

/**
 * @param {Record<string, any>} manifest
 * @returns {Record<string, any>}
 */
export function serverManifest(manifest) {
  const {
    devDependencies,
    peerDependencies,
    peerDependenciesMeta: _,
    scripts: __,
    ...rest
  } = manifest
  const ranges = { ...devDependencies, ...peerDependencies }
  const missing = serverPackages.filter((name) => ranges[name] === undefined)
  if (missing.length > 0) throw new Error(`package.json does not name ${missing.join(', ')}`)
  const added = Object.fromEntries(serverPackages.map((name) => [name, ranges[name]]))
  return { ...rest, dependencies: { ...rest.dependencies, ...added } }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const manifest = serverManifest(JSON.parse(readFileSync('package.json', 'utf8')))
  writeFileSync('package.json', `${JSON.stringify(manifest, null, 2)}\n`)
}
