import { createHmac, timingSafeEqual } from 'node:crypto';
import { canonicalRequestHash } from './canonical-request.ts';
import { S3Fault } from './fault.ts';
import type { S3Request } from './s3-request.ts';

/** The one identity that this server knows. */
export interface S3Credentials {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

interface SignatureFields {
  readonly credential: string;
  readonly signedHeaders: string;
  readonly signature: string;
  readonly date: string;
  /** What the signer says of the payload: its hex SHA-256 or one of the S3 keywords. */
  readonly payloadHash: string;
  readonly malformed: 'AuthorizationHeaderMalformed' | 'AuthorizationQueryParametersError';
}

const algorithm = 'AWS4-HMAC-SHA256';
const maxSkewMs = 15 * 60 * 1000;
const maxPresignedSeconds = 7 * 24 * 3600;

const hmac = (key: string | Buffer, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest();

/**
 * A verifier of AWS Signature Version 4, in the `Authorization` header or in the query of a
 * presigned URL. It returns what was signed about the payload: a hex SHA-256 or a keyword such as
 * `UNSIGNED-PAYLOAD`.
 */
export function signatureVerifier(credentials: S3Credentials): (request: S3Request) => string {
  const keys = new Map<string, Buffer>(); // of the last days seen
  const signingKey = (day: string): Buffer => {
    let key = keys.get(day);
    if (key === undefined) {
      if (keys.size > 8) keys.clear();
      key = hmac(
        hmac(hmac(hmac(`AWS4${credentials.secretAccessKey}`, day), credentials.region), 's3'),
        'aws4_request',
      );
      keys.set(day, key);
    }
    return key;
  };

  return (request) => {
    const fields = request.query.has('X-Amz-Signature') ? fromQuery(request) : fromHeader(request);
    const day = fields.date.slice(0, 8);
    const scope = `${day}/${credentials.region}/s3/aws4_request`;
    const slash = fields.credential.indexOf('/');
    if (fields.credential.slice(0, slash) !== credentials.accessKeyId) {
      throw new S3Fault('InvalidAccessKeyId', 'The access key id does not exist.');
    }
    if (fields.credential.slice(slash + 1) !== scope) {
      throw new S3Fault(fields.malformed, `The credential's scope must be ${scope}.`);
    }
    const signedHeaders = fields.signedHeaders.split(';');
    checkHeadersAreSigned(request, signedHeaders);
    const hash = canonicalRequestHash(request, signedHeaders, fields.payloadHash);
    const expected = hmac(signingKey(day), [algorithm, fields.date, scope, hash].join('\n'));
    const given = Buffer.from(fields.signature, 'hex');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw new S3Fault(
        'SignatureDoesNotMatch',
        'The request signature we calculated does not match the signature you provided.',
      );
    }
    return fields.payloadHash;
  };
}

function fromHeader(request: S3Request): SignatureFields {
  const malformed = 'AuthorizationHeaderMalformed';
  const text = request.header('authorization');
  if (text === undefined) throw new S3Fault('AccessDenied', 'Anonymous access is denied.');
  const [, credential, signedHeaders, signature] =
    /^AWS4-HMAC-SHA256 +Credential=([^, ]+), *SignedHeaders=([^, ]+), *Signature=([0-9a-f]{64})$/.exec(
      text,
    ) ?? [];
  if (credential === undefined || signedHeaders === undefined || signature === undefined) {
    throw new S3Fault(malformed, `Only ${algorithm} is accepted.`);
  }
  const date = request.header('x-amz-date') ?? '';
  if (Math.abs(Date.now() - timeOf(date, malformed)) > maxSkewMs) {
    throw new S3Fault('RequestTimeTooSkewed', 'The request time is too far from ours.');
  }
  const payloadHash = request.header('x-amz-content-sha256');
  if (payloadHash === undefined) {
    throw new S3Fault('InvalidRequest', 'Missing required header: x-amz-content-sha256');
  }
  return { credential, signedHeaders, signature, date, payloadHash, malformed };
}

function fromQuery(request: S3Request): SignatureFields {
  const malformed = 'AuthorizationQueryParametersError';
  const parameter = (name: string): string => {
    const value = request.query.get(`X-Amz-${name}`);
    if (value === undefined) throw new S3Fault(malformed, `X-Amz-${name} is missing.`);
    return value;
  };
  if (parameter('Algorithm') !== algorithm) {
    throw new S3Fault(malformed, `Only ${algorithm} is accepted.`);
  }
  const date = parameter('Date');
  const signedAt = timeOf(date, malformed);
  const seconds = Number(parameter('Expires'));
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > maxPresignedSeconds) {
    throw new S3Fault(malformed, 'X-Amz-Expires must be between 1 second and 7 days.');
  }
  const now = Date.now();
  if (now < signedAt - maxSkewMs) throw new S3Fault('AccessDenied', 'Request is not valid yet');
  if (now > signedAt + seconds * 1000) throw new S3Fault('AccessDenied', 'Request has expired');
  return {
    credential: parameter('Credential'),
    signedHeaders: parameter('SignedHeaders'),
    signature: parameter('Signature'),
    date,
    payloadHash:
      request.query.get('X-Amz-Content-Sha256') ??
      request.header('x-amz-content-sha256') ??
      'UNSIGNED-PAYLOAD',
    malformed,
  };
}

function timeOf(date: string, malformed: SignatureFields['malformed']): number {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(time)) throw new S3Fault(malformed, 'The date must be yyyyMMddTHHmmssZ.');
  return time;
}

/** S3 refuses a header that changes the meaning of a request unless the signer has seen it. */
function checkHeadersAreSigned(request: S3Request, signedHeaders: readonly string[]): void {
  const signed = new Set(signedHeaders);
  for (const name of Object.keys(request.incoming.headers)) {
    const mustBeSigned =
      name === 'host' || (name.startsWith('x-amz-') && name !== 'x-amz-content-sha256');
    if (mustBeSigned && !signed.has(name)) {
      throw new S3Fault('AccessDenied', `The header ${name} was not signed.`);
    }
  }
}
