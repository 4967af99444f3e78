/** `check`: may these clients come in? @module */

import cliProgress from 'cli-progress'
import { type Input, liesBeside, listInputs, type Reason } from '../files.ts'
import { type Io, invocation } from '../io.ts'
import { exitCodeOf, type Judged, judge } from '../judge.ts'
import { drawFetchedOf, fetchedJson } from '../render/fetched.ts'
import { judgedJson, reasonJson, writeJson } from '../render/json.ts'
import { plain, styleOf } from '../render/style.ts'
import { drawJudged, drawTable } from '../render/verdict.ts'
import { dateText } from '../render/words.ts'
import { type CheckFlags, readSettings, type Settings } from '../settings.ts'

export async function check(files: readonly string[], flags: CheckFlags, io: Io): Promise<number> {
  const inputs = await listInputs(files, io)
  const settings = await readSettings(flags, io)
  try {
    return await checkWith(settings, inputs, files, flags, io)
  } finally {
    await settings.close()
  }
}

async function checkWith(
  settings: Settings,
  inputs: readonly Input[],
  files: readonly string[],
  flags: CheckFlags,
  io: Io,
): Promise<number> {
  const { judged, skipped } = await judgeAll(inputs, settings, flags, io)
  if (flags.json) {
    writeJson(
      {
        command: 'check',
        ok: exitCodeOf(judged) === 0 && judged.length > 0,
        time: dateText(settings.options.time),
        ...sums(judged),
        results: judged.map(judgedJson),
        skipped: skipped.map(({ file, reason }) => ({ file, ...reasonJson(reason) })),
        ...(settings.fetches ? { fetched: settings.fetched().map(fetchedJson) } : {}),
      },
      io,
    )
  } else render(judged, skipped, settings, files, io)
  return judged.length === 0 ? 2 : exitCodeOf(judged)
}

interface Skipped {
  readonly file: string
  readonly reason: Reason
}

async function judgeAll(
  inputs: readonly Input[],
  settings: Settings,
  { json }: CheckFlags,
  io: Io,
): Promise<{ readonly judged: readonly Judged[]; readonly skipped: readonly Skipped[] }> {
  const judged: Judged[] = []
  const skipped: Skipped[] = []
  const bar =
    inputs.length > 1 && !json && io.stderr.isTTY === true
      ? new cliProgress.SingleBar(
          { format: '{bar} {value}/{total} {file}', clearOnComplete: true, hideCursor: true },
          cliProgress.Presets.shades_classic,
        )
      : undefined
  bar?.start(inputs.length, 0, { file: '' })
  for (const input of inputs) {
    const { file } = input
    const one = await judge(file, settings, io)
    if (one.reason !== undefined && liesBeside(input, one.reason)) {
      skipped.push({ file, reason: one.reason })
    } else judged.push(one)
    bar?.increment({ file: plain(file) })
  }
  bar?.stop()
  return { judged, skipped }
}

function sums(judged: readonly Judged[]): object {
  const count = (status: Judged['status']) => judged.filter((one) => one.status === status).length
  return {
    accepted: count('accepted'),
    refused: count('refused'),
    unreadable: count('unreadable'),
  }
}

function render(
  judged: readonly Judged[],
  skipped: readonly Skipped[],
  settings: Settings,
  files: readonly string[],
  io: Io,
): void {
  const { options } = settings
  const style = styleOf(io.stdout, io)
  const lines =
    judged.length === 1
      ? drawJudged(judged[0] as Judged, options.time, style)
      : drawTable(judged, style)
  for (const { file, reason } of skipped) {
    lines.push(style.dim(`- ${plain(file)}: skipped, ${reason.message}`))
  }
  if (judged.length === 0) lines.push(`no certificate in ${plain(files.join(', '))}`)
  if (judged.length > 1 && exitCodeOf(judged) !== 0) {
    lines.push(style.dim(`why: ${invocation(io)} explain FILE with the same options`))
  }
  const rows = drawFetchedOf(settings, style)
  if (rows.length > 0) lines.push('', ...rows)
  io.stdout.write(`${lines.join('\n')}\n`)
}
