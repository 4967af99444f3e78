/** What the serving commands run: an entry of its own in the package, because it loads what only servers need. @module */

export { gateway } from './commands/gateway.ts'
export { manager } from './commands/manager.ts'
export { serve } from './commands/serve.ts'
