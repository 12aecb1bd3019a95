import type { IncomingMessage } from 'node:http';
import { S3Fault } from './fault.ts';

/** One request, taken apart once: path-style bucket and key, decoded query, single-valued headers. */
export interface S3Request {
  readonly method: string;
  /** The path with its percent-encoding undone. */
  readonly path: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly incoming: IncomingMessage;
  header(name: string): string | undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Fault('InvalidURI', 'The percent-encoding of the request URI is broken.');
  }
}

function parseQuery(text: string): Map<string, string> {
  const query = new Map<string, string>();
  if (text === '') return query;
  for (const pair of text.split('&')) {
    const equals = pair.indexOf('=');
    const name = decoded(equals < 0 ? pair : pair.slice(0, equals));
    if (query.has(name)) throw new S3Fault('InvalidURI', `Parameter ${name} is given twice.`);
    query.set(name, equals < 0 ? '' : decoded(pair.slice(equals + 1)));
  }
  return query;
}

/** @throws S3Fault `InvalidURI`, `KeyTooLongError` */
export function parseRequest(incoming: IncomingMessage): S3Request {
  const url = incoming.url ?? '/';
  const mark = url.indexOf('?');
  const path = decoded(mark < 0 ? url : url.slice(0, mark));
  const slash = path.indexOf('/', 1);
  const key = slash < 0 ? '' : path.slice(slash + 1);
  if (Buffer.byteLength(key) > 1024) throw new S3Fault('KeyTooLongError', 'Your key is too long.');
  return {
    method: incoming.method ?? 'GET',
    path,
    bucket: slash < 0 ? path.slice(1) : path.slice(1, slash),
    key,
    query: parseQuery(mark < 0 ? '' : url.slice(mark + 1)),
    incoming,
    header: (name) => {
      const value = incoming.headers[name];
      return typeof value === 'object' ? value.join(',') : value;
    },
  };
}
