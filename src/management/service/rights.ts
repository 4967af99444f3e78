/** What a token may do. @module */

import { Refusal } from './refusal.ts'

/**
 * `read` sees a project, `write` changes it and sees it, `deploy` puts it in force and sees it. `*` is every project or environment, those
 * to come as well. `gateway` is for gateways: what is deployed to an environment, and nothing else. `admin` is everything but that.
 */
export type Right =
  | { readonly right: 'admin' }
  | { readonly right: 'read' | 'write' | 'deploy'; readonly project: string }
  | { readonly right: 'gateway'; readonly environment: string }

/** Who asks: a token that was found good. */
export interface Actor {
  readonly tokenId: string
  readonly name: string
  readonly rights: readonly Right[]
}

export type Need = 'read' | 'write' | 'deploy'

export function isAdmin({ rights }: Actor): boolean {
  return rights.some(({ right }) => right === 'admin')
}

export function mayProject(actor: Actor, need: Need, project: string): boolean {
  return actor.rights.some((one) => {
    if (one.right === 'admin') return true
    if (one.right === 'gateway' || (one.project !== '*' && one.project !== project)) return false
    return one.right === need || need === 'read'
  })
}

/** Every project, whichever there are: what a list need not filter. */
export function mayEveryProject(actor: Actor): boolean {
  return actor.rights.some(
    (one) => one.right === 'admin' || ('project' in one && one.project === '*'),
  )
}

/** Projects that the token's rights name; `undefined`: every one. A gateway's token names none. */
export function namedProjects(actor: Actor): readonly string[] | undefined {
  if (mayEveryProject(actor)) return undefined
  return actor.rights.flatMap((right) => ('project' in right ? [right.project] : []))
}

/**
 * Environments that the token may see; `undefined`: every one. A project can be deployed to any of them, and whoever has to do with one
 * has to know their names; a gateway serves those of its token, and need not know of others.
 */
export function namedEnvironments({ rights }: Actor): readonly string[] | undefined {
  const own: string[] = []
  for (const right of rights) {
    if (right.right !== 'gateway' || right.environment === '*') return undefined
    own.push(right.environment)
  }
  return own
}

export function mayGateway({ rights }: Actor, environment: string): boolean {
  return rights.some(
    (one) =>
      one.right === 'gateway' && (one.environment === '*' || one.environment === environment),
  )
}

/** Said before anything is looked up: that a project does not exist is told to no one else. */
export function demandProject(actor: Actor, need: Need, project: string): void {
  if (mayProject(actor, need, project)) return
  throw new Refusal('right-missing', `the token lacks the right ${need} for this project`)
}

export function demandAdmin(actor: Actor): void {
  if (!isAdmin(actor)) throw new Refusal('right-missing', 'the token lacks the right admin')
}
