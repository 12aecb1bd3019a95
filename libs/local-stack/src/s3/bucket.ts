import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ContentCache } from './content-cache.ts';
import { S3Fault } from './fault.ts';
import { readContent, readObjectFacts, writeObjectFile, type ObjectFacts } from './object-file.ts';
import type { Payload } from './payload.ts';

/** One version with the file that holds it. */
export interface ObjectVersion extends ObjectFacts {
  readonly path: string;
}

/** What a write asks of the object that is there. */
export interface WriteCondition {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
}

interface BucketFacts {
  readonly createdAt: number;
  readonly versioning: boolean;
}

/** Bytes of recent contents that a bucket keeps in memory. */
const cacheLimit = 64 * 1024 * 1024;

const runId = randomBytes(8).toString('hex');
let counter = 0;

/** Sorts by time, also within one millisecond. */
function nextId(): string {
  counter = (counter + 1) % 0x1000000;
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time}${counter.toString(16).padStart(6, '0')}${runId}`;
}

/** The versions of one bucket's objects: an index in memory over one file each on disk. */
export class Bucket {
  readonly name: string;
  readonly directory: string;
  #facts: BucketFacts;
  /** Oldest version first. */
  readonly #versions = new Map<string, ObjectVersion[]>();
  #sortedKeys: string[] | undefined;
  readonly #cache = new ContentCache(cacheLimit);
  readonly #folders = new Set<string>();

  constructor(directory: string, name: string) {
    this.name = name;
    this.directory = join(directory, name);
    for (const folder of ['objects', 'temporary', 'uploads'])
      mkdirSync(join(this.directory, folder), { recursive: true });
    this.#facts =
      this.#readFacts() ?? this.#writeFacts({ createdAt: Date.now(), versioning: false });
    this.#load();
  }

  get createdAt(): number {
    return this.#facts.createdAt;
  }

  get versioning(): boolean {
    return this.#facts.versioning;
  }

  set versioning(versioning: boolean) {
    this.#facts = this.#writeFacts({ ...this.#facts, versioning });
  }

  /** A path nothing uses yet, on the same file system as the objects. */
  temporaryPath(): string {
    return join(this.directory, 'temporary', nextId());
  }

  /** The keys that have a version, in order. */
  keys(): readonly string[] {
    return (this.#sortedKeys ??= [...this.#versions.keys()].sort());
  }

  /** Of one key, oldest first. */
  versionsOf(key: string): readonly ObjectVersion[] {
    return this.#versions.get(key) ?? [];
  }

  /** The current version, if the object exists and is not deleted. */
  current(key: string): ObjectVersion | undefined {
    const version = this.#versions.get(key)?.at(-1);
    return version?.deleteMarker === true ? undefined : version;
  }

  /** @throws S3Fault `NoSuchKey`, `NoSuchVersion`, `MethodNotAllowed` */
  find(key: string, versionId?: string): ObjectVersion {
    if (versionId !== undefined) {
      const version = this.versionsOf(key).find((one) => (one.versionId ?? 'null') === versionId);
      if (version === undefined) throw new S3Fault('NoSuchVersion', 'The version does not exist.');
      if (!version.deleteMarker) return version;
      const marker = { 'x-amz-delete-marker': 'true' };
      throw new S3Fault('MethodNotAllowed', 'The version is a delete marker.', marker);
    }
    const version = this.current(key);
    if (version !== undefined) return version;
    const deleted = this.#versions.has(key);
    throw new S3Fault(
      'NoSuchKey',
      'The specified key does not exist.',
      deleted ? { 'x-amz-delete-marker': 'true' } : {},
    );
  }

  /** Reads `length` bytes of a version's content from `start`. */
  read(version: ObjectVersion, start: number, length: number): Buffer {
    const cached = this.#cache.get(version.path);
    if (cached !== undefined) return cached.subarray(start, start + length);
    const content = readContent(version.path, start, length);
    if (length === version.size) this.#cache.set(version.path, content);
    return content;
  }

  /** @throws S3Fault `PreconditionFailed`, `NoSuchKey` */
  checkCondition(key: string, condition: WriteCondition): void {
    const current = this.current(key);
    if (condition.ifNoneMatch !== undefined) {
      if (condition.ifNoneMatch !== '*') {
        throw new S3Fault('NotImplemented', 'Only If-None-Match: * is possible on a write.');
      }
      if (current !== undefined) throw preconditionFailed('If-None-Match');
    }
    if (condition.ifMatch !== undefined) {
      if (current === undefined) throw new S3Fault('NoSuchKey', 'The object does not exist.');
      if (condition.ifMatch !== '*' && unquoted(condition.ifMatch) !== unquoted(current.etag)) {
        throw preconditionFailed('If-Match');
      }
    }
  }

  /** Checks the condition and writes, in one step that nothing can come between. */
  put(o: {
    facts: Omit<ObjectFacts, 'versionId' | 'deleteMarker' | 'modifiedAt'>;
    content: Payload['content'];
    condition: WriteCondition;
  }): ObjectVersion {
    this.checkCondition(o.facts.key, o.condition);
    return this.#add({ ...o.facts, deleteMarker: false }, o.content);
  }

  /** Adds a delete marker, or removes a version for good. */
  delete(
    key: string,
    versionId?: string,
  ): { versionId: string | undefined; deleteMarker: boolean } {
    const versions = this.#versions.get(key) ?? [];
    if (versionId === undefined && this.versioning) {
      const marker = { key, size: 0, etag: '', headers: {}, deleteMarker: true };
      const version = this.#add(marker, { chunks: [] });
      return { versionId: version.versionId ?? undefined, deleteMarker: true };
    }
    const wanted = versionId ?? 'null';
    const gone = versions.find((one) => (one.versionId ?? 'null') === wanted);
    if (gone === undefined) return { versionId, deleteMarker: false };
    this.#remove(gone.path);
    this.#set(
      key,
      versions.filter((one) => one !== gone),
    );
    return { versionId, deleteMarker: gone.deleteMarker };
  }

  #add(
    facts: Omit<ObjectFacts, 'versionId' | 'modifiedAt'>,
    content: Payload['content'],
  ): ObjectVersion {
    const id = nextId();
    const path = join(this.#folderOf(id), id);
    const versionId = this.versioning ? id : null;
    const version = { ...facts, versionId, modifiedAt: Date.now() };
    writeObjectFile(path, content, version);
    const stored = { ...version, path };
    const versions = this.versionsOf(facts.key);
    const replaced = versionId === null ? versions.filter((one) => one.versionId === null) : [];
    this.#set(facts.key, [...versions.filter((one) => !replaced.includes(one)), stored]);
    for (const { path: old } of replaced) this.#remove(old);
    return stored;
  }

  /** Spreads the files over 256 folders. */
  #folderOf(id: string): string {
    const folder = join(this.directory, 'objects', id.slice(16, 18));
    if (!this.#folders.has(folder)) mkdirSync(folder, { recursive: true });
    this.#folders.add(folder);
    return folder;
  }

  #remove(path: string): void {
    rmSync(path, { force: true });
    this.#cache.delete(path);
  }

  #set(key: string, versions: ObjectVersion[]): void {
    if (versions.length === 0) this.#versions.delete(key);
    if (versions.length === 0 || !this.#versions.has(key)) this.#sortedKeys = undefined;
    if (versions.length > 0) this.#versions.set(key, versions);
  }

  /** Rebuilds the index after a start; what a crash left half done is removed. */
  #load(): void {
    const temporary = join(this.directory, 'temporary');
    for (const name of readdirSync(temporary)) rmSync(join(temporary, name), { recursive: true });
    const objects = join(this.directory, 'objects');
    const names = readdirSync(objects).flatMap((folder) =>
      readdirSync(join(objects, folder)).map((id) => ({ id, path: join(objects, folder, id) })),
    );
    names.sort((a, b) => (a.id < b.id ? -1 : 1));
    for (const { path } of names) {
      const facts = readObjectFacts(path);
      if (facts === undefined) {
        rmSync(path, { force: true });
        continue;
      }
      const versions = this.versionsOf(facts.key);
      const replaced =
        facts.versionId === null ? versions.filter((one) => one.versionId === null) : [];
      for (const { path: old } of replaced) rmSync(old, { force: true });
      this.#set(facts.key, [
        ...versions.filter((one) => !replaced.includes(one)),
        { ...facts, path },
      ]);
    }
  }

  #readFacts(): BucketFacts | undefined {
    try {
      return JSON.parse(readFileSync(join(this.directory, 'bucket.json'), 'utf8')) as BucketFacts;
    } catch {
      return undefined;
    }
  }

  #writeFacts(facts: BucketFacts): BucketFacts {
    const path = join(this.directory, 'bucket.json');
    writeFileSync(`${path}.new`, JSON.stringify(facts));
    renameSync(`${path}.new`, path);
    return facts;
  }
}

export const unquoted = (etag: string): string => etag.replace(/^(?:W\/)?"|"$/g, '');

const preconditionFailed = (condition: string): S3Fault =>
  new S3Fault('PreconditionFailed', `The precondition ${condition} does not hold.`);
