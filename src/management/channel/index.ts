/** The manager's end of what gateways ask and say. @module */

export {
  createPublisher,
  environmentsRunning,
  type Publication,
  type Published,
  type Publisher,
  type PublisherOptions,
} from './publish.ts'
export type { GatewayOutcome, SeenGateway } from './reports.ts'
export { type Channel, type ChannelOptions, createChannel } from './routes.ts'
