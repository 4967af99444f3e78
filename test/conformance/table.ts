/** The runner's answers as text: the table for people, the line for programs. @module */
import type { Report } from './runner.ts'

/** One line of JSON; the keys after `seconds` are there only where there is something to say. */
export function jsonLine(file: string, report: Report): string {
  const { cases, agree, disagree, skipped, seconds, second, localChoices, problems } = report
  return JSON.stringify({
    file,
    cases: cases.length,
    agree,
    disagree,
    skipped,
    seconds: Math.round(seconds * 100) / 100,
    ...(second ? { default: { relaxed: second.relaxed, disagree: second.unexplained } } : {}),
    ...(localChoices.length > 0 ? { localChoices } : {}),
    ...(problems.length > 0 ? { problems } : {}),
  })
}

const headings = ['suite', 'driver', 'cases', 'agree', 'exceptions', 'skipped', 'seconds'] as const

/** One row a pass; numbers stand to the right. `exceptions` counts disagreements that are listed as such. */
export function table(reports: readonly Report[]): string {
  const rows = reports.flatMap(rowsOf)
  const all: readonly (readonly string[])[] = [headings, ...rows]
  const widths = headings.map((_, column) =>
    Math.max(...all.map((row) => (row[column] ?? '').length)),
  )
  return all
    .map((row) =>
      row
        .map((text, column) =>
          column < 2 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function rowsOf(report: Report): string[][] {
  const { suite, cases, passes, problems } = report
  const unlisted = new Set(problems.map(({ id }) => id))
  return passes.map(({ profile, driver, outcomes, seconds }) => {
    let agree = 0
    let exceptions = 0
    let left = 0
    for (const [position, outcome] of outcomes.entries()) {
      const one = cases[position]
      if (outcome.kind === 'skipped' || one?.localChoice) left++
      else if (outcome.actual === outcome.expected) agree++
      else if (!unlisted.has(one?.id ?? '')) exceptions++
    }
    const name = suite.profiles.length > 1 ? `${suite.name} (${profile})` : suite.name
    const who = suite.drivers.length > 1 ? driver : 'any'
    const numbers = [cases.length, agree, exceptions, left].map(String)
    return [name, who, ...numbers, seconds.toFixed(1)]
  })
}
