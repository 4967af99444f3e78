import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  folder,
  pathsOf,
  read,
  readCommandLine,
  readCompose,
  type Service,
  secretsIn,
} from './support.ts'

const compose = readCompose()
const services = Object.entries(compose.services)
const managers = services.filter(([name]) => name.startsWith('manager'))
const gateways = services.filter(([name]) => name.startsWith('gateway'))
const ours = [...managers, ...gateways]
const networksOf = ({ networks }: Service) =>
  Array.isArray(networks) ? (networks as string[]) : Object.keys(networks)
const dependenciesOf = ({ depends_on = [] }: Service): Record<string, string> =>
  Array.isArray(depends_on)
    ? Object.fromEntries(depends_on.map((name: string) => [name, 'service_started']))
    : Object.fromEntries(
        Object.entries(depends_on as Record<string, { condition: string }>).map(
          ([name, { condition }]) => [name, condition],
        ),
      )
/** Where something is mounted → what. */
const mountsOf = ({ volumes = [], secrets = [] }: Service): ReadonlyMap<string, string> =>
  new Map([
    ...volumes.map((volume) => {
      const [source = '', target = ''] = volume.split(':')
      return [target, source] as const
    }),
    ...secrets.map((name) => [`/run/secrets/${name}`, name] as const),
  ])

