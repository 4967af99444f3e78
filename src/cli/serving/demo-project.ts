/** The project of the first start: made through the API like any other, so that what it shows is what there is. @module */

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { demoFiles } from '../demo-pki.ts'

/** The names of the document's own examples. */
export const demoNames = {
  project: 'MyProject',
  apiProxy: 'MyAPI',
  policy: 'mtls-auth-policy',
} as const

/** Sends one request to the management API. Throws for an answer that is no success. */
export type Call = (method: string, path: string, body?: unknown) => Promise<unknown>

export interface DemoOptions {
  readonly environment: string
  /** Of `writeDemoPki`. */
  readonly pki: string
  readonly upstreamPort: number
}

/** Makes whatever is not there yet. */
export async function makeDemoProject(
  call: Call,
  { environment, pki, upstreamPort }: DemoOptions,
): Promise<void> {
  const { project, apiProxy, policy } = demoNames
  const read = async (file: string): Promise<string> => await readFile(join(pki, file), 'utf8')
  const projectPath = `/apiops/projects/${project}/`
  const proxyPath = `${projectPath}apiProxies/${apiProxy}/`
  await call('POST', projectPath, { description: 'Made at the first start of mtls-policy serve' })
  await call('PUT', `${projectPath}trustStore/`, {
    anchors: await read(demoFiles.anchors),
    intermediates: await read(demoFiles.intermediates),
  })
  await call('PUT', `${projectPath}issuerAcl/`, { acl: await read(demoFiles.issuerAcl) })
  await call('PUT', `${projectPath}revocation/`, { mode: 'crl' })
  for (const file of await readdir(join(pki, demoFiles.crls))) {
    await call('POST', `${projectPath}crls/`, { crl: await read(join(demoFiles.crls, file)) })
  }
  await call('POST', proxyPath, demoProxy(environment, upstreamPort))
  await call('POST', `${proxyPath}policies/${policy}/`, {
    operationMetadata: {
      targetScope: 'ALL',
      targetPipeline: 'REQUEST',
      deploy: true,
      deployTargetEnvironmentNameList: [environment],
      order: 1,
    },
    policy: {
      type: 'policy-auth-mtls',
      description: 'Authenticate clients using mTLS',
      active: true,
      validateCertificate: true,
      validateACLForIssuer: true,
    },
  })
}

/** Its upstream has another port now. */
export async function moveDemoUpstream(
  call: Call,
  environment: string,
  upstreamPort: number,
): Promise<void> {
  const { project, apiProxy } = demoNames
  const path = `/apiops/projects/${project}/apiProxies/${apiProxy}/`
  await call('PUT', path, demoProxy(environment, upstreamPort))
  await call('POST', `${path}deployments/`, { environments: [environment] })
}

function demoProxy(environment: string, upstreamPort: number): object {
  return {
    hosts: ['localhost'],
    upstream: {
      url: `http://127.0.0.1:${upstreamPort}`,
      identityHeaders: { 'X-Client-Subject': 'subject' },
    },
    environments: [environment],
  }
}
