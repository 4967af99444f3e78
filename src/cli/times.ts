/** Times that people write. @module */

import { unixSeconds } from '../base/time.ts'
import { UsageError } from './io.ts'

/**
 * Reads `2026-11-23`, `2026-11-23T22:00:00Z`, the same with `+01:00`, or `@` and Unix seconds. Days that do not exist are refused,
 * and so are times without a zone: they would mean something else on each machine.
 *
 * @throws UsageError
 */
export function parseTime(text: string, option: string): Date {
  if (/^@\d{1,12}$/.test(text)) return new Date(Number(text.slice(1)) * 1000)
  const match =
    /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.exec(text)
  const [year, month, day, hour = 0, minute = 0, second = 0] = (match ?? [])
    .slice(1, 7)
    .map((digits) => Number(digits ?? 0))
  const zone = match?.[7] ?? 'Z'
  const offset =
    zone === 'Z'
      ? 0
      : Number(`${zone[0]}1`) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4)))
  const seconds =
    year === undefined || month === undefined || day === undefined
      ? undefined
      : unixSeconds(year, month, day, hour, minute, second)
  if (seconds === undefined || Math.abs(offset) > 14 * 60) {
    throw new UsageError(
      'time-invalid',
      `${option} ${text}: no such time`,
      'write 2026-11-23, 2026-11-23T22:00:00Z, 2026-11-23T23:00:00+01:00 or @1795471200',
    )
  }
  return new Date((seconds - offset * 60) * 1000)
}
