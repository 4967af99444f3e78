/** `check`: may these clients come in? @module */

import cliProgress from 'cli-progress'
import { type Input, liesBeside, listInputs, type Reason } from '../files.ts'
import { type Io, invocation } from '../io.ts'
import { exitCodeOf, type Judged, judge } from '../judge.ts'
import { judgedJson, reasonJson, writeJson } from '../render/json.ts'
import { plain, styleOf } from '../render/style.ts'
import { drawJudged, drawTable } from '../render/verdict.ts'
import { dateText } from '../render/words.ts'
import { type CheckFlags, readSettings, type Settings } from '../settings.ts'

export async function check(files: readonly string[], flags: CheckFlags, io: Io): Promise<number> {
  const settings = await readSettings(flags, io)
  const inputs = await listInputs(files, io)
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
  { options }: Settings,
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
    const one = await judge(file, options, io)
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
  { options }: Settings,
  files: readonly string[],
  io: Io,
): void {
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
  io.stdout.write(`${lines.join('\n')}\n`)
}
