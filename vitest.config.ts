import { defineConfig } from 'vitest/config'

/** Folders whose lines and branches are held to a floor. */
const covered = ['der', 'x509', 'path', 'revocation', 'acl', 'client', 'policy', 'http']
const servers = ['deployment', 'management', 'gateway']

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // What Stryker writes into the sources it mutates breaks the rules about sources.
    exclude: process.env.STRYKER_MUTATOR_WORKER ? ['test/layers.test.ts'] : [],
    setupFiles: ['test/setup.ts'],
    pool: 'forks',
    testTimeout: process.env.SLOW ? 600_000 : 30_000,
    coverage: {
      provider: 'v8',
      include: [...covered, ...servers].map((folder) => `src/${folder}/**/*.ts`),
      reporter: ['text', 'json-summary'],
      thresholds: {
        [`src/{${covered.join()}}/**`]: { lines: 97, branches: 97 },
        [`src/{${servers.join()}}/**`]: { lines: 92 },
      },
    },
  },
})
