/** Opening the store, and what to do when it cannot be opened. @module */

import { openStore, type Store } from '../../management/index.ts'
import { UsageError } from '../io.ts'

/** The store, or what to do next. The URL is in no message: it may hold a password. */
export async function storeAt(url: string): Promise<Store> {
  try {
    return await openStore({ url })
  } catch (error) {
    const mistake = mistakeOf(error)
    if (mistake === undefined) throw error
    throw mistake
  }
}

function mistakeOf(error: unknown): UsageError | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  const { code, message } = error
  if (code === 'store-too-new') {
    return new UsageError(code, message, 'run the newer version of mtls-policy again')
  }
  if (code === 'store-url-invalid') {
    return new UsageError('usage-invalid-value', `--database: ${message}`, 'mind the prefix')
  }
  const reason = code === 'store-unavailable' && 'reason' in error ? error.reason : code
  const [text, remedy] = wordsOf(String(reason)) ?? []
  if (text !== undefined && remedy !== undefined) {
    return new UsageError('store-unavailable', `${text} (${reason})`, remedy)
  }
  if (code !== 'store-unavailable') return undefined
  return new UsageError(code, message, 'start the database, or check --database')
}

function wordsOf(reason: string): readonly [text: string, remedy: string] | undefined {
  if (/^(?:ERR_TLS_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/.test(reason)) {
    return [
      'the database shows a certificate that is not trusted for this host',
      'name its CA in the URL: &sslrootcert=FILE',
    ]
  }
  // `SQLITE_BUSY_RECOVERY` is one of `SQLITE_BUSY`.
  const name = /^SQLITE_[A-Z]+/.exec(reason)?.[0] ?? reason
  return Object.hasOwn(reasons, name) ? reasons[name] : undefined
}

/** By the code of SQLite, the SQLSTATE of PostgreSQL (its appendix A), or what Node says of the network and the disk. */
const reasons: Readonly<Record<string, readonly [text: string, remedy: string]>> = {
  SQLITE_NOTADB: [
    'that file is no SQLite database',
    'name another file, or one that is not there yet',
  ],
  SQLITE_CORRUPT: ['the SQLite database is damaged', 'put a backup in its place'],
  SQLITE_CANTOPEN: ['the file cannot be opened', 'check the folder, and who may write there'],
  SQLITE_READONLY: ['the file is read-only', 'check who may write it'],
  SQLITE_BUSY: [
    'another process holds the database',
    'SQLite is for one manager: stop the other one',
  ],
  '28P01': ['the database refuses the user or the password', 'check both in the URL'],
  '28000': [
    'the database does not let this user in',
    "check the URL, and the server's pg_hba.conf",
  ],
  '3D000': ['the server has no database of that name', 'create it, or check the URL'],
  '42501': ['the user may not create tables there', 'let the role own its database'],
  'tls-unsupported': [
    'the database server speaks no TLS, which sslmode in the URL asks for',
    'turn TLS on at the server; on the same machine, leave sslmode out',
  ],
  EACCES: ['the file or its folder is not for this user', 'check who may read and write there'],
  EISDIR: ['that is a folder', 'name a file in it'],
  ECONNREFUSED: ['nobody listens at that host and port', 'start the database, or check --database'],
  ENOTFOUND: ['there is no host of that name', 'check --database'],
}
