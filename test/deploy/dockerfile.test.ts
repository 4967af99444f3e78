import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { root } from '../docs/markdown.ts'
import { read, readDockerfile } from './support.ts'

const instructions = readDockerfile(read('Dockerfile'))
const last = Math.max(...instructions.map(({ stage }) => stage))
const of = (keyword: string, stage?: number) =>
  instructions.filter((one) => one.keyword === keyword && (stage ?? one.stage) === one.stage)
const final = instructions.filter(({ stage }) => stage === last)
const argument = of('ARG', -1)[0]?.value.split('=') ?? []

describe('deploy/Dockerfile', () => {
  test('has stages, each from a slim image of Node 22 or 24 by its tag', () => {
    expect(last).toBeGreaterThan(0)
    for (const { value } of of('FROM')) {
      const image = value.split(' ')[0]?.replace(`\${${argument[0]}}`, argument[1] ?? '')
      expect(image).toMatch(/^node:(?:22|24)(?:\.[\d.]+)?(?:-\w+)?-slim$/)
    }
  })

  test('names every stage that is copied from', () => {
    const names = of('FROM').flatMap(({ value }) => / AS (\w+)$/.exec(value)?.[1] ?? [])
    const used = of('COPY').flatMap(({ value }) => /--from=(\S+)/.exec(value)?.[1] ?? [])
    expect(names.toSorted()).toEqual([...new Set(used)].toSorted())
  })

  test('copies what is there, and what the builder is given', () => {
    const given = read('Dockerfile.dockerignore')
      .split('\n')
      .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []))
    const sources = of('COPY')
      .filter(({ value }) => !value.includes('--from='))
      .flatMap(({ value }) => value.split(' ').slice(0, -1))
    for (const source of sources) expect(existsSync(root + source), source).toBe(true)
    expect(given.toSorted()).toEqual([...new Set(sources)].toSorted())
    expect(read('Dockerfile.dockerignore')).toMatch(/^\*$/m)
  })

  test('takes nothing from the network but packages of the lock file', () => {
    expect(of('ADD')).toEqual([])
    for (const { value } of of('RUN')) {
      expect(value).not.toMatch(/curl|wget|\|\s*(?:ba|da)?sh\b|apt-get/)
    }
    const installs = of('RUN').filter(({ value }) => /\bnpm (?:ci|install)\b/.test(value))
    expect(installs.map(({ stage }) => stage)).not.toContain(last)
    for (const { stage } of installs) {
      expect(of('COPY', stage)[0]?.value).toContain('package-lock.json')
    }
  })

  test('has no build tools and no package manager in the last stage', () => {
    const removed = of('RUN', last)[0]?.value ?? ''
    for (const tool of ['/usr/local/lib/node_modules', '/usr/local/bin/npm', '/opt/yarn-*']) {
      expect(removed).toContain(tool)
    }
    const packages = of('COPY', last).find(({ value }) => value.includes('node_modules'))
    const stage = of('FROM').findIndex(({ value }) => value.endsWith(' AS packages'))
    expect(packages?.value).toContain('--from=packages')
    expect(of('RUN', stage)[0]?.value).toMatch(/--omit=dev .*--ignore-scripts/)
  })

  test('drops root before the program starts, by a number', () => {
    const order = final.map(({ keyword }) => keyword)
    expect(of('USER', last).map(({ value }) => value)).toEqual(['10001:10001'])
    expect(order.indexOf('USER')).toBeLessThan(order.indexOf('ENTRYPOINT'))
    expect(order.lastIndexOf('RUN')).toBeLessThan(order.indexOf('USER'))
    expect(order.lastIndexOf('COPY')).toBeLessThan(order.indexOf('USER'))
    expect(order.indexOf('ENTRYPOINT')).toBeLessThan(order.indexOf('CMD'))
  })

  test('writes into one folder, which belongs to that user', () => {
    expect(of('VOLUME').map(({ value }) => JSON.parse(value))).toEqual([['/var/lib/mtls-policy']])
    expect(of('RUN', last)[0]?.value).toContain('install -d -o 10001 -g 10001 -m 0700')
  })

  test('starts the built program itself, so that it gets the signal', () => {
    const [entry] = of('ENTRYPOINT')
    expect(JSON.parse(entry?.value ?? '')).toEqual(['node', '/opt/mtls-policy/dist/cli.js'])
    expect(of('WORKDIR', last)[0]?.value).toBe('/opt/mtls-policy')
    expect(of('COPY', last).map(({ value }) => value)).toContain('--from=build /build/dist ./dist')
    expect(of('STOPSIGNAL')[0]?.value).toBe('SIGTERM')
  })

  test('has no secret in it', () => {
    for (const { value } of [...of('ENV'), ...of('ARG')]) {
      expect(value).toMatch(/^(?:NODE_ENV=production|NODE=node:\S+)$/)
    }
  })

  test('asks a gateway and a manager for their health at the ports that it exposes', () => {
    const [check] = of('HEALTHCHECK')
    const words = JSON.parse(/CMD (.*)$/.exec(check?.value ?? '')?.[1] ?? '') as string[]
    expect(words.slice(0, 2)).toEqual(['node', '/opt/mtls-policy/health.mjs'])
    const exposed = of('EXPOSE')[0]?.value.split(' ') ?? []
    for (const url of words.slice(2)) expect(exposed).toContain(new URL(url).port)
  })
})
