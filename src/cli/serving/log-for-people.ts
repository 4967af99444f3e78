/** Lines of a log as somebody at a terminal wants to read them: JSON in, words out. @module */

import { type Io, invocation } from '../io.ts'
import { plain, type Style, styleOf } from '../render/style.ts'

type Facts = Readonly<Record<string, unknown>>

/** @returns To be written to, one line of JSON at a time. */
export function logForPeople(io: Io): { readonly write: (line: string) => void } {
  const style = styleOf(io.stderr, io)
  return {
    write: (line) => {
      const facts: Facts = JSON.parse(line)
      const text = isDecision(facts) ? decisionText(facts, style, io) : lineText(facts, style)
      io.stderr.write(`${text}\n`)
    },
  }
}

function isDecision({ msg }: Facts): boolean {
  return msg === 'refused' || msg === 'would refuse'
}

/** Who, why, what was asked, and by which id the client knows of it. */
function decisionText(facts: Facts, style: Style, io: Io): string {
  const { msg, subject, fingerprint, reason, code, method, host, path, address } = facts
  const { policy, project, proxy, decisionId } = facts
  const who =
    text(subject) ||
    (fingerprint === undefined
      ? 'a client without a certificate'
      : `a client whose certificate has the SHA-256 ${text(fingerprint)}`)
  const rule = policy === undefined ? '' : `${text(policy)} of `
  const mark = msg === 'refused' ? style.red('refused') : style.yellow('would refuse')
  const explained = `${invocation(io)} explain ${text(code)}`
  return [
    `${timeText(facts, style)} ${mark} ${style.bold(who)}`,
    `${indent}${text(reason)} ${style.dim(`(${text(code)}; more: ${explained})`)}`,
    `${indent}${text(method)} ${text(host)}${text(path)} from ${text(address)}`,
    `${indent}${style.dim(`${rule}${text(project)}/${text(proxy)}, urn:uuid:${text(decisionId)}`)}`,
  ].join('\n')
}

function lineText(facts: Facts, style: Style): string {
  const { level, time: _time, msg, err, ...others } = facts
  const number = Number(level)
  const word = number >= 50 ? style.red('error') : number >= 40 ? style.yellow('warn') : 'info'
  const rest = Object.entries(others).map(([name, value]) => style.dim(` ${name}=${text(value)}`))
  const stack = isError(err) ? `\n${indent}${text(err.message)}` : ''
  return `${timeText(facts, style)} ${word} ${text(msg)}${rest.join('')}${stack}`
}

/** Of the day, in UTC, as the log has it. */
function timeText({ time }: Facts, style: Style): string {
  return style.dim(String(time).slice(11, 19))
}

function isError(value: unknown): value is { readonly message: string } {
  return typeof value === 'object' && value !== null && 'message' in value
}

function text(value: unknown): string {
  if (value === undefined) return ''
  return plain(typeof value === 'string' ? value : JSON.stringify(value))
}

const indent = ' '.repeat(9)
