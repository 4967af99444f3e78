/** How a gateway learns what it runs. @module */

export type {
  AlarmCode,
  StateResult,
  SubscribedCrl,
  SubscribedProxy,
  SubscribedState,
  Subscription,
  SubscriptionAlarm,
  SubscriptionOptions,
  SubscriptionStatus,
  SubscriptionTimes,
} from './options.ts'
export { createSubscription } from './subscription.ts'
