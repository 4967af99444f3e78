/**
 * `npm run differential`: mutated chains and limbo, judged by us under the default profile and by other validators. Fails
 * where we accept what every one of them refuses, unless fixtures/differential/exceptions.json has the rule, and all of
 * them run here; lists where we refuse what every one of them accepts.
 *
 * `-- --seed N` draws other cases, `--cases N` more or fewer, `--keep FOLDER` keeps cases and verdicts, `--verbose` names
 * every case of the second list with the peers' reasons.
 *
 * @module
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { corpora } from '../test/conformance/command.ts'
import { readCorpus } from '../test/conformance/corpus.ts'
import { makeDrivers } from '../test/conformance/drivers.ts'
import { type LimboCase, limbo } from '../test/conformance/suites/limbo.ts'
import { makeCases } from './differential/cases.ts'
import {
  type Answer,
  type Comparison,
  compare,
  groupBy,
  readExceptions,
} from './differential/compare.ts'
import { askPeers, type Peer, peerNames, peersFolder } from './differential/peers.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    cases: { type: 'string', default: '2000' },
    keep: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
})

process.exitCode = existsSync(peersFolder) ? await run() : missing()

function missing(): number {
  const line = 'differential: no peers beside this repository'
  if (process.env.CI !== 'true') console.log(`${line}: skipped`)
  else console.error(line)
  return process.env.CI === 'true' ? 1 : 0
}

async function run(): Promise<number> {
  const folder = values.keep ?? mkdtempSync(join(tmpdir(), 'differential-'))
  mkdirSync(folder, { recursive: true })
  try {
    const mutated = await makeCases(Number(values.seed), Number(values.cases))
    const known = limboCases()
    const file = join(folder, 'cases.json')
    writeFileSync(file, JSON.stringify({ version: 1, testcases: [...mutated, ...known] }))
    // The peers wait for nothing; we are done long before them.
    const asked = askPeers(file, folder, (line) => console.log(line))
    const sources = [
      ['mutated', await answer(mutated)],
      ['limbo', await answer(known)],
    ] as const
    const peers = await asked
    if (peers.length === 0) {
      console.error('differential: no peer runs here')
      return process.env.CI === 'true' ? 1 : 0
    }
    return report(sources, peers)
  } finally {
    if (values.keep === undefined) rmSync(folder, { recursive: true, force: true })
  }
}

/** Without corpora there are the mutated cases; conformance says that they are missing. */
function limboCases(): readonly LimboCase[] {
  const file = new URL('limbo.json.gz', corpora)
  if (!existsSync(file)) return []
  const { testcases = [] } = readCorpus(fileURLToPath(file))
  return (testcases as unknown as readonly LimboCase[]).filter(({ crls }) => !crls?.length)
}

/** Both drivers, which must agree. */
async function answer(testcases: readonly LimboCase[]): Promise<readonly Answer[]> {
  const drivers = makeDrivers()
  const answers: Answer[] = []
  for (const one of limbo.read({ testcases: testcases as never })) {
    const [sync, async] = [
      await one.run(drivers.sync, 'interoperable'),
      await one.run(drivers.async, 'interoperable'),
    ]
    if (sync.kind !== 'answered' || async.kind !== 'answered') continue
    if (sync.actual !== async.actual || sync.code !== async.code) {
      throw new Error(
        `${one.id}: ${sync.code ?? 'accept'} by node:crypto, ${async.code ?? 'accept'} by WebCrypto`,
      )
    }
    answers.push({ id: one.id, accepted: sync.actual === 'accept', code: sync.code })
  }
  return answers
}

function report(
  sources: readonly (readonly [name: string, answers: readonly Answer[]])[],
  peers: readonly Peer[],
): number {
  const exceptions = readExceptions(
    new URL('../fixtures/differential/exceptions.json', import.meta.url),
  )
  const problems: string[] = []
  const used = new Set<string>()
  for (const [name, answers] of sources) {
    if (answers.length === 0) continue
    const families = groupBy(answers, ({ id }) => familyOf(name, id))
    const rows = [...families].map(([family, some]) => row(family, some, peers))
    console.log(`\n${name}: ${answers.length} cases`)
    console.log(
      columns([
        ['', 'accept', 'refuse', ...peers.map((peer) => `= ${peer.name}`), 'all alike'],
        ...rows,
      ]),
    )
    const comparison = compare(answers, peers, exceptions)
    for (const { id, exception } of comparison.alone) {
      if (exception) used.add(exception.id)
      else problems.push(`accepted, and every peer refuses: ${id}${reasons(id, peers)}`)
    }
    listStrict(comparison, peers)
  }
  console.log(
    `\npeers: ${peers.map(({ name, seconds }) => `${name} ${seconds.toFixed(0)} s`).join(', ')}`,
  )
  console.log(
    `accepted although every peer refuses, by a listed rule: ${used.size} of ${exceptions.length} rules`,
  )
  for (const problem of problems) console.error(problem)
  if (problems.length === 0) {
    console.log('differential: nothing is accepted that every peer refuses')
    return 0
  }
  // The exceptions are those of all peers together; a few of them agree on more.
  const all = peers.length === peerNames.length
  const found = `differential: ${problems.length} accepted that every peer refuses`
  console.log(all ? found : `${found}, which is no failure while a peer is left out`)
  return all ? 1 : 0
}

function listStrict({ strict }: Comparison, peers: readonly Peer[]): void {
  if (strict.length === 0) return
  console.log(`refused although every peer accepts: ${strict.length}`)
  const codes = groupBy(strict, ({ code }) => code ?? '')
  for (const [code, some] of [...codes].sort(([, a], [, b]) => b.length - a.length)) {
    const example = some[0]?.id ?? ''
    console.log(`  ${String(some.length).padStart(4)}  ${code}  (${example})`)
    if (values.verbose)
      for (const { id } of some) console.log(`          ${id}${reasons(id, peers)}`)
  }
}

function reasons(id: string, peers: readonly Peer[]): string {
  return peers.map((peer) => `\n    ${peer.name}: ${peer.verdict(id)} ${peer.reason(id)}`).join('')
}

/** The first words of an id: limbo's namespace, or the family of the mutation. */
function familyOf(source: string, id: string): string {
  const parts = id.split('::')
  return source === 'limbo' ? (parts[0] ?? id) : (parts[1]?.split('/')[0] ?? id)
}

function row(
  family: string,
  answers: readonly Answer[],
  peers: readonly Peer[],
): readonly string[] {
  const { accepted, refused, unanimous } = compare(answers, peers, [])
  const agreeing = peers.map((peer) => {
    const judged = answers.filter(({ id }) => peer.verdict(id) !== undefined)
    const alike = judged.filter((one) => (peer.verdict(one.id) === 'accept') === one.accepted)
    return `${alike.length}/${judged.length}`
  })
  return [family, String(accepted), String(refused), ...agreeing, String(unanimous)]
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((one) => one[i]?.length ?? 0)))
  return rows
    .map((one) =>
      one
        .map((text, i) => (i === 0 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!)))
        .join('  '),
    )
    .join('\n')
}
