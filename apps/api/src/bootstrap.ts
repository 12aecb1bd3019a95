import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { bootstrapTenant, type Database } from '@signfleet/db';
import type { Logger } from 'pino';

/**
 * Makes the first tenant and its owner's API key if there is no tenant, and writes the token to
 * `path`, readable by its owner only. The draft is created before the tenant: a folder that cannot
 * be written must not cost the only copy of the token. If it cannot take its place, it stays.
 */
export async function bootstrap(db: Database, path: string, logger: Logger): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, '', { mode: 0o600 });
  let holdsToken = false;
  try {
    const made = await bootstrapTenant(db, { name: 'default' });
    if (made === null) return;
    holdsToken = true;
    await writeFile(draft, `${made.token}\n`);
    await rename(draft, path);
    const { tenantId, apiKeyId } = made;
    logger.info({ tenantId, apiKeyId, path }, 'first tenant made; its API key is in the file');
  } finally {
    if (!holdsToken) await rm(draft, { force: true });
  }
}
