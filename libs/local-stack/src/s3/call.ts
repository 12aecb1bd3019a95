import type { ServerResponse } from 'node:http';
import type { BucketStore } from './bucket-store.ts';
import type { S3Request } from './s3-request.ts';

/** A request whose signature is verified. */
export interface Call {
  readonly store: BucketStore;
  readonly request: S3Request;
  /** What the signature covers about the payload. */
  readonly signedHash: string;
}

/** Answers one kind of call. */
export type Handler = (call: Call, response: ServerResponse) => void | Promise<void>;
