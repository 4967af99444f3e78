/** How large a body may be depends on what it is, and is known before it is read. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Store } from '../../../src/management/index.ts'
import { pki, startManager, type TestManager, temporaryStore } from './support.ts'

let store: Store
let manager: TestManager

beforeAll(async () => {
  store = await temporaryStore()
  manager = await startManager(store)
  await manager.client.project('MyProject').create()
})
afterAll(async () => {
  await manager.close()
  await store.close()
})

const project = '/apiops/projects/MyProject/'
const proxy = `${project}apiProxies/MyAPI/`
const mebibyte = 1_048_576
const json = 'application/json'
const pem = 'application/x-pem-file'

describe('the limit', () => {
  test.each([
    ['POST', '/apiops/tokens/a/', json, mebibyte],
    ['POST', '/apiops/environments/a/', json, mebibyte],
    ['POST', `${proxy}policies/a/`, json, mebibyte],
    ['POST', proxy, json, mebibyte],
    ['PUT', `${project}issuerAcl/`, json, mebibyte],
    ['PUT', `${project}revocation/`, json, mebibyte],
    ['POST', `${project}killList/`, json, mebibyte],
    ['PUT', `${project}trustStore/anchors/`, pem, 16 * mebibyte],
    ['PUT', `${proxy}trustStore/intermediates/`, pem, 16 * mebibyte],
    ['PUT', `${project}trustStore/`, json, 32 * mebibyte],
    ['POST', `${project}crls/`, 'application/pkix-crl', 64 * mebibyte],
    ['POST', `${project}crls/`, json, 64 * mebibyte],
    ['POST', '/apiops/projects/New/import/', json, 64 * mebibyte],
  ])('of %s %s as %s is %i octets', async (method, path, type, limit) => {
    // One that is too large by its head alone is never sent.
    const body = new Uint8Array([0x20])
    const sent = async (length: number): Promise<readonly unknown[]> => {
      const headers = { 'content-type': type, 'content-length': String(length) }
      const { status, body: answer } = await manager.send(method, path, { body, headers })
      return [status, answer.error?.code, answer.error?.message]
    }
    expect(await sent(limit + 1)).toEqual([
      413,
      'body-too-large',
      `the body has more than ${limit} octets`,
    ])
    expect((await sent(limit))[0]).not.toBe(413)
  })

  test('counts what is sent, whatever was said', async () => {
    const body = new Uint8Array(16 * mebibyte + 1)
    const { status, body: answer } = await manager.send('PUT', `${project}trustStore/anchors/`, {
      body,
      headers: { 'content-type': pem },
    })
    expect([status, answer.error?.code]).toEqual([413, 'body-too-large'])
  })
})

describe('what costs more than its octets', () => {
  test.each([
    ['one certificate 5001 times, as a file', 'anchors/', pem],
    ['one certificate 5001 times, as JSON', '', json],
  ])('%s is refused before it is parsed', async (_what, part, type) => {
    const text = (await pki).anchorsPem.repeat(5001)
    const body = type === json ? JSON.stringify({ anchors: text }) : text
    const { status, body: answer } = await manager.send('PUT', `${project}trustStore/${part}`, {
      body,
      headers: { 'content-type': type },
    })
    expect([status, answer.error?.code]).toEqual([422, 'invalid'])
    expect(answer.error?.message).toContain('at most 5000 certificates')
  })

  test('5000 are taken, each once', async () => {
    const text = (await pki).anchorsPem.repeat(5000)
    const { status, body } = await manager.send('PUT', `${project}trustStore/anchors/`, {
      body: text,
      headers: { 'content-type': pem },
    })
    expect([status, body.result?.anchors]).toMatchObject([200, { length: 1 }])
  })

  test('5001 texts of a list', async () => {
    const anchors = Array<string>(5001).fill('x')
    const { status, body } = await manager.send('PUT', `${project}trustStore/`, {
      body: { anchors },
    })
    expect([status, body.error?.details?.map(({ path }) => path)]).toEqual([422, ['anchors']])
  })

  test.each([
    ['brackets', '['.repeat(mebibyte), 400, 'body-malformed'],
    ['a million values', `{"anchors":[${'0,'.repeat(mebibyte)}0]}`, 413, 'body-too-large'],
  ])('%s', async (_what, body, status, code) => {
    const answer = await manager.send('PUT', `${project}trustStore/`, { body })
    expect([answer.status, answer.body.error?.code]).toEqual([status, code])
  })

  test('an answer about fifty thousand bad fields names a thousand', async () => {
    const body = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`f${i}`, 0]))
    const { status, body: answer } = await manager.send('POST', proxy, { body })
    expect([status, answer.error?.details?.length]).toEqual([422, 1000])
    expect(answer.error?.message).toMatch(/ and 4999\d more$/)
  })
})
