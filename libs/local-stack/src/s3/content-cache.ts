/** Recently used contents in memory, the least recently used of them dropped beyond `limit` bytes. */
export class ContentCache {
  readonly #limit: number;
  readonly #contents = new Map<string, Buffer>();
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Larger contents would displace too much, and profit less. */
  set(path: string, content: Buffer): void {
    if (content.length > this.#limit / 16) return;
    this.delete(path);
    this.#contents.set(path, content);
    this.#bytes += content.length;
    for (const oldest of this.#contents.keys()) {
      if (this.#bytes <= this.#limit) break;
      this.delete(oldest);
    }
  }

  get(path: string): Buffer | undefined {
    const content = this.#contents.get(path);
    if (content === undefined) return undefined;
    this.#contents.delete(path); // to the end: iteration is in the order of insertion
    this.#contents.set(path, content);
    return content;
  }

  delete(path: string): void {
    this.#bytes -= this.#contents.get(path)?.length ?? 0;
    this.#contents.delete(path);
  }
}
