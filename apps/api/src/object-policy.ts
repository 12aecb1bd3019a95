import { randomUUID } from 'node:crypto';
import { ApiError } from './errors.ts';

/** Where an object is. */
export interface ObjectLocation {
  readonly bucket: string;
  readonly key: string;
}

export interface ObjectPolicyOptions {
  /** Bucket of the presigned uploads; each tenant has its own folder in it. */
  readonly uploadBucket: string;
  /** The only buckets that requests may name; every bucket if not given. */
  readonly allowedBuckets?: readonly string[] | undefined;
}

/** Which objects a request may name, since the service reads them with its own credentials. */
export interface ObjectPolicy {
  /** A new place for one upload of this tenant. */
  uploadLocation(tenantId: string): ObjectLocation;
  /** Where the result of a signing goes whose request does not say. */
  resultLocation(tenantId: string, source: ObjectLocation, signingId: string): ObjectLocation;
  /** @throws {ApiError} `object_not_allowed` */
  assertAllowed(tenantId: string, location: ObjectLocation): void;
}

export function objectPolicy({ uploadBucket, allowedBuckets }: ObjectPolicyOptions): ObjectPolicy {
  const folderOf = (tenantId: string): string => `uploads/${tenantId}/`;
  return {
    uploadLocation: (tenantId) => ({
      bucket: uploadBucket,
      key: `${folderOf(tenantId)}${randomUUID()}.pdf`,
    }),
    resultLocation: (tenantId, { bucket }, signingId) => ({
      bucket,
      key: `${bucket === uploadBucket ? folderOf(tenantId) : ''}signed/${signingId}.pdf`,
    }),
    assertAllowed: (tenantId, { bucket, key }) => {
      const inList = allowedBuckets?.includes(bucket) ?? true;
      const foreign = bucket === uploadBucket && !key.startsWith(folderOf(tenantId));
      if (!inList || foreign) {
        throw new ApiError('object_not_allowed', 'This object may not be used by this API key');
      }
    },
  };
}
