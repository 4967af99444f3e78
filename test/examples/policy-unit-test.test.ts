/** The unit test of policies as a reader runs it: it prints what its page shows, and fails once a policy lets others in. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import { blocksOf } from '../docs/markdown.ts'
import { Desk, isBuilt, root } from './shown.ts'

const file = (name: string) => readFileSync(join(root, 'examples/policy-unit-test', name), 'utf8')
const documents = file('policies.json')
const [passing = '', enforced = '', misspelt = ''] = blocksOf(file('README.md'))
  .filter(({ language }) => language === 'console')
  .map(({ code }) => code)

describe.runIf(isBuilt())('policy-unit-test', () => {
  test('passes and prints as its page shows', async () => {
    const desk = await deskWith(documents)
    expect(withoutTimes(await desk.replay(passing))).toBe(withoutTimes(passing))
  })

  test.each([
    ['"mode": "report"', '"mode": "enforce"', enforced],
    ['"validateCertificate"', '"validateCertificat"', misspelt],
  ])('fails as its page shows with %s changed to %s', async (before, after, shown) => {
    expect(shown).toContain('\n')
    const desk = await deskWith(changed(before, after))
    expect(await desk.replay(shown)).toBe(shown)
  })

  test.each<[string, string, string, readonly number[]]>([
    ['nothing is asked', '"active": true', '"active": false', [2, 3, 4, 5, 6, 13]],
    [
      'nothing is validated',
      '"validateCertificate": true',
      '"validateCertificate": false',
      [3, 4, 6, 13],
    ],
    ['no ACL is asked', '"validateACLForIssuer": true', '"validateACLForIssuer": false', [5, 6]],
    ['a SPIFFE id is not enough', 'example.org/*', 'example.org/shop', [12]],
    ['anybody asks for money', 'OU=Billing', 'O=Example', [8, 9]],
    ['the endpoint has another path', '/{id}/refund', '/refund', [8, 9]],
    ['the endpoint has another method', '"POST"', '"PUT"', [8, 9]],
    [
      'errors are about the ACL as well',
      '"validateACLForIssuer": false',
      '"validateACLForIssuer": true',
      [14],
    ],
  ])('fails where %s', async (_, before, after, failing) => {
    const desk = await deskWith(changed(before, after))
    const printed = await desk.replay('$ node --test --test-reporter tap')
    const failed = [...printed.matchAll(/^not ok (\d+) /gm)].map(([, number]) => Number(number))
    expect(failed).toEqual(failing)
  })
})

/** The example's files, and the package, beside these documents. */
async function deskWith(policies: string): Promise<Desk> {
  const desk = await Desk.open()
  await desk.link()
  await desk.write('policies.test.mjs', file('policies.test.mjs'))
  await desk.write('policies.json', policies)
  return desk
}

/** The documents with the first such part in another way. */
function changed(before: string, after: string): string {
  expect(documents).toContain(before)
  return documents.replace(before, after)
}

function withoutTimes(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/ \([\d.]+ms\)$/gm, ' (ms)')
    .replace(/^(ℹ duration_ms) [\d.]+$/m, '$1')
}
