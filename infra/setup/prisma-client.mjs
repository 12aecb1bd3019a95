import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SetupFailure } from './failure.mjs';
import { noEngineDownload } from './npm-packages.mjs';
import { root, runQuietly } from './run-child.mjs';

/** Generates the database client if it is missing or older than the schema or the generator. */
export function ensurePrismaClient() {
  const generated = join(root, 'libs/db/src/generated/client.ts');
  const sources = ['prisma/schema.prisma', 'node_modules/prisma/package.json'];
  const changed = Math.max(...sources.map((path) => statSync(join(root, path)).mtimeMs));
  if (existsSync(generated) && statSync(generated).mtimeMs >= changed) return;
  const command = [join(root, 'node_modules/prisma/build/index.js'), 'generate', '--no-hints'];
  const quiet = { CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1' };
  const code = runQuietly(process.execPath, command, { ...noEngineDownload, ...quiet });
  if (code !== 0) throw new SetupFailure('prisma generate failed (see above).');
}
