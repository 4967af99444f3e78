import { configDefaults, defineConfig } from 'vitest/config'

/** Folders whose lines and branches are held to a floor. */
const covered = ['der', 'x509', 'path', 'revocation', 'acl', 'client', 'policy', 'http']
const servers = ['deployment', 'management', 'gateway']

/** Many processes of the product beside each other. */
const fleet = ['test/e2e/fleet/**/*.test.ts']
/** Bounds in milliseconds or megabytes, which other tests beside them, or what counts coverage, would break. */
const timed = [
  'test/adversary/**/*.test.ts',
  'test/hostile/{bombs,mesh}.test.ts',
  'test/revocation/kill-list-validator.test.ts',
  'test/gateway/subscription/latency.test.ts',
  'test/runtime/revocation/event-loop.test.ts',
]
const all = ['test/**/*.test.ts']
const shared = {
  setupFiles: ['test/setup.ts'],
  pool: 'forks' as const,
  testTimeout: process.env.SLOW ? 600_000 : 60_000,
}
const alone = { fileParallelism: false, maxWorkers: 1 }

export default defineConfig({
  test: {
    // Stryker runs each test file by itself. What it writes into the sources it mutates breaks the rules about sources.
    ...(process.env.STRYKER_MUTATOR_WORKER
      ? { ...shared, include: all, exclude: [...configDefaults.exclude, 'test/layers.test.ts'] }
      : {
          projects: [
            {
              test: {
                ...shared,
                name: 'tests',
                include: all,
                exclude: [...configDefaults.exclude, ...fleet, ...timed],
                maxWorkers: 2,
                sequence: { groupOrder: 0 },
              },
            },
            {
              test: {
                ...shared,
                ...alone,
                name: 'fleet',
                include: fleet,
                sequence: { groupOrder: 1 },
              },
            },
            {
              test: {
                ...shared,
                ...alone,
                name: 'timed',
                include: timed,
                // Whatever else the machine does makes it slower, and nothing makes it faster: once within the bound is within it.
                retry: 2,
                sequence: { groupOrder: 2 },
              },
            },
          ],
        }),
    coverage: {
      provider: 'v8',
      include: [...covered, ...servers].map((folder) => `src/${folder}/**/*.ts`),
      reporter: ['text-summary', 'json-summary'],
      thresholds: {
        [`src/{${covered.join()}}/**`]: { lines: 97, branches: 97 },
        [`src/{${servers.join()}}/**`]: { lines: 92 },
      },
    },
  },
})
