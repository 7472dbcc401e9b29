/** All together. */
const MAX_BYTES = 2 * 1024 * 1024;
/** Each takes some hundred bytes beside its own. */
const MAX_BLOBS = 4_096;

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
      const kept = this.#contents.get(oid) ?? alone(content);
      this.#remove(oid);
      this.#contents.set(oid, kept);
      this.#bytes += kept.length;
    }
    for (const oid of this.#contents.keys()) {
      if (this.#bytes <= MAX_BYTES && this.#contents.size <= MAX_BLOBS) return;
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

/** What is read is a part of all that was read with it: kept as it is, the one file that a commit has changed would keep the whole commit. */
function alone(content: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(content.length);
  content.copy(copy);
  return copy;
}
