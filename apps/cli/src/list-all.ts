import type { z } from 'zod';
import type { ApiClient } from './api-client.ts';
import { pageOf } from './resources.ts';

export interface ListRequest<Item extends z.ZodType> {
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly item: Item;
}

/** Every item of a list, page by page, fetched as they are consumed. */
export async function* listAll<Item extends z.ZodType>(
  api: ApiClient,
  request: ListRequest<Item>,
): AsyncGenerator<z.output<Item>, void, undefined> {
  const schema = pageOf(request.item);
  let cursor: string | undefined;
  do {
    const page = await api.call({
      path: request.path,
      query: { limit: 200, ...request.query, cursor },
      schema,
    });
    yield* page.items;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

/** Every item of a list, in memory: for lists that a person reads. */
export async function collectAll<Item extends z.ZodType>(
  api: ApiClient,
  request: ListRequest<Item>,
): Promise<z.output<Item>[]> {
  const items: z.output<Item>[] = [];
  for await (const item of listAll(api, request)) items.push(item);
  return items;
}
