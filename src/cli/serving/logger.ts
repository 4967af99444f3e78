/** Structured logs on standard error; standard output is for what was asked. @module */

import type { Logger as Pino } from 'pino'
import { managementLogger } from '../../management/index.ts'
import type { Io } from '../io.ts'
import { logForPeople } from './log-for-people.ts'

export type Logger = Pino

/**
 * @param level - `silent`: nothing is written.
 * @param reader - Who reads it; people, where standard error is a terminal.
 */
export function loggerOf(
  level: string,
  io: Io,
  reader: 'machines' | 'people' = 'machines',
): Logger {
  const to =
    reader === 'people' ? logForPeople(io) : { write: (line: string) => void io.stderr.write(line) }
  return managementLogger(level, to)
}
