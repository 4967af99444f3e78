/** Serves one file over HTTP from a thread of its own, so that its turns are not those that are measured. @module */

import { Worker } from 'node:worker_threads'

export interface ListServer {
  readonly url: string
  readonly close: () => Promise<unknown>
}

/** @param path - Read anew for each request. */
export async function serveFile(path: string): Promise<ListServer> {
  const worker = new Worker(server, { eval: true, workerData: path })
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  return { url: `http://127.0.0.1:${port}/list.crl`, close: () => worker.terminate() }
}

const server = `
const { createServer } = require('node:http')
const { createReadStream, statSync } = require('node:fs')
const { parentPort, workerData } = require('node:worker_threads')
const server = createServer((request, response) => {
  response.setHeader('content-length', statSync(workerData).size)
  createReadStream(workerData).pipe(response)
})
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))
`
