import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Bucket } from './bucket.ts';
import { S3Fault } from './fault.ts';

/** All buckets of one server. */
export class BucketStore {
  readonly #directory: string;
  readonly #buckets = new Map<string, Bucket>();

  constructor(directory: string) {
    this.#directory = join(directory, 'buckets');
    mkdirSync(this.#directory, { recursive: true });
    for (const name of readdirSync(this.#directory)) {
      if (existsSync(join(this.#directory, name, 'bucket.json')))
        this.#buckets.set(name, new Bucket(this.#directory, name));
    }
  }

  all(): Bucket[] {
    return [...this.#buckets.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws S3Fault `NoSuchBucket` */
  get(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) throw new S3Fault('NoSuchBucket', 'The bucket does not exist.');
    return bucket;
  }

  has(name: string): boolean {
    return this.#buckets.has(name);
  }

  /** @throws S3Fault `InvalidBucketName`, `BucketAlreadyOwnedByYou` */
  create(name: string): Bucket {
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) || name.includes('..')) {
      throw new S3Fault('InvalidBucketName', 'The bucket name is not valid.');
    }
    if (this.has(name))
      throw new S3Fault('BucketAlreadyOwnedByYou', 'You own this bucket already.');
    const bucket = new Bucket(this.#directory, name);
    this.#buckets.set(name, bucket);
    return bucket;
  }

  /** @throws S3Fault `NoSuchBucket`, `BucketNotEmpty` */
  delete(name: string): void {
    if (this.get(name).keys().length > 0) {
      throw new S3Fault('BucketNotEmpty', 'The bucket you tried to delete is not empty.');
    }
    this.#buckets.delete(name);
    rmSync(join(this.#directory, name), { recursive: true, force: true });
  }
}
