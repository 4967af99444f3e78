/** Debian's nginx before the same upstream, with `ssl_verify_client on`. @module */

import { type ChildProcess, spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'

export interface Nginx {
  readonly pid: number
  readonly port: number
  stop(): void
}

/**
 * One process that does everything, as the gateway is one.
 *
 * @param folder - With `server.pem`, `server.key` and `anchors.pem`.
 * @returns `undefined`: it is not installed.
 */
export async function startNginx(folder: string, upstreamPort: number): Promise<Nginx | undefined> {
  const port = await freePort()
  await writeFile(join(folder, 'nginx.conf'), configuration(folder, port, upstreamPort))
  const child = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const isThere = await new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(false))
    child.once('spawn', () => resolve(true))
  })
  if (!isThere) return undefined
  await answers(child, port)
  return { pid: child.pid as number, port, stop: () => child.kill() }
}

function configuration(folder: string, port: number, upstreamPort: number): string {
  return `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  keepalive_requests 100000000;
  keepalive_timeout 600s;
  ssl_session_cache off;
  ssl_protocols TLSv1.2 TLSv1.3;
  upstream behind { server 127.0.0.1:${upstreamPort}; keepalive 64; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${folder}/server.pem;
    ssl_certificate_key ${folder}/server.key;
    ssl_client_certificate ${folder}/anchors.pem;
    ssl_verify_client on;
    ssl_verify_depth 3;
    location / {
      proxy_pass http://behind;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto https;
      proxy_set_header X-Client-Subject $ssl_client_s_dn;
    }
  }
}
`
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  await new Promise((closed) => server.close(closed))
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function answers(child: ChildProcess, port: number): Promise<void> {
  const { connect } = await import('node:net')
  let said = ''
  child.stderr?.on('data', (text: Buffer) => {
    said += text
  })
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null) throw new Error(`nginx: ${said}`)
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
    if (isOpen) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('nginx does not listen')
}
