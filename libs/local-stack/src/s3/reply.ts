import type { ServerResponse } from 'node:http';
import { xmlDocument, type XmlFields } from './xml.ts';

/** Answers with an XML document. */
export function replyXml(
  response: ServerResponse,
  root: string,
  content: XmlFields,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = Buffer.from(xmlDocument(root, content));
  const length = String(body.length);
  response
    .writeHead(200, { 'content-type': 'application/xml', 'content-length': length, ...headers })
    .end(body);
}

/** Answers without a body. */
export function replyEmpty(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  const length = status === 204 || status === 304 ? {} : { 'content-length': '0' };
  response.writeHead(status, { ...length, ...headers }).end();
}
