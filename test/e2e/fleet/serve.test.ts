/** `mtls-policy serve`: the requests of the document that it answers to, letter by letter, and its life as a process. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createManagementClient, type ManagementClient } from '../../../src/management/client.ts'
import { hasCurl } from '../../examples/shown.ts'
import { Fleet, linesOf, type Program } from './support.ts'

interface Line {
  readonly url: string
  readonly gatewayUrl: string
  readonly token: string
}

describe.skipIf(!hasCurl())('serve', () => {
  let fleet: Fleet
  let program: Program
  let line: Line

  beforeAll(async () => {
    fleet = await Fleet.open()
    await start()
  }, 60_000)
  afterAll(() => fleet?.close(), 60_000)

  test('says in one line where it is, and nothing else', () => {
    expect(Object.keys(line)).toEqual(['url', 'gatewayUrl', 'token'])
    expect(line).toEqual({
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      gatewayUrl: expect.stringMatching(/^https:\/\/localhost:\d+$/),
      token: expect.stringMatching(/^mtlsp_/),
    })
  })

  test('answers the curl command that lists policies as the document does', () => {
    expect(curlOf(listCommand)).toEqual({ status: 200, body: listed(documentPolicy) })
  })

  test('answers the curl command that adds a policy as the document does', () => {
    // Its own name is taken by what the first start has made.
    const taken = curlOf(addCommand)
    expect(taken).toMatchObject({
      status: 409,
      body: { success: false, error: { code: 'already-exists' } },
    })
    const added = curlOf(addCommand.replace('/mtls-auth-policy/', '/second-policy/'))
    expect(added).toEqual({ status: 200, body: deployed })
    expect(curlOf(listCommand).body).toEqual(
      // It asks for the first place.
      listed(
        { ...documentPolicy, name: 'second-policy', description: 'mTLS authentication' },
        documentPolicy,
      ),
    )
  })

  test('answers the requests that update and delete a policy as the document does', () => {
    const at = addCommand.replace('/mtls-auth-policy/', '/second-policy/')
    const update = at.replace('-X POST', '-X PUT').replace('"active": true', '"active": false')
    expect(curlOf(update)).toEqual({ status: 200, body: deployed })
    const body =
      '{"operationMetadata": {"targetScope": "ALL", "targetPipeline": "REQUEST", "deploy": false}}'
    const remove = at.replace('-X POST', '-X DELETE').replace(/-d '[^']*'/, `-d '${body}'`)
    expect(curlOf(remove)).toEqual({
      status: 200,
      body: { success: true, deploymentResult: { success: true, deploymentResults: [] } },
    })
    expect(curlOf(listCommand).body).toEqual(listed(documentPolicy))
  })

  test('shows what is not deployed, and deploys it', async () => {
    const { deployments } = proxyOf(clientOf())
    expect(await deployments.list()).toMatchObject([
      { environmentName: 'production', redeployRequired: true },
    ])
    expect((await deployments.deploy()).success).toBe(true)
    expect(await deployments.list()).toMatchObject([{ redeployRequired: false }])
  })

  test('lets the good client in, and the others not', () => {
    expect(through('client-a')).toEqual([200, 'Hello CN=client-a,O=Example\n'])
    for (const name of ['expired', 'foreign', 'forged', 'partner', 'revoked']) {
      expect([name, through(name)[0]]).toEqual([name, 401])
    }
  })

  test('keeps everything over a restart, and deploys nothing anew', async () => {
    const before = { line, state: await stateOf() }
    expect(await program.end('SIGTERM')).toBe(0)
    // Who was refused above, and nothing else.
    expect(linesOf(program).map(({ msg, subject, code }) => [msg, subject, code])).toEqual([
      ['refused', 'CN=client-expired,O=Example', 'certificate-expired'],
      ['refused', 'CN=client-foreign,O=Example', 'issuer-unknown'],
      ['refused', 'CN=client-forged,O=Example', 'signature-invalid'],
      ['refused', 'CN=client-partner,O=Example', 'issuer-not-allowed'],
      ['refused', 'CN=client-revoked,O=Example', 'certificate-revoked'],
    ])
    await start()
    expect(line.token).toBe(before.line.token)
    expect(await stateOf()).toEqual(before.state)
    expect(through('client-a')[0]).toBe(200)
    expect(through('revoked')[0]).toBe(401)
  })

  test('keeps everything over SIGKILL', async () => {
    const before = { line, state: await stateOf() }
    expect(await program.end('SIGKILL')).toBe(null)
    await start()
    expect(line.token).toBe(before.line.token)
    expect(await stateOf()).toEqual(before.state)
    expect(through('client-a')[0]).toBe(200)
  })

  test.each([
    ['of the manager', () => ['--port', new URL(line.url).port]],
    ['of the gateway', () => ['--port', '0', '--gateway-port', new URL(line.gatewayUrl).port]],
  ])('ends with 2 where the port %s is taken', async (_, flags) => {
    const child = fleet.spawn(['serve', '--data', 'second', '--json', ...flags()])
    let [out, log] = ['', '']
    child.stdout?.on('data', (data) => {
      out += data
    })
    child.stderr?.on('data', (data) => {
      log += data
    })
    const [code] = await once(child, 'close')
    expect([code, log]).toEqual([2, ''])
    expect(JSON.parse(out)).toMatchObject({
      command: 'serve',
      ok: false,
      error: { code: 'port-unavailable' },
    })
    expect(through('client-a')[0]).toBe(200)
  })

  test('ends with 0 on SIGINT, too', async () => {
    expect(await program.end('SIGINT')).toBe(0)
  })

  async function start(): Promise<void> {
    program = await fleet.run(['serve', '--port', '0', '--data', 'data'])
    line = program.line as unknown as Line
  }

  function clientOf(): ManagementClient {
    return createManagementClient({ url: line.url, token: line.token })
  }

  /** Numbers, hashes, and how often something was deployed. */
  async function stateOf(): Promise<unknown> {
    const { deployments, policies } = proxyOf(clientOf())
    const { items } = await deployments.history('production')
    return { now: await deployments.list(), policies: await policies.list(), history: items }
  }

  /** The document's command, verbatim but for host and token. */
  function curlOf(command: string): { readonly status: number; readonly body: unknown } {
    const here = command
      .replace('https://demo.apinizer.com', line.url)
      .replace('YOUR_TOKEN', line.token)
    const { stdout, stderr, status } = spawnSync(
      'bash',
      ['-c', `${here} --silent --show-error --write-out '\\n%{http_code}'`],
      { encoding: 'utf8', cwd: fleet.folder },
    )
    expect([status, stderr]).toEqual([0, ''])
    const end = stdout.lastIndexOf('\n')
    return { status: Number(stdout.slice(end + 1)), body: JSON.parse(stdout.slice(0, end)) }
  }

  /** As the terminal shows it after the start. */
  function through(name: string): readonly [status: number, body: string] {
    const { stdout } = spawnSync(
      'curl',
      [
        ...['--silent', '--write-out', '\n%{http_code}', '--cacert', 'data/pki/ca.pem'],
        ...['--cert', `data/pki/clients/${name}.pem`, '--key', `data/pki/keys/${name}.key`],
        `${line.gatewayUrl}/`,
      ],
      { encoding: 'utf8', cwd: fleet.folder },
    )
    const end = stdout.lastIndexOf('\n')
    return [Number(stdout.slice(end + 1)), stdout.slice(0, end)]
  }
})

