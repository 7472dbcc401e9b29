import type { Application, WorkflowStatus } from '#api/application.ts';
import type { RevisionRecord } from './revision-record.ts';

/** Where a rollback without --to goes; none where the running revision is well, or where nothing else ever was. */
export interface RollbackChoice {
  /** The revision that runs. */
  running: RevisionRecord | undefined;
  runningSucceeded: boolean;
  /** Others that succeeded, the newest first. */
  candidates: RevisionRecord[];
}

export function rollbackChoice({ status }: Application, records: readonly RevisionRecord[]): RollbackChoice {
  const running = records.find(({ name }) => name === status?.latestRevision?.name);
  const candidates = records.filter((one) => one.succeeded && one !== running).toReversed();
  return { running, runningSucceeded: running !== undefined && hasSucceeded(running, status?.workflow), candidates };
}

/** By the workflow that runs now, which is about this revision where it names it or its version. */
function hasSucceeded({ name, version, succeeded }: RevisionRecord, workflow: WorkflowStatus | undefined): boolean {
  if (!workflow || (workflow.appRevision !== name && workflow.appRevision !== version)) return succeeded;
  return workflow.finished && workflow.status === 'succeeded';
}
