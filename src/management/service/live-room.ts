/** Putting CRLs and kill list entries in force, as far as there is room for them: for one project, and in each environment. @module */

import { sql } from 'kysely'
import { describeDeploymentFailure } from '../../deployment/failure.ts'
import { liveLimits, liveMeasureWords, overProjectLimit } from '../../deployment/live-limits.ts'
import type { Published, Publisher } from '../channel/publish.ts'
import type { Change } from './change.ts'
import type { Owner } from './lookups.ts'
import { Refusal } from './refusal.ts'

/**
 * After something was added: a project and its API proxies have no more than a project may, wherever they run.
 *
 * @throws Refusal `limit-reached`.
 */
export async function demandRoom(
  { trx }: Pick<Change, 'trx'>,
  { projectId, projectName }: Owner,
): Promise<void> {
  const proxies = trx.selectFrom('api_proxies').select('id').where('project_id', '=', projectId)
  const kills = await trx
    .selectFrom('kill_entries')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .select(sql<number | null>`sum(octet_length(entry))`.as('octets'))
    .where(({ or, eb }) => or([eb('owner_id', '=', projectId), eb('owner_id', 'in', proxies)]))
    .executeTakeFirstOrThrow()
  const crls = await trx
    .selectFrom('crls')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .select(sql<number | null>`sum(length(der))`.as('octets'))
    .where(({ or, eb }) => or([eb('owner_id', '=', projectId), eb('owner_id', 'in', proxies)]))
    .executeTakeFirstOrThrow()
  const over = overProjectLimit({
    killEntries: Number(kills.count),
    crls: Number(crls.count),
    documentOctets: Number(kills.octets ?? 0),
    crlOctets: Number(crls.octets ?? 0),
  })
  if (over === undefined) return
  const { perProject } = liveLimits[over]
  const words = liveMeasureWords[over]
  const message = `the project ${projectName} and its API proxies have at most ${perProject} ${words}`
  throw new Refusal('limit-reached', message)
}

/**
 * Tells the gateways of every environment in which the owner runs.
 *
 * @param how - Nothing keeps back who takes something away.
 * @throws Refusal `limit-reached`.
 */
export async function putLiveInForce(
  { trx }: Change,
  publisher: Publisher,
  { kind, id, projectName }: Owner,
  how: 'grows' | 'shrinks',
): Promise<readonly Published[]> {
  const published = await publisher.publishLiveOf(trx, kind, id, how)
  if (published.ok) return published.value
  const { failure } = published
  const whose =
    failure.code === 'live-data-too-large' && failure.whose === 'environment'
      ? ''
      : `the project ${projectName}: `
  const text = describeDeploymentFailure(failure)
  throw new Refusal('limit-reached', `gateways could not take it: ${whose}${text}`)
}