function proxyOf(client: ManagementClient) {
  return client.project('MyProject').apiProxy('MyAPI')
}

function listed(...requestPolicyList: readonly object[]): object {
  return {
    success: true,
    resultList: [
      {
        apiProxy: { name: 'MyAPI', requestPolicyList, responsePolicyList: [], errorPolicyList: [] },
      },
    ],
    resultCount: 1,
  }
}

const documentPolicy = {
  type: 'policy-auth-mtls',
  name: 'mtls-auth-policy',
  description: 'Authenticate clients using mTLS',
  active: true,
  validateCertificate: true,
  validateACLForIssuer: true,
}

const deployed = {
  success: true,
  deploymentResult: {
    success: true,
    deploymentResults: [
      { environmentName: 'production', success: true, message: 'Deployment successful' },
    ],
  },
}

const listCommand = `curl -X GET \\
  "https://demo.apinizer.com/apiops/projects/MyProject/apiProxies/MyAPI/policies/" \\
  -H "Authorization: Bearer YOUR_TOKEN"`

const addCommand = `curl -X POST \\
  "https://demo.apinizer.com/apiops/projects/MyProject/apiProxies/MyAPI/policies/mtls-auth-policy/" \\
  -H "Authorization: Bearer YOUR_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{
    "operationMetadata": {
      "targetScope": "ALL",
      "targetPipeline": "REQUEST",
      "deploy": true,
      "deployTargetEnvironmentNameList": ["production"],
      "order": 1
    },
    "policy": {
      "type": "policy-auth-mtls",
      "description": "mTLS authentication",
      "active": true,
      "validateCertificate": true,
      "validateACLForIssuer": true
    }
  }'`
