/** What the files of deploy/ say, as data. @module */

import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { parse } from 'yaml'
import type { Io } from '../../src/cli/io.ts'
import { addServerCommands } from '../../src/cli/server-commands.ts'
import { root } from '../docs/markdown.ts'

export const folder: string = `${root}deploy/`

export function read(name: string): string {
  return readFileSync(folder + name, 'utf8')
}

export interface CommandLine {
  readonly command: string
  /** Name of the flag → its values in their order. */
  readonly flags: ReadonlyMap<string, readonly string[]>
}

/**
 * Reads arguments as the program does, without running it.
 *
 * @param argv - From the command on, as `manager --port=8080`.
 * @throws CommanderError or UsageError for what the program would refuse.
 */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const [name = '', ...rest] = argv
  const program = new Command('mtls-policy')
  addServerCommands(program, () => undefined, quiet)
  const command = program.commands.find((one) => one.name() === name)
  if (command === undefined) throw new Error(`no command ${name}`)
  command.exitOverride().configureOutput({ outputError: () => undefined })
  const { operands, unknown } = command.parseOptions([...rest])
  if (operands.length + unknown.length > 0) {
    throw new Error(`${name} does not take ${[...operands, ...unknown].join(' ')}`)
  }
  for (const { mandatory, long, attributeName } of command.options.map((option) => ({
    mandatory: option.mandatory,
    long: option.long,
    attributeName: option.attributeName(),
  }))) {
    if (mandatory && command.getOptionValue(attributeName) === undefined) {
      throw new Error(`${name} wants ${long}`)
    }
  }
  const flags = new Map<string, string[]>()
  for (const argument of rest) {
    const [, flag, value] = /^--([a-z-]+)=(.*)$/s.exec(argument) ?? []
    // One form, so that whoever edits a line sees what belongs together.
    if (flag === undefined || value === undefined) throw new Error(`not --flag=value: ${argument}`)
    flags.set(flag, [...(flags.get(flag) ?? []), value])
  }
  return { command: name, flags }
}

const quiet = { stdout: process.stdout, stderr: process.stderr, env: {} } as unknown as Io

export interface Instruction {
  readonly keyword: string
  readonly value: string
  /** From 0. */
  readonly stage: number
}

/** Instructions of a Dockerfile, with continued lines joined. Those before the first FROM are of stage -1. */
export function readDockerfile(text: string): readonly Instruction[] {
  let stage = -1
  return text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, keyword = '', value = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? []
      if (keyword === '') throw new Error(`no instruction: ${line}`)
      if (keyword === 'FROM') stage++
      return { keyword, value: value.replace(/\s+/g, ' ').trim(), stage }
    })
}

export interface Service {
  readonly image: string
  readonly command?: readonly string[]
  readonly build?: { readonly context: string; readonly dockerfile: string }
  readonly environment?: Readonly<Record<string, string>>
  readonly secrets?: readonly string[]
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly networks: readonly string[] | Readonly<Record<string, { aliases?: string[] } | null>>
  readonly depends_on?: readonly string[] | Readonly<Record<string, { condition: string }>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly [key: string]: unknown
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>
  readonly volumes: Readonly<Record<string, unknown>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
}

export function readCompose(): Compose {
  // Strict: a key that stands twice is a mistake.
  return parse(read('compose.yaml'), { merge: true, strict: true, uniqueKeys: true }) as Compose
}

/** Section → name → values in their order; `[Service] ExecStart` is under `Service.ExecStart`. */
export function readUnit(text: string): ReadonlyMap<string, readonly string[]> {
  const settings = new Map<string, string[]>()
  let section = ''
  const lines = text
    .split('\n')
    .filter((line) => !/^\s*[#;]/.test(line))
    .join('\n')
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
  for (const line of lines) {
    if (line.trim() === '') continue
    const heading = /^\[(\w+)\]$/.exec(line)
    if (heading !== null) {
      section = heading[1] as string
      continue
    }
    const [, name, value = ''] = /^(\w+)=(.*)$/.exec(line) ?? []
    if (name === undefined || section === '') throw new Error(`no setting: ${line}`)
    const key = `${section}.${name}`
    settings.set(key, [...(settings.get(key) ?? []), value])
  }
  return settings
}

/** What a secret may not be in: a password within a URL, or a flag or variable that takes one as text. */
export function secretsIn(text: string): readonly string[] {
  const found = [...text.matchAll(/\b[a-z]+:\/\/[^\s/@:]*:[^\s/@]+@/g)].map(([url]) => url)
  const named = [
    ...text.matchAll(/(?:^|[\s"'])(--?)?([\w-]*(?:password|secret|token|database)[\w-]*)[=:]/gi),
  ]
    .map(([, , name = '']) => name)
    .filter((name) => !/[-_]file$/i.test(name))
  return [...found, ...named]
}

/** Paths of the flags that name files and folders. */
export function pathsOf({ flags }: CommandLine): readonly string[] {
  return [...flags].filter(([flag]) => pathFlags.has(flag)).flatMap(([, values]) => values)
}

const pathFlags: ReadonlySet<string> = new Set([
  'admin-token-file',
  'certificate',
  'data',
  'database-file',
  'key',
  'manager-ca',
  'manager-key',
  'signing-key',
  'tls-certificate',
  'tls-key',
  'token-file',
])
