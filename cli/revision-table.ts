import type { WorkflowStatus } from '#api/application.ts';
import type { RevisionRecord } from './revision-record.ts';
import { tableText } from './table.ts';
import { visible } from './text-width.ts';
import { goTime } from './time-text.ts';

const COLUMNS = ['NAME', 'PUBLISH_VERSION', 'SUCCEEDED', 'HASH', 'BEGIN_TIME', 'STATUS', 'SIZE'];

/** A revision with what it takes: bytes of its YAML, and of its snapshot where that is packed. */
export interface SizedRevision {
  record: RevisionRecord;
  bytes: number;
}

/** What `vela revision list` prints for these revisions (spec/kubevela.md §2.5). */
export function revisionsTable(revisions: readonly SizedRevision[], timeZone: string): string {
  return `${tableText([COLUMNS, ...revisions.map((revision) => rowOf(revision, timeZone))])}\n`;
}

function rowOf({ record, bytes }: SizedRevision, timeZone: string): string[] {
  const { name, version, succeeded, hash, workflow } = record;
  return [name, version, String(succeeded), hash, beginText(workflow, timeZone), statusOf(workflow), bytesText(bytes)].map(visible);
}

/** `2026-11-22 09:54:14`: vela prints neither zone nor fraction. */
function beginText(workflow: WorkflowStatus | undefined, timeZone: string): string {
  return workflow?.startTime ? goTime(workflow.startTime, timeZone).slice(0, '2006-01-02 15:04:05'.length) : '';
}

/** In the words of vela. Its workflow is recorded when it ends, so one that runs has not started yet. */
export function statusOf(workflow: WorkflowStatus | undefined): string {
  if (!workflow) return 'NotStart';
  if (workflow.status === 'succeeded') return 'Succeeded';
  return workflow.terminated || workflow.suspend || workflow.finished ? 'Failed' : 'Executing or Failed';
}

/** `44.8 KiB`, and `512 B` below that. */
export function bytesText(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length);
  return `${(bytes / 1_024 ** power).toFixed(1)} ${UNITS[power - 1]}iB`;
}

const UNITS = 'KMGTPE';
