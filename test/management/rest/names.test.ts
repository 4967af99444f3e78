/** Names that may be given: two that look alike are one, and none stands for all of them. */

import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { namePattern } from '../../../src/deployment/fields.ts'
import { isNewName } from '../../../src/management/service/names.ts'
import { makeProject, refusal, useManager } from './support.ts'

const manager = useManager()

beforeAll(async () => {
  await makeProject(manager.client)
})

const bad = [
  ['*, which stands for all', '*'],
  ['NFD', 'e\u0301tat'],
  ['a space that does not break', 'a\u00a0b'],
  ['an ideographic space', 'a\u3000b'],
  ['a line separator', 'a\u2028b'],
  ['a space at its start', ' a'],
  ['a space at its end', 'a '],
  ['a space alone', ' '],
  ['a space of no width', 'a\u200bb'],
  ['a direction mark', '\u202eab'],
  ['a control character', 'a\tb'],
  ['a private character', 'a\ue000'],
  ['256 characters', 'x'.repeat(256)],
  ['a token in it', `mtlsp_${'a'.repeat(43)}`],
] as const

describe('a name with', () => {
  test.each(bad)('%s is none, whatever it names', async (_what, name) => {
    const { project, environments, tokens } = manager.client
    const { apiProxy } = project('MyProject')
    const at = `/${encodeURIComponent(name)}/`
    const upstream = { url: 'http://127.0.0.1:1' }
    const policy = {
      operationMetadata: { targetScope: 'ALL', targetPipeline: 'REQUEST' },
      policy: { type: 'policy-auth-mtls' },
    }
    const file = { version: 1, project: {}, settings: {}, apiProxies: [] }
    for (const [path, body, parameter] of [
      [`/apiops/projects${at}`, {}, 'projectName'],
      [`/apiops/projects${at}import/`, file, 'projectName'],
      [`/apiops/environments${at}`, {}, 'environmentName'],
      [`/apiops/tokens${at}`, { rights: [{ right: 'admin' }] }, 'tokenName'],
      [`/apiops/projects/MyProject/apiProxies${at}`, { upstream }, 'apiProxyName'],
      [`/apiops/projects/MyProject/apiProxies/MyAPI/policies${at}`, policy, 'policyName'],
    ] as const) {
      const { status, body: answer } = await manager.send('POST', path, { body })
      expect([path, status, answer.error?.code]).toEqual([path, 422, 'invalid'])
      expect(answer.error?.details?.map((one) => one.path)).toEqual([parameter])
    }
    await expect(
      manager.management.createToken(name, { rights: [{ right: 'admin' }] }),
    ).rejects.toMatchObject({ code: 'invalid', status: 422 })
    expect((await environments.list()).items).toEqual([{ name: 'production' }])
    expect((await tokens.list()).items).toHaveLength(1)
    expect((await apiProxy('MyAPI').policies.list()).requestPolicyList).toEqual([])
  })

  test.each([
    'a b',
    'été',
    '日本語',
    '🔐',
    'a*',
    '**',
    '*.example',
    "'; --",
    '...',
    'x'.repeat(255),
  ])('nothing of that is one: %s', async (name) => {
    await manager.client.environments.create(name)
    await manager.client.environments.delete(name)
  })
})

test('a right for * is for every project; none can be meant by it alone', async () => {
  const every = await manager.clientWith('every', [{ right: 'write', project: '*' }])
  expect(await refusal(every.project('*').create())).toEqual({
    status: 422,
    code: 'invalid',
    paths: ['projectName'],
  })
  await every.project('By right').create()
})

test('what was named before there was this rule can still be read and deleted', async () => {
  const row = { id: crypto.randomUUID(), name: '*', description: '', version: 1 }
  await manager.store.db.insertInto('projects').values(row).execute()
  const old = manager.client.project('*')
  expect((await old.read()).value.name).toBe('*')
  await old.delete()
  expect(await refusal(old.read())).toMatchObject({ code: 'project-not-found' })
})

test('every new name can be looked up, and is the only one of its look', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 20 }), (text) => {
      if (!isNewName(text)) return
      expect(namePattern.test(text)).toBe(true)
      expect(text).toBe(text.normalize('NFC').trim())
    }),
  )
})
