/** All together. */
const MAX_BYTES = 2 * 1024 * 1024;

/**
 * Contents of small files that came with their commit, until they are asked for: so nobody has to start a process for them. The
 * oldest go first.
 */
export class KeptBlobs {
  readonly #contents = new Map<string, Buffer>();
  #bytes = 0;

  /** By object id. */
  keep(contents: ReadonlyMap<string, Buffer>): void {
    for (const [oid, content] of contents) {
      this.#remove(oid);
      this.#contents.set(oid, content);
      this.#bytes += content.length;
    }
    for (const oid of this.#contents.keys()) {
      if (this.#bytes <= MAX_BYTES) return;
      this.#remove(oid);
    }
  }

  get(oid: string): Buffer | undefined {
    return this.#contents.get(oid);
  }

  #remove(oid: string): void {
    this.#bytes -= this.#contents.get(oid)?.length ?? 0;
    this.#contents.delete(oid);
  }
}
