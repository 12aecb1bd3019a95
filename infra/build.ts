import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build, type Metafile, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The entry points of each process, from `apps/<name>/src`. */
export const processes = {
  api: ['main.ts', 'migrate.ts'],
  worker: ['main.ts'],
  cli: ['main.ts'],
} as const;
export type ProcessName = keyof typeof processes;

/** Our own libraries go into the bundle, what comes from npm stays outside. */
const workspaceLibraries: Plugin = {
  name: 'workspace-libraries',
  setup: (context) => {
    context.onResolve({ filter: /^@signfleet\/[a-z-]+$/ }, ({ path }) => ({
      path: `${root}libs/${path.slice('@signfleet/'.length)}/src/index.ts`,
    }));
  },
};

/**
 * Bundles one process into `dist/<name>/bin/`, as deep as `libs/<name>/src/`, so that files found
 * relative to a module (prisma/migrations) are found from the bundle too. Source maps lie beside.
 *
 * @returns what went into the bundle and what it imports
 */
export async function buildProcess(name: ProcessName, o: { write: boolean }): Promise<Metafile> {
  if (o.write) await rm(`${root}dist/${name}`, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: processes[name].map((file) => `apps/${name}/src/${file}`),
    outdir: `dist/${name}/bin`,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    packages: 'external',
    plugins: [workspaceLibraries],
    sourcemap: true,
    keepNames: true, // error classes are told apart by name in logs
    metafile: true,
    write: o.write,
    logLevel: 'warning',
  });
  return metafile;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of Object.keys(processes) as ProcessName[]) {
    const { outputs } = await buildProcess(name, { write: true });
    const bytes = Object.entries(outputs)
      .filter(([path]) => path.endsWith('.js'))
      .reduce((total, [, output]) => total + output.bytes, 0);
    console.log(`dist/${name}/bin: ${Math.round(bytes / 1024)} KiB`);
  }
}
