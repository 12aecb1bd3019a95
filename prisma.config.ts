import { defineConfig } from 'prisma/config';

/** Read by the Prisma command line only; the applications get their database by DATABASE_URL. */
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
});
