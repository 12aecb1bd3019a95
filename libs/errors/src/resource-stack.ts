/** Something that is released once, asynchronously. */
export type Release = () => Promise<void> | void;

/**
 * Resources in the order of their acquisition, released in the reverse order by one idempotent
 * `close()`. Every release runs even if an earlier one fails; the failures are thrown together.
 */
export class ResourceStack {
  readonly #releases: { readonly name: string; readonly release: Release }[] = [];
  #closing: Promise<void> | undefined;

  /** Registers `release` and hands `resource` back, so that acquisition stays one expression. */
  use<Resource>(
    name: string,
    resource: Resource,
    release: (resource: Resource) => Promise<void> | void,
  ): Resource {
    this.#releases.push({ name, release: () => release(resource) });
    return resource;
  }

  /** Releases everything, last acquired first. Later calls wait for the first one. */
  close(): Promise<void> {
    this.#closing ??= this.#releaseAll();
    return this.#closing;
  }

  async #releaseAll(): Promise<void> {
    const failures: unknown[] = [];
    for (let entry = this.#releases.pop(); entry !== undefined; entry = this.#releases.pop()) {
      try {
        await entry.release();
      } catch (cause) {
        failures.push(new Error(`closing ${entry.name} failed`, { cause }));
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'some resources did not close');
  }
}
