import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ApiClient } from './api-client.ts';
import { CliError } from './error.ts';

/** Where the local stack keeps its state, below the folder it was started in. */
export const localStackFolder = '.signfleet';

const localApiSchema = z.object({ url: z.url(), apiKeyFile: z.string().min(1) });

/** What `npm run demo` leaves behind so that the other commands find its API. */
export type LocalApi = z.infer<typeof localApiSchema>;

export const localApiFile = (folder: string): string => join(folder, 'api.json');

export interface ConnectionOptions {
  readonly url?: string;
  readonly apiKeyFile?: string;
}

/**
 * The API to talk to: `--url` and `--api-key-file`, else `SIGNFLEET_URL` and `SIGNFLEET_API_KEY`
 * (or `SIGNFLEET_API_KEY_FILE`), else the local stack in the current folder.
 */
export async function connect(
  options: ConnectionOptions,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<ApiClient> {
  const local = await readLocalApi();
  const url = options.url ?? env['SIGNFLEET_URL'] ?? local?.url;
  const keyFile = options.apiKeyFile ?? env['SIGNFLEET_API_KEY_FILE'];
  const key =
    keyFile === undefined
      ? (env['SIGNFLEET_API_KEY'] ?? (local && (await readKey(local.apiKeyFile))))
      : await readKey(keyFile);
  if (url === undefined || key === undefined) {
    throw new CliError(
      'not_configured',
      'no API to talk to: set SIGNFLEET_URL and SIGNFLEET_API_KEY, or start one with "npm run demo"',
    );
  }
  return new ApiClient({ url, apiKey: key });
}

async function readLocalApi(): Promise<LocalApi | undefined> {
  let text: string;
  try {
    text = await readFile(localApiFile(localStackFolder), 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
  return localApiSchema.parse(JSON.parse(text));
}

async function readKey(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new CliError('not_configured', `cannot read the API key file ${file}`, { cause });
  }
}
