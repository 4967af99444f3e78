/**
 * `node health.mjs URL…`: exit code 0 when the first of the URLs that anything listens on answers 200, for images
 * without curl. The image is the same for a manager and a gateway, so that it asks at the ports of both.
 *
 * @module
 */
import { get as getPlain } from 'node:http'
import { get as getTls } from 'node:https'

/**
 * @param {string} url
 * @returns {Promise<number | string>} The status, or the code of what went wrong.
 */
function ask(url) {
  const get = url.startsWith('https:') ? getTls : getPlain
  return new Promise((resolve) => {
    // It asks this very container and sends nothing: whose certificate that is does not matter.
    const request = get(url, { timeout: 3000, rejectUnauthorized: false, agent: false })
    request.on('response', ({ statusCode }) => resolve(statusCode ?? 0))
    request.on('timeout', () => resolve('ETIMEDOUT'))
    request.on('error', (/** @type {NodeJS.ErrnoException} */ { code }) =>
      resolve(code ?? 'failed'),
    )
  })
}

let answer
for (const url of process.argv.slice(2)) {
  answer = await ask(url)
  if (answer !== 'ECONNREFUSED') break
}
if (answer !== 200) console.error(`unhealthy: ${answer ?? 'no URL was given'}`)
process.exit(answer === 200 ? 0 : 1)
