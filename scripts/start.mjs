/** `npm start`: the command line, with its demonstration when nothing is asked. @module */
if (process.argv.length === 2) process.argv.push('serve')
await import('./cli.mjs')
