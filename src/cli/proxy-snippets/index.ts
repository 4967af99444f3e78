/** The proxies that `proxy-snippet` knows, by the names of their presets. @module */

import { apache } from './apache.ts'
import { caddy } from './caddy.ts'
import { envoy } from './envoy.ts'
import { haproxy } from './haproxy.ts'
import { nginx } from './nginx.ts'
import type { SnippetMaker } from './snippet.ts'

export const snippetMakers: Readonly<Record<string, SnippetMaker>> = {
  nginx,
  haproxy,
  apache,
  caddy,
  envoy,
}
