/** Structured logs on standard error; standard output is for what was asked. @module */

import type { Logger as Pino } from 'pino'
import { managementLogger } from '../../management/index.ts'
import type { Io } from '../io.ts'

export type Logger = Pino

/** @param level - `silent`: nothing is written. */
export function loggerOf(level: string, io: Io): Logger {
  return managementLogger(level, { write: (line) => void io.stderr.write(line) })
}