describe('deploy/compose.yaml', () => {
  test('is two managers, PostgreSQL and three gateways', () => {
    expect(services.map(([name]) => name)).toEqual([
      'postgres',
      ...['manager-1', 'manager-2', 'gateway-1', 'gateway-2', 'gateway-3'],
    ])
    expect(
      Number(/^postgres:(\d+)/.exec(compose.services.postgres?.image ?? '')?.[1]),
    ).toBeGreaterThanOrEqual(15)
  })

  test.each(ours)('the command line of %s is one that the program takes', (name, { command }) => {
    expect(readCommandLine(command ?? []).command).toBe(name.split('-')[0])
  })

  test.each(ours)('%s uses what is mounted, and mounts what it uses', (_, service) => {
    const mounts = [...mountsOf(service).keys()]
    const paths = pathsOf(readCommandLine(service.command ?? []))
    const holds = (mount: string, path: string) => path === mount || path.startsWith(`${mount}/`)
    expect(paths.length).toBeGreaterThan(4)
    for (const path of paths)
      expect(
        mounts.filter((mount) => holds(mount, path)),
        path,
      ).toHaveLength(1)
    for (const mount of mounts) {
      expect(
        paths.filter((path) => holds(mount, path)),
        mount,
      ).not.toEqual([])
    }
  })

  test('defines each volume, secret and network that is used, and uses each that it defines', () => {
    const sources = services.flatMap(([, service]) => [...mountsOf(service).values()])
    const used = new Set(sources.filter((source) => !source.startsWith('./')))
    expect([...used].toSorted()).toEqual(
      [...Object.keys(compose.volumes), ...Object.keys(compose.secrets)].toSorted(),
    )
    expect([...new Set(services.flatMap(([, service]) => networksOf(service)))].toSorted()).toEqual(
      Object.keys(compose.networks).toSorted(),
    )
  })

  test('keeps the state of each gateway apart, and only volumes may be written', () => {
    const states = gateways.map(([, service]) => mountsOf(service).get('/var/lib/mtls-policy'))
    expect(new Set(states).size).toBe(gateways.length)
    for (const [, { volumes = [] }] of ours) {
      for (const volume of volumes) if (volume.startsWith('./')) expect(volume).toMatch(/:ro$/)
    }
  })

  test('publishes the gateways, and the managers to this machine alone', () => {
    const ports = services.flatMap(([, { ports = [] }]) => ports)
    const hostPorts = ports.map((port) => port.split(':').at(-2))
    expect(new Set(hostPorts).size).toBe(ports.length)
    for (const [, service] of gateways) {
      expect(service.ports).toHaveLength(1)
      const listens = readCommandLine(service.command ?? []).flags.get('listen') ?? []
      expect(listens).toContain(`0.0.0.0:${service.ports?.[0]?.split(':')[1]}`)
    }
    for (const [, { ports = [] }] of managers) {
      expect(ports).toHaveLength(1)
      expect(ports[0]).toMatch(/^127\.0\.0\.1:\d+:8080$/)
    }
    expect(compose.services.postgres?.ports).toBeUndefined()
    for (const [, service] of services) expect(service.network_mode).toBeUndefined()
  })

  test('lets PostgreSQL be reached by managers alone, and managers by gateways', () => {
    const on = (network: string) =>
      services.flatMap(([name, service]) => (networksOf(service).includes(network) ? [name] : []))
    expect(on('database')).toEqual(['postgres', 'manager-1', 'manager-2'])
    expect(on('control')).toEqual([...managers, ...gateways].map(([name]) => name))
    expect(on('admin')).toEqual(managers.map(([name]) => name))
    expect(on('public')).toEqual(gateways.map(([name]) => name))
    expect(compose.networks.database?.internal).toBe(true)
    expect(compose.networks.control?.internal).toBe(true)
  })

  test('gives both managers one name, by which gateways ask', () => {
    for (const [, { networks }] of managers) {
      const control = (networks as Record<string, { aliases?: string[] } | null>).control
      expect(control?.aliases).toEqual(['manager'])
    }
    for (const [, service] of gateways) {
      const { flags } = readCommandLine(service.command ?? [])
      expect(flags.get('manager')).toEqual(['https://manager:8080'])
    }
  })

  test('starts managers after a database that answers, and gateways whether or not a manager does', () => {
    for (const [name, service] of managers) {
      expect(dependenciesOf(service).postgres, name).toBe('service_healthy')
    }
    expect(dependenciesOf(managers[1]?.[1] as Service)['manager-1']).toBe('service_healthy')
    for (const [name, service] of gateways) {
      expect(Object.values(dependenciesOf(service)), name).toEqual([
        'service_started',
        'service_started',
      ])
    }
    for (const [, service] of services) {
      for (const name of Object.keys(dependenciesOf(service))) {
        expect(compose.services[name]?.healthcheck, name).toBeDefined()
      }
    }
  })

  test.each(ours)('the health of %s is asked where it listens', (name, service) => {
    const [kind, program, script, url, ...more] = service.healthcheck?.test ?? []
    expect([kind, program, script, more]).toEqual([
      'CMD',
      'node',
      '/opt/mtls-policy/health.mjs',
      [],
    ])
    const { flags } = readCommandLine(service.command ?? [])
    const { protocol, port, pathname } = new URL(url as string)
    if (name.startsWith('manager')) {
      expect([protocol, port, pathname]).toEqual(['https:', flags.get('port')?.[0], '/health/'])
      expect(flags.get('tls-certificate')).toHaveLength(1)
    } else {
      const listens = flags.get('metrics-listen')?.[0]?.split(':').at(-1)
      expect([protocol, port, pathname]).toEqual(['http:', listens, '/health'])
    }
  })

  test('has secrets in files that prepare.sh or a manager makes, and nowhere else', () => {
    for (const [name, { command = [], environment = {} }] of services) {
      expect(secretsIn(command.join('\n')), name).toEqual([])
      for (const [variable, value] of Object.entries(environment)) {
        expect(secretsIn(`${variable}=${value}`), variable).toEqual([])
      }
    }
    for (const { file } of Object.values(compose.secrets)) expect(file).toMatch(/^\.\/secrets\//)
    expect(read('.gitignore')).toMatch(/^secrets\/$/m)
    expect(secretsIn('postgres://me:word@host')).not.toEqual([])
    expect(secretsIn('MTLS_POLICY_TOKEN=x')).not.toEqual([])
    expect(secretsIn('--database=postgres://host/x')).not.toEqual([])
  })

  test.each(ours)('%s runs with nothing that it does not need', (_, service) => {
    expect(service).toMatchObject({
      restart: 'always',
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    })
    expect(service.privileged).toBeUndefined()
    expect(service.cap_add).toBeUndefined()
    expect(service.user).toBeUndefined()
    expect(existsSync(folder + service.build?.context)).toBe(true)
    expect(existsSync(`${folder}../${service.build?.dockerfile}`)).toBe(true)
  })

  test('names images by a version', () => {
    for (const [, { image, build }] of services) {
      if (build === undefined) expect(image).toMatch(/^\w+:\d/)
      expect(image).not.toMatch(/latest/)
    }
  })
})
