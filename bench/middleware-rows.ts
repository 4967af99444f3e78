/** The rows about policies in a server. @module */

import { cacheRow } from './cache-row.ts'
import { decisionRows } from './decision-rows.ts'
import { overheadRow } from './middleware-overhead.ts'
import type { Row } from './row.ts'

export const middlewareRows: readonly Row[] = [...decisionRows, overheadRow, cacheRow]
