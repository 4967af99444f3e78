/** `npm start`: the command line, with its demonstration when nothing is asked. @module */
if (process.argv.length === 2) process.argv.push('demo')
await import('./cli.mjs')
