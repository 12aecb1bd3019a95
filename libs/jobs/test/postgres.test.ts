import { startPostgres } from '@signfleet/local-stack';
import { queueConformance } from './conformance.ts';
import { restartable } from './restartable.ts';

queueConformance('PostgreSQL', () =>
  restartable((directory, address) => startPostgres({ directory, ...address })),
);
