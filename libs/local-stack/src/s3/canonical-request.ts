import { createHash } from 'node:crypto';
import { S3Fault } from './fault.ts';
import type { S3Request } from './s3-request.ts';

/** RFC 3986 unreserved characters stay, everything else becomes %XX (AWS "UriEncode"). */
export function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

const byName = ([a]: [string, string], [b]: [string, string]): number =>
  a < b ? -1 : a > b ? 1 : 0;

/**
 * The hex SHA-256 of the canonical request of AWS Signature Version 4 for S3 (the path is encoded
 * once).
 */
export function canonicalRequestHash(
  request: S3Request,
  signedHeaders: readonly string[],
  payloadHash: string,
): string {
  const query = [...request.query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]): [string, string] => [uriEncode(name), uriEncode(value)])
    .sort(byName)
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  const headers = signedHeaders.map((name) => {
    const value = request.header(name);
    if (value === undefined) {
      throw new S3Fault('AccessDenied', `The signed header ${name} is missing.`);
    }
    return `${name}:${value.trim().replace(/\s+/g, ' ')}\n`;
  });
  const canonical = [
    request.method,
    request.path.split('/').map(uriEncode).join('/'),
    query,
    headers.join(''),
    signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
  return createHash('sha256').update(canonical).digest('hex');
}
