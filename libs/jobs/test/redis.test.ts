import { startRedis } from '@signfleet/local-stack';
import { queueConformance } from './conformance.ts';
import { restartable } from './restartable.ts';

queueConformance('redis-server', () =>
  restartable((directory, address) => startRedis({ directory, appendonly: true, ...address })),
);
