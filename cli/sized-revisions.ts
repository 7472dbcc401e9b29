import { goYaml } from './go-yaml.ts';
import { shown } from './output.ts';
import type { RevisionRecord } from './revision-record.ts';
import type { SizedRevision } from './revision-table.ts';

/** The revisions with the bytes of their YAML. */
export function sizedRevisions(records: readonly RevisionRecord[]): Promise<SizedRevision[]> {
  return Promise.all(records.map(async (record) => ({ record, bytes: Buffer.byteLength(await goYaml(shown(record.object))) })));
}
