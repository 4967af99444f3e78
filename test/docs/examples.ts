/** Runs a block of a page as a reader would: a module of its own, whose imports of the package are the sources. @module */

import { transform } from 'esbuild'

/** What a block may import. */
export type Modules = Readonly<Record<string, () => Promise<object>>>

export const modules: Modules = {
  'mtls-policy': () => import('../../src/index.node.ts'),
  'mtls-policy/acl': () => import('../../src/acl/index.ts'),
  'mtls-policy/explain': () => import('../../src/explain.ts'),
  'mtls-policy/express': () => import('../../src/http/express.ts'),
  'mtls-policy/fastify': () => import('../../src/http/fastify.ts'),
  'mtls-policy/fetch': () => import('../../src/http/fetch.node.ts'),
  'mtls-policy/hono': () => import('../../src/http/hono.node.ts'),
  'mtls-policy/koa': () => import('../../src/http/koa.ts'),
  'mtls-policy/management': () => import('../../src/management/index.ts'),
  'mtls-policy/node-http': () => import('../../src/http/node-http.ts'),
  'mtls-policy/opentelemetry': () => import('../../src/http/metrics/opentelemetry.ts'),
  'mtls-policy/path': () => import('../../src/path/index.ts'),
  'mtls-policy/pkcs7': () => import('../../src/pkcs7/index.ts'),
  'mtls-policy/policy': () => import('../../src/policy.ts'),
  'mtls-policy/prometheus': () => import('../../src/http/metrics/prometheus.ts'),
  'mtls-policy/revocation': () => import('../../src/revocation.ts'),
  'mtls-policy/sources': () => import('../../src/http/sources/index.ts'),
  'mtls-policy/sync': () => import('../../src/sync.ts'),
  'mtls-policy/testing': () => import('../../src/testing/index.ts'),
  'node:assert/strict': () => import('node:assert/strict'),
  'node:fs': () => import('node:fs'),
  'prom-client': () => import('prom-client'),
}

/** Whether a block is the file of options that servers of a page share, or imports it: those need certificates beside them. */
export function isServer(code: string): boolean {
  return /^export |'\.\/options\.mjs'/m.test(code)
}

/**
 * Runs one block, or several that follow on each other.
 *
 * @param given - Names that the page takes for granted.
 * @returns Lines that it printed with `console.log`.
 */
export async function runExample(
  code: string,
  given: Readonly<Record<string, unknown>> = {},
  extra: Modules = {},
): Promise<readonly string[]> {
  const lines: string[] = []
  const console = {
    log: (...values: readonly unknown[]) => {
      lines.push(values.map(textOf).join(' '))
    },
  }
  const known: Modules = { ...modules, ...extra }
  const load = (name: string): Promise<object> => {
    const module = known[name]
    if (module === undefined) throw new Error(`the example imports ${name}`)
    return module()
  }
  const { code: plain } = await transform(code, {
    loader: 'ts',
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  })
  const body = plain.replace(
    /^import (?:(\w+)|\{([^}]*)\}) from "([^"]+)";?$/gm,
    (_, one: string | undefined, names: string | undefined, from: string) => {
      const all = one === undefined ? names?.replaceAll(' as ', ': ') : `default: ${one}`
      return `const {${all}} = await load(${JSON.stringify(from)})`
    },
  )
  const parameters = { console, load, ...given }
  const run: (...values: readonly unknown[]) => Promise<void> = new AsyncFunction(
    ...Object.keys(parameters),
    body,
  )
  await run(...Object.values(parameters))
  return lines
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const AsyncFunction = (async () => undefined).constructor as new (
  ...parametersAndBody: readonly string[]
) => (...values: readonly unknown[]) => Promise<void>
