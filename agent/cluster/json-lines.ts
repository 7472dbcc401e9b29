import { Failure } from '#api/failure.ts';

/** Largest object that etcd takes is 1.5 MiB; a modified event holds one. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;
const NEWLINE = 10;

/** Cuts pieces of a body into lines. */
export interface LineCutter {
  /** The lines that this piece completes, without empty ones. Throws a Failure where a line is over 8 MiB. */
  push(chunk: Buffer): string[];
}

export function createLineCutter(maxBytes = MAX_LINE_BYTES): LineCutter {
  let rest: Buffer[] = [];
  let bytes = 0;

  function cut(piece: Buffer): string {
    const line = Buffer.concat([...rest, piece])
      .toString('utf8')
      .trim();
    rest = [];
    bytes = 0;
    return line;
  }

  return {
    push(chunk) {
      const lines: string[] = [];
      let from = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
        lines.push(cut(chunk.subarray(from, end)));
        from = end + 1;
      }
      if (from < chunk.length) rest.push(chunk.subarray(from));
      bytes += chunk.length - from;
      if (bytes > maxBytes) throw new Failure('TooLarge', `a watch event of the API server is over ${maxBytes} bytes`);
      return lines.filter((line) => line !== '');
    },
  };
}

/** The value, or the text itself where it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
