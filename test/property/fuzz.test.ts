import { describe, expect, test } from 'vitest'
import { failureCodes } from '../../src/client/failure.ts'
import { validateSteps } from '../../src/client/validate.ts'
import { runSync } from '../../src/effect/effect.ts'
import { nodeHandlers } from '../../src/runtime/node.ts'
import { testTime } from '../../src/testing/index.ts'
import { Random } from './fuzz/random.ts'
import { type ProvokedCode, recipes, withoutRecipe } from './fuzz/recipes.ts'
import { runFuzz } from './fuzz/run.ts'
import { settings } from './fuzz/settings.ts'

const count = process.env.SLOW === '1' ? 200_000 : 20_000

describe(`${count} random and mutated inputs`, async () => {
  const report = await runFuzz(count, 20_261_123)

  test('nothing throws', () => {
    expect(report.thrown).toEqual([])
  })

  test('nothing is accepted whose signed content changed without the key of its issuer', () => {
    expect(report.forged).toEqual([])
    expect(report.accepted).toBeGreaterThan(count / 100)
  })

  test('at least half were signed again after the change', () => {
    expect(report.resigned).toBeGreaterThan(count / 2)
  })

  test('every failure code that input can cause shows up', () => {
    const least = count / 2_000
    const rare = Object.keys(recipes).filter((code) => (report.histogram.get(code) ?? 0) < least)
    expect(rare).toEqual([])
  })
})

test('every published failure code has a recipe, or a reason why octets cannot cause it', () => {
  const known = [...Object.keys(recipes), ...Object.keys(withoutRecipe)]
  expect(failureCodes().filter((code) => !known.includes(code))).toEqual([])
})

test.each(
  (Object.keys(recipes) as ProvokedCode[]).filter((code) => code !== 'certificate-too-large'),
)('a recipe for %s is refused with that code', (code) => {
  const handlers = nodeHandlers()
  for (let seed = 1; seed <= 3; seed++) {
    const { presented, setting } = recipes[code](new Random(seed))
    const verdict = runSync(validateSteps(presented, settings[setting], testTime), handlers)
    expect(verdict.ok ? 'accepted' : verdict.failure.code).toBe(code)
  }
})
