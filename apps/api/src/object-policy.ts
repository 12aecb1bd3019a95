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
  /** @throws {ApiError} `object_not_allowed` */
  assertAllowed(tenantId: string, location: ObjectLocation): void;
}

export function objectPolicy({ uploadBucket, allowedBuckets }: ObjectPolicyOptions): ObjectPolicy {
  const uploads = 'uploads/';
  return {
    uploadLocation: (tenantId) => ({
      bucket: uploadBucket,
      key: `${uploads}${tenantId}/${randomUUID()}.pdf`,
    }),
    assertAllowed: (tenantId, { bucket, key }) => {
      const inList = allowedBuckets?.includes(bucket) ?? true;
      const foreign =
        bucket === uploadBucket &&
        key.startsWith(uploads) &&
        !key.startsWith(`${uploads}${tenantId}/`);
      if (!inList || foreign) {
        throw new ApiError('object_not_allowed', 'This object may not be used by this API key');
      }
    },
  };
}
