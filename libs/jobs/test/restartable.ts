import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { QueueServer } from './conformance.ts';

interface LocalServer {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** A local server with a directory of its own that always comes back on the same port. */
export async function restartable(
  startServer: (directory: string, address: { port?: number }) => Promise<LocalServer>,
): Promise<QueueServer> {
  const directory = await mkdtemp(join(tmpdir(), 'signfleet-jobs-'));
  let server = await startServer(directory, {});
  const { url, port } = server;
  return {
    url,
    start: async () => {
      server = await startServer(directory, { port });
    },
    stop: () => server.stop(),
    remove: async () => {
      await server.stop();
      await rm(directory, { recursive: true });
    },
  };
}
