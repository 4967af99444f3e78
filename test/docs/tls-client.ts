/** What curl does with the options that the README shows. @module */

import { readFileSync } from 'node:fs'
import { Agent, request, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'

/** The body that `server` answers to one line of a shell session, with the files named in it. */
export function ask(server: Server, line: string, path: string = '/'): Promise<string> {
  const file = (option: string): Buffer | undefined => {
    const name = new RegExp(`--${option} (\\S+)`).exec(line)?.[1]
    return name === undefined ? undefined : readFileSync(name)
  }
  const { port } = server.address() as AddressInfo
  const agent = new Agent({ keepAlive: false, maxCachedSessions: 0 })
  const options = { ca: file('cacert'), cert: file('cert'), key: file('key'), agent }
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        servername: 'localhost',
        headers: { host: 'localhost' },
        port,
        path,
        ...options,
      },
      (answer) => {
        let body = ''
        answer.setEncoding('utf8')
        answer.on('data', (part: string) => {
          body += part
        })
        answer.on('end', () => resolve(body))
      },
    )
    sent.on('error', reject)
    sent.end()
  })
}
