import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg';
import { readInternalChar } from './internal-char.ts';

/** The calls used of Prisma's schema engine, which ships as WebAssembly and needs no download. */
export type SchemaEngine = Pick<bindings.SchemaEngine, 'applyMigrations' | 'diff' | 'free'>;

/** Node's WebAssembly, of which the type library chosen for this project knows nothing. */
declare const WebAssembly: {
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(
    module: object,
    imports: Record<string, object>,
  ): Promise<{ readonly exports: Readonly<Record<string, unknown>> }>;
};

/** No table and no enum is somebody else's. */
export const allEntities = { externalTables: [], externalEnums: [] };

let instantiated: Promise<void> | undefined;

async function instantiate(): Promise<void> {
  const entry = import.meta.resolve('@prisma/schema-engine-wasm');
  const code = await readFile(fileURLToPath(new URL('schema_engine_bg.wasm', entry)));
  const module = await WebAssembly.compile(code);
  const { exports } = await WebAssembly.instantiate(module, {
    './schema_engine_bg.js': bindings,
  });
  const start = exports['__wbindgen_start'];
  if (typeof start !== 'function') throw new TypeError('the schema engine has no start function');
  bindings.__wbg_set_wasm(exports);
  (start as () => void)();
}

type Connecting = ReturnType<PrismaPg['connect']>;

/**
 * The stock adapter cuts a migration at every semicolon, function bodies included, and runs the
 * pieces one by one: sent whole, PostgreSQL runs it as one transaction. Nor does the stock adapter
 * leave the database named by a URL when it is told to use a shadow of it.
 */
class MigrationAdapter extends PrismaPg {
  readonly #url: string;

  constructor(url: string) {
    super(url);
    this.#url = url;
  }

  override async connect(): Connecting {
    const adapter = await super.connect();
    readInternalChar(adapter);
    const executeScript = async (script: string): Promise<void> => {
      await adapter.underlyingDriver().query(script);
    };
    return Object.assign(adapter, { executeScript });
  }

  override async connectToShadowDb(): Connecting {
    const server = await this.connect();
    const name = `signfleet_shadow_${randomUUID()}`;
    await server.executeScript(`CREATE DATABASE "${name}"`);
    const url = new URL(this.#url);
    url.pathname = `/${name}`;
    const shadow = await new MigrationAdapter(url.href).connect();
    const disconnect = shadow.dispose.bind(shadow);
    const dispose = async (): Promise<void> => {
      await disconnect();
      await server.executeScript(`DROP DATABASE "${name}"`);
      await server.dispose();
    };
    return Object.assign(shadow, { dispose });
  }
}

/** Opens the engine on a database. `schema` is the text of schema.prisma. */
export async function openSchemaEngine(o: { url: string; schema: string }): Promise<SchemaEngine> {
  instantiated ??= instantiate();
  await instantiated;
  const adapter = bindMigrationAwareSqlAdapterFactory(new MigrationAdapter(o.url));
  const datamodels: [string, string][] = [['schema.prisma', o.schema]];
  return bindings.SchemaEngine.new({ datamodels }, () => undefined, adapter);
}
