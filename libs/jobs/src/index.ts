export { consume, type ConsumeOptions, type Consumer } from './consumer.ts';
export { JobsError, type JobsErrorCode } from './error.ts';
export { jobKinds, type JobKind } from './job-kind.ts';
export type { Job, JobOutcome } from './job-outcome.ts';
export { openQueues, type JobCounts, type Queues } from './queues.ts';
export { parseQueueUrl, type HostPort, type QueueTarget } from './queue-url.ts';
export { retryDelay } from './retry-delay.ts';
