/** Hooks that only count and measure. @module */

import type { DecisionEvent } from '../event.ts'

/** May stand wherever `Hooks` are wanted. */
export interface MetricHooks {
  readonly decision: (event: DecisionEvent) => void
}
