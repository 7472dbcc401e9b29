import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { Failure } from '#api/failure.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { isMap, own } from '#api/schema.ts';
import { quote } from '#api/wording.ts';

/** Of a packed snapshot once unpacked. */
const MAX_BYTES = 32 * 1024 * 1024;

/**
 * The revision with its snapshot laid open. vela-core packs it (spec/kubevela.md §2.10): `spec.compression` then holds the
 * fields, and `spec.application` is a stub. The very same object where nothing is packed. Throws Failure where it cannot be read.
 */
export function unpacked(revision: KubeObject): KubeObject {
  const spec = isMap(revision['spec']) ? revision['spec'] : {};
  const compression = own(spec, 'compression');
  const { type, data } = (isMap(compression) ? compression : {}) as { type?: unknown; data?: unknown };
  if (type === undefined || type === '' || typeof data !== 'string') return revision;
  try {
    const fields: unknown = JSON.parse(decompressed(type, Buffer.from(data, 'base64')).toString('utf8'));
    if (!isMap(fields)) throw new Error('it holds no map');
    return { ...revision, spec: { ...spec, ...fields, compression: {} } };
  } catch (error) {
    const why = error instanceof Error ? error.message : 'it is damaged';
    throw new Failure('InvalidObject', `the snapshot of ${quote(revision.metadata.name ?? '')} cannot be unpacked: ${why}`, {
      kind: 'stalled',
      remedy: 'take another revision',
      cause: error,
    });
  }
}

function decompressed(type: unknown, data: Buffer): Buffer {
  if (type === 'gzip') return gunzipSync(data, { maxOutputLength: MAX_BYTES });
  if (type === 'zstd') return zstdDecompressSync(data, { maxOutputLength: MAX_BYTES });
  throw new Error(`its compression ${JSON.stringify(type)} is not known`);
}
