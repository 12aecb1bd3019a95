/** Names an object. */
export interface ObjectLocation {
  readonly bucket: string;
  readonly key: string;
  /** A certain version; default: the current one. */
  readonly versionId?: string;
  /** Gives up when it aborts; the call then rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** What a store tells of an object without its content. */
export interface ObjectHead {
  /** Bytes. */
  readonly size: number;
  /** As the store gives it, quotes included; opaque. */
  readonly etag: string;
  /** Only from a bucket that keeps versions. */
  readonly versionId?: string;
  readonly contentType?: string;
  /** User metadata, names in lower case without `x-amz-meta-`. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** An object with its content. */
export interface StoredObject extends ObjectHead {
  readonly bytes: Uint8Array;
}

/** What to write. */
export interface ObjectContent {
  readonly bucket: string;
  readonly key: string;
  /** The content, possibly in pieces that are written one after the other. */
  readonly body: Uint8Array | readonly Uint8Array[];
  readonly contentType?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Write only if there is no such object yet. */
  readonly ifNoneMatch?: boolean;
  /** Lower-case hex SHA-256 of the content, if it is known already: saves computing it for the signature. */
  readonly sha256?: string;
  readonly signal?: AbortSignal;
}

/** What a write has made. */
export interface WrittenObject {
  readonly etag: string;
  readonly versionId?: string;
}

/** For how long a URL is valid, and what it allows. */
export interface PresignOptions {
  readonly bucket: string;
  readonly key: string;
  /** At most 604,800 (7 days). */
  readonly expiresInSeconds: number;
}

/** A store of objects in buckets. Every method rejects with a {@link StorageError}. */
export interface ObjectStore {
  /** @throws StorageError `not_found` also when the bucket is missing: S3 tells no difference here. */
  head(location: ObjectLocation): Promise<ObjectHead>;
  /**
   * Reads an object into memory, of which no more than `maxBytes` is ever read.
   *
   * @throws StorageError `too_large`
   */
  get(location: ObjectLocation & { readonly maxBytes?: number }): Promise<StoredObject>;
  /** @throws StorageError `precondition_failed` */
  put(content: ObjectContent): Promise<WrittenObject>;
  /** A URL that lets its bearer read the object. */
  presignGet(
    options: PresignOptions & { readonly versionId?: string; readonly fileName?: string },
  ): Promise<string>;
  /** A URL that lets its bearer write the object; with `contentType`, only as that type. */
  presignPut(options: PresignOptions & { readonly contentType?: string }): Promise<string>;
  /** Drops idle connections. */
  close(): Promise<void>;
}
