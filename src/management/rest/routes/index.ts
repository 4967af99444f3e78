/** Every route of the API. @module */

import type { Route } from '../route.ts'
import { deploymentRoutes } from './deployments.ts'
import { policyRoutes } from './policies.ts'
import { projectRoutes } from './projects.ts'
import { systemRoutes } from './system.ts'
import { trustRoutes } from './trust.ts'

export const routes: readonly Route[] = [
  ...policyRoutes,
  ...deploymentRoutes,
  ...projectRoutes,
  ...trustRoutes,
  ...systemRoutes,
]
