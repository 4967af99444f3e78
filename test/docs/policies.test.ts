/** Tables of docs/policy.md, docs/middleware.md and docs/metrics.md, held against types and sources. */
import { readFileSync } from 'node:fs'
import client, { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import type { Answering } from '../../src/http/answer.ts'
import { readAnswering } from '../../src/http/answer.ts'
import type { DecisionEvent } from '../../src/http/event.ts'
import type { GuardOptions, IdentityField } from '../../src/http/index.ts'
import { prometheusHooks } from '../../src/http/metrics/prometheus.ts'
import { httpMethods } from '../../src/policy/endpoint.ts'
import type { Place, Policy, PolicyProblem, Trust } from '../../src/policy.ts'
import { parseCrls } from '../../src/revocation.ts'
import { readPage, root, rowsOf, sectionOf } from './markdown.ts'

const policy = readPage('docs/policy.md')
const middleware = readPage('docs/middleware.md')
const metrics = readPage('docs/metrics.md')

/** A name that is missing here, or one too many, does not compile. */
type Names<T extends string> = Readonly<Record<T, true>>
type KeyOf<U> = U extends unknown ? keyof U & string : never

function firstCells(text: string): readonly string[] {
  const cells = [...text.matchAll(/^\| ([^|]+) \|/gm)].map(([, cell = '']) => cell)
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name))
}

describe('docs/policy.md', () => {
  const document = sectionOf(policy, '## The document').split('\n### ')[0] ?? ''
  test('has every field of a document and of its place', () => {
    const fields: Names<KeyOf<Policy>> = {
      type: true,
      name: true,
      description: true,
      active: true,
      validateCertificate: true,
      validateACLForIssuer: true,
      mode: true,
      clientAcl: true,
    }
    const place: Names<KeyOf<Place> | 'order'> = {
      targetScope: true,
      targetEndpoint: true,
      targetEndpointHTTPMethod: true,
      order: true,
    }
    expect(rowsOf(document).map(([name]) => name)).toEqual(Object.keys({ ...fields, ...place }))
  })
  test('has every method', () => {
    const methods = rowsOf(document).find(([name]) => name === 'targetEndpointHTTPMethod')
    expect(methods?.[2]?.match(/[A-Z]{3,}/g)).toEqual([...httpMethods])
  })
  test('has every kind of problem', () => {
    const problems: Names<PolicyProblem['problem']> = {
      missing: true,
      'unknown-field': true,
      invalid: true,
      conflict: true,
      'not-unique': true,
    }
    const rows = rowsOf(sectionOf(policy, '### What is refused'))
    expect(rows.map(([name]) => name)).toEqual(Object.keys(problems))
  })
})

describe('docs/middleware.md', () => {
  test('and the README have every option', () => {
    const own: Names<Exclude<KeyOf<GuardOptions>, keyof Trust>> = {
      policy: true,
      policies: true,
      source: true,
      authority: true,
      answer: true,
      identityHeaders: true,
      hooks: true,
      cache: true,
    }
    const section = sectionOf(readPage('README.md'), '## In a server')
    const [table = ''] = section.split('All other options')
    expect(rowsOf(table).map(([name]) => name)).toEqual(Object.keys(own))
    const answer: Names<keyof Answering> = { realm: true, reason: true, change: true }
    const rows = firstCells(sectionOf(middleware, '### Answers'))
    expect(rows.filter((name) => name !== 'answer')).toEqual(
      Object.keys(answer).map((name) => (name === 'change' ? 'change(answer, decision)' : name)),
    )
    expect(Object.keys(readAnswering())).toEqual(Object.keys(answer))
  })
  test('has every value of identity headers', () => {
    const values: Names<IdentityField> = {
      subject: true,
      issuer: true,
      serialNumber: true,
      fingerprint: true,
      spkiSha256: true,
      spiffeId: true,
      dnsNames: true,
      emails: true,
      uris: true,
      certificate: true,
      chain: true,
    }
    expect(firstCells(sectionOf(middleware, '### Identity headers'))).toEqual(Object.keys(values))
  })
})

describe('docs/metrics.md', () => {
  test('has every field of the event', () => {
    const fields: Names<keyof DecisionEvent> = {
      version: true,
      type: true,
      id: true,
      time: true,
      outcome: true,
      status: true,
      code: true,
      policy: true,
      endpoint: true,
      method: true,
      target: true,
      source: true,
      isRemembered: true,
      milliseconds: true,
      wouldRefuse: true,
      details: true,
      verdict: true,
      asserted: true,
      error: true,
    }
    const rows = rowsOf(sectionOf(metrics, '## The event'))
    expect(rows.map(([name]) => name)).toEqual(Object.keys(fields))
  })
  test('has every metric of Prometheus with its kind and labels', () => {
    const register = new Registry()
    prometheusHooks({ client, register, revocation: parseCrls([]) })
    const shown = rowsOf(sectionOf(metrics, '## Prometheus').split('\n### ')[0] ?? '')
      .filter(([name]) => name?.startsWith('mtls_policy_'))
      .map(([name, kind, labels = '']) => {
        const [before = ''] = labels.split(':')
        return [name, kind, [...before.matchAll(/`(\w+)`/g)].map(([, label]) => label)]
      })
    const made = register.getMetricsAsArray().map((metric) => {
      const kind = metric.constructor.name.toLowerCase()
      return [Reflect.get(metric, 'name'), kind, Reflect.get(metric, 'labelNames')]
    })
    expect(shown).toEqual(made)
  })
  test('names no other metric in its rules', () => {
    const names = new Set(
      metrics.match(/mtls_policy_[a-z_]+(?=\{|\[|\)| - )/g)?.map((name) => `| \`${name}\` |`),
    )
    expect(names.size).toBeGreaterThan(3)
    for (const name of names) expect(metrics).toContain(name)
  })
  test('has every name that OpenTelemetry is told', () => {
    const source = readFileSync(`${root}src/http/metrics/opentelemetry.ts`, 'utf8')
    const told = source.match(/(?<=')(?:mtls_policy\.|http\.)[\w.]+(?=')/g) ?? []
    const section = sectionOf(metrics, '## OpenTelemetry')
    const shown = section.replaceAll('`, `.', '`, `mtls_policy.')
    expect(told.length).toBeGreaterThan(15)
    for (const name of new Set(told)) expect(shown).toContain(`\`${name}\``)
  })
})
