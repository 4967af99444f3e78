/** What a row of the table is, and how a run goes. @module */

import type { Subject } from './bundle.ts'
import type { Figure, Work } from './result.ts'

export interface Run {
  readonly subject: Subject
  /** `check`: few certificates, and only as much is timed as the limits need. */
  readonly size: 'full' | 'check'
  readonly peers: 'all' | 'none'
  /** Told what goes on, line by line. */
  readonly say: (line: string) => void
  /** Told each answer: what was asked, and whether it was right. */
  readonly checked: (question: string, right: boolean) => void
  /** Told what is no time of one piece of work, and what has a limit. */
  readonly found: (figure: Figure) => void
}

export interface Row {
  readonly name: string
  readonly work: (run: Run) => Promise<Work>
}
