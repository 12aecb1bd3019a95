import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import type { ApiClient } from './api-client.ts';
import { CliError } from './error.ts';
import { downloadSchema, uploadSchema } from './resources.ts';

/** Puts a local file into the object store by a presigned URL; answers where it lies. */
export async function upload(api: ApiClient, path: string): Promise<z.output<typeof uploadSchema>> {
  const target = await api.call({
    method: 'POST',
    path: '/v1/uploads',
    body: {},
    schema: uploadSchema,
  });
  const body = await readFile(path);
  const response = await fetch(target.url, { method: 'PUT', body, headers: target.headers });
  if (!response.ok) throw storeRefused('upload', path, response.status);
  return target;
}

/** The signed PDF of a completed signing, by a presigned URL. */
export async function download(api: ApiClient, signingId: string): Promise<Uint8Array> {
  const { url } = await api.call({
    path: `/v1/signings/${signingId}/download`,
    schema: downloadSchema,
  });
  const response = await fetch(url);
  if (!response.ok) throw storeRefused('download', signingId, response.status);
  return new Uint8Array(await response.arrayBuffer());
}

function storeRefused(what: string, name: string, status: number): CliError {
  return new CliError(
    'api_refused',
    `the object store refused the ${what} of ${name} (${status}): is it reachable?`,
    { details: { status } },
  );
}
