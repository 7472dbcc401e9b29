import type { Application } from '#api/application.ts';
import { sameJson } from '#api/json.ts';
import { annotation } from '#api/names.ts';
import { publishVersionOf } from '#api/publish-version.ts';
import { type ApplicationChange, changeApplication } from './application-patch.ts';
import { getApplication } from './applications.ts';
import { withCluster } from './cluster.ts';
import type { Invocation } from './command.ts';
import { CommandError, type Exit, exit } from './exit.ts';
import { heldText } from './hold-text.ts';
import type { Io } from './io.ts';
import { gitParentOf, mustBeOurs } from './publish-rules.ts';
import { findRevision, recordedApplication, type RevisionRecord, titleOf } from './revision-record.ts';
import { revisionsTable } from './revision-table.ts';
import { listRevisions } from './revisions.ts';
import { rollbackChoice } from './rollback-target.ts';
import { sizedRevisions } from './sized-revisions.ts';

/** `lateen rollback APP [--to REV]`: in one write, whatever the workflow does at the moment. */
export async function rollback(io: Io, options: Invocation): Promise<Exit> {
  const { argument: app, to } = options;
  return withCluster(io, options, async (cluster) => {
    const [application, records] = await Promise.all([getApplication(cluster, app), listRevisions(cluster, app)]);
    mustBeOurs(application);
    const target = to === undefined ? await chosen(io, application, records) : findRevision(records, to, app);
    const parent = gitParentOf(application);
    const change = parent === undefined ? changeTo(target) : { annotations: { [annotation.hold]: target.name } };
    if (isThere(application, change)) {
      io.stdout.write(`Nothing to do: ${app} is at ${titleOf(target)}.\n`);
      return exit.yes;
    }
    await changeApplication(cluster, application, () => change);
    if (parent !== undefined) io.stdout.write(heldText(application, parent, titleOf(target)));
    else io.stdout.write(`Rolled back: ${app} runs ${titleOf(target)} now. lateen status ${app} tells how it goes.\n`);
    return exit.yes;
  });
}

/** The latest that succeeded. Where the running one did, a person has to say which is meant. */
async function chosen(io: Io, application: Application, records: readonly RevisionRecord[]): Promise<RevisionRecord> {
  const { name } = application.metadata;
  const { running, runningSucceeded, candidates } = rollbackChoice(application, records);
  const [latest] = candidates;
  if (!latest) throw new CommandError(exit.no, `no other revision of ${name} has succeeded: there is nothing to return to`);
  if (!running || !runningSucceeded) return latest;
  io.stdout.write(revisionsTable(await sizedRevisions(candidates), io.timeZone));
  throw new CommandError(
    exit.no,
    `${titleOf(running)} runs and has succeeded: nothing was changed`,
    `say where to: lateen rollback ${name} --to ${latest.name}`,
  );
}

/** A hold would go before whatever is written here. */
function changeTo(target: RevisionRecord): ApplicationChange {
  const version = target.version === '' ? undefined : target.version;
  return { spec: recordedApplication(target).spec, annotations: { [annotation.publishVersion]: version, [annotation.hold]: undefined } };
}

function isThere(application: Application, { spec, annotations }: ApplicationChange): boolean {
  if (annotations[annotation.hold] !== application.metadata.annotations?.[annotation.hold]) return false;
  return (
    spec === undefined || (sameJson(spec, application.spec) && annotations[annotation.publishVersion] === publishVersionOf(application))
  );
}
