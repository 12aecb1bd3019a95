import { createServer } from 'node:net';
import { LocalStackError } from './error.ts';

/** A TCP port of the loopback interface that nothing listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: 0, host: '127.0.0.1' }, resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP address');
  return address.port;
}

/**
 * Runs `start` on the port wanted, or on free ports until one is not snatched away between being
 * found and being used.
 */
export async function onFreePort<Service>(
  wanted: number | undefined,
  start: (port: number) => Promise<Service>,
): Promise<Service> {
  if (wanted !== undefined) return start(wanted);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(await freePort());
    } catch (error) {
      const collided = error instanceof LocalStackError && error.code === 'port_in_use';
      if (!collided || attempt === 5) throw error;
    }
  }
}
