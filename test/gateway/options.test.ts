/** What a gateway is told: half a configuration is none. */

import client from 'prom-client'
import { describe, expect, test } from 'vitest'
import { createGateway, defaultLimits, type GatewayOptions } from '../../src/gateway/index.ts'
import { readGatewayOptions } from '../../src/gateway/options.ts'

const certificate = { hosts: ['a.example', '*.b.example'], cert: '/a.pem', key: '/a.key' }
const listener = {
  host: '127.0.0.1',
  port: 0,
  clientCertificate: 'request',
  advertise: 'none',
  certificates: [certificate],
} as const

function withListener(changes: object): object {
  return { listeners: [{ ...listener, ...changes }] }
}

describe('options', () => {
  test('defaults', () => {
    const read = readGatewayOptions({ listeners: [listener] })
    expect(read.limits).toEqual(defaultLimits)
    expect([read.hooks, read.metrics, read.upstream]).toEqual([
      [],
      undefined,
      { ca: undefined, host: 'kept' },
    ])
    read.logger.info({}, 'nothing is logged')
    expect(read.logger.isLevelEnabled?.('error')).toBe(false)
  })

  test('what is given counts', () => {
    const hook = { decision: () => {} }
    const read = readGatewayOptions({
      listeners: [listener],
      hooks: hook,
      limits: { headMs: 5 },
      metrics: { client },
    })
    expect([read.hooks, read.limits.headMs]).toEqual([[hook], 5])
    expect(readGatewayOptions({ listeners: [listener], hooks: [hook, hook] }).hooks).toHaveLength(2)
  })

  test.each([
    [null, 'option-invalid', 'options'],
    [{}, 'option-missing', 'listeners'],
    [{ listeners: [] }, 'option-missing', 'listeners'],
    [{ listeners: [listener], listener }, 'option-unknown', 'listener'],
    [{ listeners: [null] }, 'option-invalid', 'listeners[0]'],
    [withListener({ host: '' }), 'option-invalid', 'listeners[0].host'],
    [withListener({ port: 65_536 }), 'option-invalid', 'listeners[0].port'],
    [withListener({ port: '443' }), 'option-invalid', 'listeners[0].port'],
    [
      withListener({ clientCertificate: 'require' }),
      'option-invalid',
      'listeners[0].clientCertificate',
    ],
    [withListener({ advertise: true }), 'option-invalid', 'listeners[0].advertise'],
    [
      withListener({ clientCertificate: 'none', advertise: 'anchors' }),
      'options-conflict',
      'listeners[0].advertise',
    ],
    [withListener({ certificates: [] }), 'option-invalid', 'listeners[0].certificates'],
    [
      withListener({ certificates: [{ ...certificate, cert: 1 }] }),
      'option-invalid',
      'listeners[0].certificates[0].cert',
    ],
    [
      withListener({ certificates: [{ ...certificate, hosts: 'a' }] }),
      'option-invalid',
      'listeners[0].certificates[0].hosts',
    ],
    [
      withListener({ certificates: [{ ...certificate, hosts: ['A'] }] }),
      'option-invalid',
      'listeners[0].certificates[0].hosts',
    ],
    [
      withListener({ certificates: [certificate, certificate] }),
      'option-invalid',
      'listeners[0].certificates[1].hosts',
    ],
    [
      withListener({ certificates: [{ ...certificate, ca: 'x' }] }),
      'option-unknown',
      'listeners[0].certificates[0].ca',
    ],
    [{ listeners: [listener], limits: { headMs: 0 } }, 'option-invalid', 'limits.headMs'],
    [{ listeners: [listener], limits: { headMs: 1.5 } }, 'option-invalid', 'limits.headMs'],
    [{ listeners: [listener], limits: { heads: 1 } }, 'option-unknown', 'limits.heads'],
    [{ listeners: [listener], upstream: { host: 'mine' } }, 'option-invalid', 'upstream.host'],
    [{ listeners: [listener], upstream: { key: 'x' } }, 'option-unknown', 'upstream.key'],
    [{ listeners: [listener], metrics: {} }, 'option-invalid', 'metrics.client'],
    [{ listeners: [listener], answer: { reason: 'all' } }, 'option-invalid', 'answer.reason'],
  ])('%j is refused: %s %s', async (options, code, option) => {
    await expect(createGateway(options as unknown as GatewayOptions)).rejects.toMatchObject({
      code,
      option,
    })
  })
})
