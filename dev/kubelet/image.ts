import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** What a runtime would read in the image: the last instructions of each kind in the Dockerfile. */
export interface ImageConfig {
  path: string;
  uid: number;
  gid: number;
  entrypoint: string[];
}

const DOCKERFILE = fileURLToPath(new URL('../../Dockerfile', import.meta.url));

export async function imageConfig(): Promise<ImageConfig> {
  const lines = (await readFile(DOCKERFILE, 'utf8')).split('\n');
  const last = (pattern: RegExp): string => {
    const found = lines.map((line) => pattern.exec(line)?.[1]).findLast((text) => text !== undefined);
    if (found === undefined) throw new Error(`the Dockerfile has no line ${String(pattern)}`);
    return found;
  };
  const [uid, gid] = last(/^USER (\d+:\d+)$/)
    .split(':')
    .map(Number) as [number, number];
  return { path: last(/^ENV PATH=(\S+)$/), uid, gid, entrypoint: JSON.parse(last(/^ENTRYPOINT (\[.*\])$/)) as string[] };
}
