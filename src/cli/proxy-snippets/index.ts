/** The proxies that `proxy-snippet` knows. @module */

import { apache } from './apache.ts'
import { awsAlb } from './aws-alb.ts'
import { azureApplicationGateway, azureAppService } from './azure.ts'
import { caddy } from './caddy.ts'
import { cloudflare } from './cloudflare.ts'
import { envoy } from './envoy.ts'
import { googleCloud } from './google-cloud.ts'
import { haproxy } from './haproxy.ts'
import { istio } from './istio.ts'
import { kong } from './kong.ts'
import { nginx } from './nginx.ts'
import type { SnippetMaker } from './snippet.ts'
import { traefik } from './traefik.ts'

/** In the order in which they are listed: first those that have a whole configuration. */
export const snippetMakers: Readonly<Record<string, SnippetMaker>> = {
  nginx,
  haproxy,
  apache,
  caddy,
  envoy,
  traefik,
  kong,
  istio,
  'aws-alb': awsAlb,
  cloudflare,
  gcp: googleCloud,
  'azure-app-service': azureAppService,
  'azure-application-gateway': azureApplicationGateway,
}
