/** The rows about policies in a server. @module */

import { decisionRows } from './decision-rows.ts'
import type { Row } from './row.ts'

export const middlewareRows: readonly Row[] = [...decisionRows]
