/** When a list or a response was made and when the next one is due. @module */

import { secondsOf, type TimeInput } from './encode.ts'
import type { Absent } from './extensions.ts'
import { testTime } from './issue.ts'

export interface UpdateOptions {
  /** Default: an hour before `testTime`; a week before nextUpdate, when that is past. */
  readonly thisUpdate?: TimeInput
  /** Default: a week after thisUpdate. */
  readonly nextUpdate?: TimeInput | Absent
}

/** What is written, and a time of revocation that came before. */
export interface Updates {
  readonly thisUpdate: TimeInput
  readonly nextUpdate: TimeInput | undefined
  /** A day before thisUpdate, in Unix seconds. */
  readonly before: number
}

export function updatesOf({ thisUpdate, nextUpdate }: UpdateOptions): Updates {
  const next = nextUpdate === 'absent' ? undefined : nextUpdate
  const due = next === undefined || next instanceof Uint8Array ? undefined : secondsOf(next)
  const usual = testTime - hour
  const first = thisUpdate ?? (due !== undefined && due <= usual ? due - week : usual)
  const made = first instanceof Uint8Array ? usual : secondsOf(first)
  return {
    thisUpdate: first,
    nextUpdate: nextUpdate === undefined ? made + week : next,
    before: made - day,
  }
}

/** The same, run out: made and due a month earlier. */
export function staleUpdates(options: UpdateOptions): UpdateOptions {
  const { before } = updatesOf(options)
  return { thisUpdate: before - 30 * day, nextUpdate: before - 23 * day }
}

const hour = 3_600
const day = 24 * hour
const week = 7 * day
