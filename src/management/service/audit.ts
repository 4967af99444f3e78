/** Who changed what: a row for every change, in the change's own transaction. @module */

import { withoutTokens } from '../../base/log-text.ts'
import type { AuditRecord } from '../resources.ts'
import { chunksOf } from './chunks.ts'
import { newId } from './ids.ts'
import type { Db } from './lookups.ts'
import { type Page, type PageQuery, pageOf } from './pages.ts'

export interface AuditEntry {
  readonly action: string
  readonly target: string
  /** What is written, without any secret. */
  readonly detail: object
}

export async function recordChange(
  trx: Db,
  by: { readonly actor: string; readonly now: Date },
  action: string,
  target: string,
  detail: object,
): Promise<void> {
  await recordChanges(trx, by, [{ action, target, detail }])
}

/** In this order. */
export async function recordChanges(
  trx: Db,
  { actor, now }: { readonly actor: string; readonly now: Date },
  entries: readonly AuditEntry[],
): Promise<void> {
  for (const some of chunksOf(entries)) {
    const rows = some.map(({ action, target, detail }) => {
      const text = withoutTokens(JSON.stringify(detail))
      return {
        id: newId(now),
        at: now.toISOString(),
        actor,
        action,
        target,
        detail: text.length > maxDetail ? JSON.stringify({ octets: text.length }) : text,
      }
    })
    await trx.insertInto('audit').values(rows).execute()
  }
}

/** The newest first. @param project - Absent: of all projects, and what is of none. */
export async function auditPage(
  db: Db,
  project: string | undefined,
  { limit, cursor }: PageQuery,
): Promise<Page<AuditRecord>> {
  let query = db.selectFrom('audit').selectAll()
  if (project !== undefined) {
    const target = `projects/${project}`
    query = query.where(({ eb, or, and }) =>
      // What comes after the separator sorts before the character after it: no pattern, whose signs a name may have.
      or([
        eb('target', '=', target),
        and([eb('target', '>=', `${target}/`), eb('target', '<', `${target}0`)]),
      ]),
    )
  }
  if (cursor !== undefined) query = query.where('id', '<', cursor)
  const rows = await query
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
  return pageOf(
    rows.map((row) => ({ ...row, detail: JSON.parse(row.detail) as unknown })),
    limit,
    ({ id }) => id,
  )
}

/** Local limit: a log is no second store. */
const maxDetail = 65_536
