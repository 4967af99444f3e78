/** A stranger's first minutes: the packed package in an empty folder, and what the README says to enter there, letter by letter. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { mkdir, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Block, blocksOf, sectionOf } from '../docs/markdown.ts'
import { Desk, hasCurl, isBuilt, root, skipped, withoutIds } from '../examples/shown.ts'

const readme = readFileSync(join(root, 'README.md'), 'utf8')

describe.runIf(isBuilt())('the packed package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mtls-policy-pack-'))
  let tarball = ''
  let files: readonly string[] = []
  beforeAll(() => {
    // Built before, or every test that runs beside this one would see the build change.
    const argv = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
    const printed = execFileSync('npm', argv, { cwd: root, encoding: 'utf8', stdio: 'pipe' })
    const [packed] = Object.values(JSON.parse(printed)) as [Packed]
    tarball = join(folder, packed.filename)
    files = packed.files.map(({ path }) => path)
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('holds the build, the pages for users, and nothing else of the repository', () => {
    const names = files.filter((name) => !/^dist\/(?:types\/.*\.d\.ts|[\w.-]+\.js)$/.test(name))
    expect(names.toSorted()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'package.json',
    ])
  })

  describe('in an empty project', () => {
    test.runIf(hasCurl())(
      'serves with Express as the README shows',
      { timeout: 120_000 },
      async ({ skip }) => {
        const desk = await Desk.open()
        const { commands, server, session } = quickStart()
        expect(commands.join('')).toMatch(/^npm (?:i|install) mtls-policy express$/m)
        for (const one of commands) if (!(await install(desk, one, tarball))) skip()
        await desk.write('server.mjs', server)
        await desk.start('node server.mjs', 8443)
        expect(session).toMatch(/client-a/)
        expect(session).toMatch(/401/)
        expect(withoutIds(await desk.replay(session))).toBe(withoutIds(session))
      },
    )

    test('compiles in TypeScript, strictly, under every resolution', { timeout: 120_000 }, async ({
      skip,
    }) => {
      const desk = await Desk.open()
      if (!(await install(desk, 'npm init -y\nnpm install mtls-policy', tarball))) skip()
      // Types are the clone's, so that no other version of them surprises.
      await mkdir(join(desk.folder, 'node_modules/@types'))
      for (const name of ['express', 'node']) {
        const types = join('node_modules/@types', name)
        await symlink(join(root, types), join(desk.folder, types))
      }
      await symlink(join(root, 'node_modules/express'), join(desk.folder, 'node_modules/express'))
      const compile = (file: string, module: string, resolution: string) =>
        desk.run(
          `node '${root}node_modules/typescript/bin/tsc' ${file} --ignoreConfig --noEmit --strict --target es2022 --types node --module ${module} --moduleResolution ${resolution}`,
        )
      await desk.write('server.mts', typescript)
      await desk.write('wrong.mts', typescript.replace('trustAnchors:', 'trustAnchor:'))
      for (const [module, resolution] of [
        ['nodenext', 'nodenext'],
        ['esnext', 'bundler'],
        ['node16', 'node16'],
      ] as const) {
        expect(await compile('server.mts', module, resolution)).toBe('')
        await expect(compile('wrong.mts', module, resolution)).rejects.toThrow(/'?trustAnchor'?/)
      }
    })
  })
})

interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

const typescript = `import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import express from 'express'
import { parseTrustAnchors } from 'mtls-policy'
import { mtls } from 'mtls-policy/express'

const policy = { type: 'policy-auth-mtls', validateACLForIssuer: false }
const app = express()
app.use(mtls({ policy, trustAnchors: parseTrustAnchors(readFileSync('ca.pem')) }))
app.get('/', (request, response) => {
  const subject: string | undefined = request.clientCertificate?.identity?.subject
  response.send(subject)
})
createServer({ requestCert: true, rejectUnauthorized: false }, app).listen(8443)
`

/** What the README shows of Express: commands for packages and certificates, the server, and what curl is answered. */
function quickStart(): {
  readonly commands: readonly string[]
  readonly server: string
  readonly session: string
} {
  const isServer = ({ code }: Block) => code.includes("from 'mtls-policy/express'")
  const heading = readme
    .slice(0, readme.indexOf("from 'mtls-policy/express'"))
    .match(/^##+ .*$/gm)
    ?.at(-1)
  const blocks = blocksOf(sectionOf(readme, heading ?? ''))
  const server = blocks.findIndex(isServer)
  const session = blocks.find(({ code }) => code.startsWith('$ curl'))
  return {
    commands: blocks.slice(0, server).map(({ code }) => code),
    server: blocks[server]?.code ?? '',
    session: session?.code ?? '',
  }
}

/** Without a network npm waits for a minute and more at each package, and is ended before it can say why. */
const patience = `export npm_config_prefer_offline=true
export npm_config_fetch_retry_mintimeout=500 npm_config_fetch_retry_maxtimeout=1000`

/** `npm install` as the README says it, of the package that was packed here in the place of the published one. */
async function install(desk: Desk, commands: string, tarball: string): Promise<boolean> {
  const changed = commands.replace(/(?<=^npm (?:i|install) .*)\bmtls-policy\b/m, `'${tarball}'`)
  try {
    await desk.run(`${patience}\n${changed}`)
    return true
  } catch (error) {
    const isOffline = /\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH)\b/
    if (process.env.CI === 'true' || !isOffline.test(String(error))) throw error
    return skipped('npm reaches no registry')
  }
}
