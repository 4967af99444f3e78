/** Each example as a reader runs it: the commands of its page, its server, and curl, held to what the page shows. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type Block, blocksOf } from '../docs/markdown.ts'
import { hasProxy } from '../e2e/proxies/proxy.ts'
import { Desk, hasCurl, isBuilt, type Program, root, withoutIds } from './shown.ts'

const file = (name: string) => readFileSync(join(root, 'examples', name), 'utf8')
const isReady = isBuilt() && hasCurl()

describe.runIf(isReady)('express-tls', () => {
  test('answers and prints as its page shows', async () => {
    const { desk, commands, sessions, logs } = await readerOf('express-tls', 'express')
    await desk.run(commands[0] ?? '')
    const program = await desk.start(commands[1] ?? '', 8443)
    const printed = printedBy(program)
    const [requests, lost, renewed] = sessions
    expect(withoutIds((await desk.replay(requests ?? '')) + (await printed()))).toBe(
      withoutIds(`${requests}${logs[0]}`),
    )
    expect(withoutIds(await desk.replay(lost ?? ''))).toBe(lost)

    await desk.run((commands[2] ?? '').replace('4711', String(program.pid)))
    await expect.poll(() => desk.replay(renewed ?? '')).toBe(renewed)
    // A client that was killed stays so, whatever is read again.
    const [line = ''] = (lost ?? '').split('\n').filter((one) => one.includes('write-out'))
    expect(await desk.replay(line)).toBe(`${line}\n401\n`)
  })

  test('keeps its old files when a new one cannot be read', async () => {
    const { desk, commands, sessions } = await readerOf('express-tls', 'express')
    await desk.run(commands[0] ?? '')
    const program = await desk.start(commands[1] ?? '', 8443)
    await desk.write('pki/issuers.acl', 'alow dn "CN=Example Partner CA,O=Example"\n')
    await desk.run(`kill -HUP ${program.pid}`)
    await expect.poll(program.log).toContain('the old files stay in force')
    const shown = sessions[0] ?? ''
    expect(withoutIds(await desk.replay(shown))).toBe(withoutIds(shown))
  })

  test('lets neither an expired nor a forged certificate in', async () => {
    const { desk, commands } = await readerOf('express-tls', 'express')
    await desk.run(commands[0] ?? '')
    const program = await desk.start(commands[1] ?? '', 8443)
    const ask = (client: string) =>
      desk.replay(
        `$ curl --cacert pki/ca.pem --cert pki/clients/${client}.pem --key pki/keys/${client}.key --write-out '%{http_code}' https://localhost:8443/`,
      )
    expect(await ask('expired')).toMatch(/\n401\n$/)
    await expect.poll(program.log).toContain('refused certificate-expired')
    // Node's own TLS may close the connection first.
    expect(await ask('forged')).toMatch(/\n(?:401|000)\n$/)
  })
})

describe.runIf(isReady && hasProxy('nginx'))('fastify-nginx', () => {
  test('has the configuration that its page says how to print', async () => {
    const { desk, commands } = await readerOf('fastify-nginx', 'fastify')
    await desk.run(`${commands[0]}${commands[1]}`)
    expect(await desk.read('nginx.conf')).toBe(file('fastify-nginx/nginx.conf'))
  })

  test('answers and prints as its page shows', async () => {
    const { desk, commands, sessions, logs } = await readerOf('fastify-nginx', 'fastify')
    const [before = '', , server = '', nginx = ''] = commands
    await desk.run(before)
    const program = await desk.start(server, 3000)
    await desk.start(nginx, 8443)
    const printed = printedBy(program)
    const shown = sessions.join('')
    expect(withoutIds((await desk.replay(shown)) + (await printed()))).toBe(
      withoutIds(`${shown}${logs[0]}`),
    )
  })

  test('believes nginx alone once it has a secret', async () => {
    const { desk, commands, sessions, blocks } = await readerOf('fastify-nginx', 'fastify')
    const [before = '', , server = '', nginx = '', secret = ''] = commands
    const [part = ''] = blocks.flatMap(({ language, code }) => (language === 'js' ? [code] : []))
    await desk.run(before + secret)
    await desk.write('nginx.conf', desk.withPorts(await desk.read('nginx.conf')))
    const changed = file('fastify-nginx/server.mjs')
      .replace(/^const type/m, `${part}\nconst type`)
      .replace(/source: nginx\(.*\),$/m, 'source,')
    await desk.write('server.mjs', changed)
    const program = await desk.start(server, 3000)
    await desk.start(nginx, 8443)
    const [good = ''] = sessions
    expect(withoutIds(await desk.replay(good))).toBe(withoutIds(good))
    const direct = `$ curl -w '%{http_code}\\n' --header 'X-SSL-Client-Verify: SUCCESS' http://localhost:3000/`
    expect(await desk.replay(direct)).toMatch(/\n401\n$/)
    await expect.poll(program.log).toContain('refused proxy-not-trusted')
  })
})

/** A desk with the example's files and packages on it, and the parts of its page. */
async function readerOf(
  example: string,
  ...packages: readonly string[]
): Promise<{
  readonly desk: Desk
  readonly blocks: readonly Block[]
  readonly commands: readonly string[]
  readonly sessions: readonly string[]
  readonly logs: readonly string[]
}> {
  const desk = await Desk.open()
  await desk.link(...packages)
  await desk.write('server.mjs', file(`${example}/server.mjs`))
  if (example === 'fastify-nginx') {
    await desk.write('nginx.conf', desk.withPorts(file(`${example}/nginx.conf`)))
  }
  const blocks = blocksOf(file(`${example}/README.md`))
  const of = (wanted: string) =>
    blocks.filter(({ language }) => language === wanted).map(({ code }) => code)
  // The packages are linked, not installed.
  const commands = of('sh').map((code) => code.replace(/^npm .*\n/gm, ''))
  return { desk, blocks, commands, sessions: of('console'), logs: of('text') }
}

/** What the program prints, once it has not printed for a while; its number as the page has it. */
function printedBy({ pid, log }: Program): () => Promise<string> {
  return async () => {
    let text = ''
    for (let now = await log(); now !== text; now = await log()) {
      text = now
      await sleep(200)
    }
    return text.replace(`process ${pid} `, 'process 4711 ').replace(/ $/gm, '')
  }
}
