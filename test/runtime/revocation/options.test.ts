/** Options that make no sense, and processes that are to end. */

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createRevocationSource, type RevocationSourceOptions } from '../../../src/revocation.ts'
import { respondWith, sourceWith } from './support.ts'

describe('misuse', () => {
  test.each([
    [{ crl: {} }, { code: 'option-unknown', option: 'crl' }],
    [{ crls: { url: [] } }, { code: 'option-unknown', option: 'crls.url' }],
    [{ crls: [] }, { code: 'option-invalid', option: 'crls' }],
    [{ crls: null }, { code: 'option-invalid', option: 'crls' }],
    [{ crls: { urls: ['ldap://a.example'] } }, { code: 'option-invalid', option: 'crls.urls' }],
    [{ crls: { urls: ['http://a:b@c.example'] } }, { code: 'option-invalid', option: 'crls.urls' }],
    [{ crls: { urls: 'http://a.example' } }, { code: 'option-invalid', option: 'crls.urls' }],
    [{ crls: { files: [''] } }, { code: 'option-invalid', option: 'crls.files' }],
    [
      { crls: { distributionPoints: 'yes' } },
      { code: 'option-invalid', option: 'crls.distributionPoints' },
    ],
    [{ crls: { maxLearned: 0 } }, { code: 'option-invalid', option: 'crls.maxLearned' }],
    [{ ocsp: {} }, { code: 'option-missing', option: 'ocsp.responder' }],
    [{ ocsp: { responder: 'mailto:a' } }, { code: 'option-invalid', option: 'ocsp.responder' }],
    [
      { ocsp: { responder: 'aia', method: 'get' } },
      { code: 'option-invalid', option: 'ocsp.method' },
    ],
    [{ ocsp: { responder: 'aia', nonce: true } }, { code: 'option-invalid', option: 'ocsp.nonce' }],
    [{ ocsp: { responder: 'aia', hash: 'MD5' } }, { code: 'option-invalid', option: 'ocsp.hash' }],
    [{ signers: ['ca.pem'] }, { code: 'option-invalid', option: 'signers' }],
    [{ timeout: 0 }, { code: 'option-invalid', option: 'timeout' }],
    [{ timeout: 2 ** 31 }, { code: 'option-invalid', option: 'timeout' }],
    [{ timeout: 1.5 }, { code: 'option-invalid', option: 'timeout' }],
    [{ maxBytes: 2 ** 30 }, { code: 'option-invalid', option: 'maxBytes' }],
    [{ maxConcurrent: -1 }, { code: 'option-invalid', option: 'maxConcurrent' }],
    [{ cacheFolder: '' }, { code: 'option-invalid', option: 'cacheFolder' }],
    [{ refresh: { fraction: 1 } }, { code: 'option-invalid', option: 'refresh.fraction' }],
    [{ refresh: { every: 1 } }, { code: 'option-unknown', option: 'refresh.every' }],
    [{ refresh: { maximum: 0 } }, { code: 'option-invalid', option: 'refresh.maximum' }],
    [{ retry: { maximum: 0 } }, { code: 'option-invalid', option: 'retry.maximum' }],
    [{ retry: { first: Number.NaN } }, { code: 'option-invalid', option: 'retry.first' }],
    [{ allowAddresses: ['10.0.0.0/40'] }, { code: 'option-invalid', option: 'allowAddresses' }],
  ])('%j is refused', (options, misuse) => {
    expect(() => createRevocationSource(options as RevocationSourceOptions)).toThrow(
      expect.objectContaining({ name: 'TypeError', ...misuse }),
    )
  })
})

test('a source that is told nothing has nothing, and says so', async () => {
  const source = sourceWith({})
  await source.ready()
  expect([source.epoch, source.crls.lists, source.responses.responses]).toEqual([0, [], []])
  expect(source.status()).toEqual([])
})

test('a source may be closed twice, and at once', async () => {
  const responder = await respondWith({})
  const source = sourceWith({ crls: { urls: [responder.url('/a'), responder.url('/b')] } })
  await Promise.all([source.close(), source.close(), source[Symbol.asyncDispose]()])
  await source.ready()
})

test('neither timers nor watchers keep a process alive', async () => {
  const program = fileURLToPath(new URL('left-open.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program], {
    timeout: 20_000,
  })
  expect(JSON.parse(stdout)).toEqual({ lists: 1, failures: 1 })
})
