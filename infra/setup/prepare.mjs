import { ensureNpmPackages } from './npm-packages.mjs';
import { ensurePrismaClient } from './prisma-client.mjs';
import { ensureTools } from './system-packages.mjs';

/** Brings a fresh clone to where its code can run; costs little when everything is there. */
export async function prepare({ tools }) {
  await ensureTools(tools);
  await ensureNpmPackages();
  ensurePrismaClient();
}
