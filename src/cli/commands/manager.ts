/** `manager`: the management API over a store. @module */

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { signerOf } from '../../management/channel/signer.ts'
import { createManagement, serveManagement } from '../../management/index.ts'
import { type Io, UsageError } from '../io.ts'
import type { ManagerFlags } from '../server-commands.ts'
import { withClosers } from '../serving/closers.ts'
import { loggerOf } from '../serving/logger.ts'
import { newRegistry } from '../serving/metrics.ts'
import { storeAt } from '../serving/open-store.ts'
import { readIfThere } from '../serving/secret-file.ts'
import { signingKeyIn } from '../serving/signing-key.ts'
import { onHangUp, stopped } from '../serving/stop.ts'
import { checkTlsPair } from '../serving/tls-pair.ts'
import { hasAdmin, tokenIn } from '../serving/tokens.ts'

export function manager(flags: ManagerFlags, io: Io): Promise<number> {
  return withClosers((opened) => manageUntilStopped(flags, io, opened))
}

async function manageUntilStopped(
  flags: ManagerFlags,
  io: Io,
  opened: (close: () => unknown) => void,
): Promise<number> {
  const { host, port, logLevel, json } = flags
  const at = (file: string): string => resolve(io.cwd, file)
  const tls = await tlsOf(flags, at)
  const database = await databaseOf(flags, io)
  const logger = loggerOf(logLevel, io)
  const signingKeyFile = at(flags.signingKey)
  const store = await storeAt(database)
  opened(() => store.close())
  // A key that nobody made on purpose takes the place of none: every gateway would refuse what it signs.
  const isKeyless = (await readIfThere(signingKeyFile)) === undefined
  if (isKeyless && (await signerOf(store.db)) !== undefined) {
    throw new UsageError(
      'file-not-found',
      `another key signs in this database, and ${flags.signingKey} is not there`,
      'give --signing-key the file of that key; or make the one that takes its place first: openssl genpkey -algorithm ed25519 -out FILE',
    )
  }
  const signingKey = await signingKeyIn(signingKeyFile)
  const tokenFile = at(flags.adminTokenFile)
  const isFirst = !(await hasAdmin(store, io.now()))
  if (isFirst) {
    await tokenIn(tokenFile, { store, name: 'admin', rights: [{ right: 'admin' }], now: io.now() })
  }
  const management = await createManagement({
    store,
    signingKey,
    logger,
    trustedProxies: flags.trustedProxy,
    metrics: await newRegistry(),
  })
  opened(() => management.close())
  const server = await serveManagement({ management, host, port, tls })
  opened(() => server.close())
  const readAgain = async (): Promise<void> => {
    try {
      const renewed = await tlsOf(flags, at)
      if (renewed !== undefined) server.renewTls(renewed)
      logger.info('read again')
    } catch (error) {
      logger.error({ err: error }, 'not read again: the old ones stay')
    }
  }
  opened(onHangUp(() => void readAgain()))
  // Whoever is told that it runs may stop it at once.
  const stop = stopped()
  const { url } = server
  if (json) io.stdout.write(`${JSON.stringify({ url })}\n`)
  else {
    io.stdout.write(`manager listens on ${url}\n`)
    if (isFirst) io.stdout.write(`its first token, with all rights, is in ${tokenFile}\n`)
    if (signingKey.isNew) io.stdout.write(`gateways need ${signingKeyFile}.pub (--manager-key)\n`)
  }
  const signal = await stop
  logger.info({ signal }, 'stopping')
  return 0
}

async function databaseOf(
  { database, databaseFile }: ManagerFlags,
  { cwd, env }: Io,
): Promise<string> {
  if (database !== undefined && databaseFile !== undefined) {
    throw new UsageError('options-conflict', '--database and --database-file', 'give one of them')
  }
  const url =
    databaseFile === undefined
      ? (database ?? env.MTLS_POLICY_DATABASE)
      : (await readFile(resolve(cwd, databaseFile), 'utf8')).trim()
  if (url !== undefined && url !== '') return url
  throw new UsageError(
    'usage-missing-option',
    'there is no database',
    'give --database file:manager.sqlite or postgres://…, --database-file FILE, or set MTLS_POLICY_DATABASE',
  )
}

async function tlsOf(
  { tlsCertificate, tlsKey }: ManagerFlags,
  at: (file: string) => string,
): Promise<{ readonly cert: string; readonly key: string } | undefined> {
  if (tlsCertificate === undefined && tlsKey === undefined) return undefined
  if (tlsCertificate === undefined || tlsKey === undefined) {
    throw new UsageError(
      'options-conflict',
      'half of the TLS options',
      'give --tls-certificate and --tls-key, or neither',
    )
  }
  const cert = await readFile(at(tlsCertificate), 'utf8')
  const key = await readFile(at(tlsKey), 'utf8')
  checkTlsPair(
    { option: '--tls-certificate', file: tlsCertificate, content: cert },
    { option: '--tls-key', file: tlsKey, content: key },
  )
  return { cert, key }
}
