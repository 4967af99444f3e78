/**
 * What the repository and the package promise: nothing of one machine or one registry in any file, and entry points
 * that are all built.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { entries } from '../scripts/build.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (file: string) => readFileSync(`${root}/${file}`, 'utf8')
const manifest = JSON.parse(read('package.json')) as {
  readonly version: string
  readonly bin: { readonly [name: string]: string }
  readonly exports: { readonly [name: string]: string | { readonly [condition: string]: string } }
}
interface Locked {
  readonly version: string
  readonly resolved?: string
  readonly optionalDependencies?: { readonly [name: string]: string }
}
const lock = JSON.parse(read('package-lock.json')) as {
  readonly packages: { readonly [path: string]: Locked }
}

describe('the lock file', () => {
  test('names packages and versions, never where to download them', () => {
    const addressed = Object.entries(lock.packages).filter(([, { resolved }]) => resolved)
    expect(addressed).toEqual([])
    expect(read('package-lock.json')).not.toMatch(/"resolved"|registry\./u)
  })
  test('knows every platform of a package, without which npm ci refuses it', () => {
    const absent = Object.entries(lock.packages).flatMap(([path, { optionalDependencies }]) =>
      Object.keys(optionalDependencies ?? {})
        .filter((name) => !lock.packages[`node_modules/${name}`])
        .filter((name) => !lock.packages[`${path}/node_modules/${name}`])
        .map((name) => `${path}: ${name}`),
    )
    expect(absent).toEqual([])
  })
})

describe.runIf(existsSync(`${root}/.git`))('tracked files', () => {
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
    .split('\0')
    .filter((file) => file !== '' && existsSync(`${root}/${file}`))
  const findings = (pattern: RegExp) =>
    tracked.flatMap((file) =>
      read(file)
        .split('\n')
        .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}`] : [])),
    )

  test('name no folder of one machine', () => {
    expect(findings(/(?:^|[^A-Za-z0-9])\/(?:work|farm|root|home|Users)\/[a-z]/u)).toEqual([])
  })
  test('name no package registry', () => {
    expect(findings(/registry\.(?:npmjs|yarnpkg|npmmirror)|npm\.pkg\.github/u)).toEqual([])
  })
  test('are at most 5 MB each', () => {
    expect(tracked.filter((file) => statSync(`${root}/${file}`).size > 5e6)).toEqual([])
  })
})

describe('the package', () => {
  const targets = [
    ...Object.values(manifest.exports).flatMap((target) =>
      typeof target === 'string' ? [] : Object.values(target),
    ),
    ...Object.values(manifest.bin).map((file) => `./${file}`),
  ]
  test('exports files that the build writes, and nothing that is built stays behind', () => {
    const scripts = new Set(targets.filter((target) => target.endsWith('.js')))
    // What the command line loads by itself, and nobody imports.
    scripts.add('./dist/server.js')
    expect([...scripts].sort()).toEqual(
      Object.keys(entries)
        .map((name) => `./dist/${name}.js`)
        .sort(),
    )
  })
  test.skipIf(process.platform === 'win32')('builds what any user of the machine may read', () => {
    const { mode } = statSync(`${root}/dist`)
    expect((mode & 0o755).toString(8)).toBe('755')
  })

  test('has a source for every entry point, which a build alone would leave out', () => {
    expect(Object.values(entries).filter((source) => !existsSync(`${root}/${source}`))).toEqual([])
  })
  test('has declarations for the source of every export', () => {
    const declared = targets.filter((target) => target.endsWith('.d.ts'))
    const sources = Object.values(entries).map((source) =>
      source.replace('src/', './dist/types/').replace(/\.ts$/u, '.d.ts'),
    )
    for (const target of declared) expect(sources).toContain(target)
  })
  test('names types first, because the first condition that fits wins', () => {
    for (const target of Object.values(manifest.exports)) {
      if (typeof target !== 'string') expect(Object.keys(target)[0]).toBe('types')
    }
  })
  test('has its version in the changelog', () => {
    expect(read('CHANGELOG.md')).toContain(`## [${manifest.version}]`)
  })
})
