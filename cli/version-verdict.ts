import type { Application } from '#api/application.ts';
import { annotation } from '#api/names.ts';
import { publishVersionOf } from '#api/publish-version.ts';
import type { RevisionRecord } from './revision-record.ts';
import { because, conditionOf, conditionText, isSettled, type Verdict } from './verdict.ts';

/** Whether a publishVersion is rolled out and well. `ran`: it was seen to be the one that runs. */
export function versionVerdict(application: Application, version: string, ran: boolean): Verdict {
  const { name } = application.metadata;
  const token = application.status?.workflow?.appRevision;
  const runs = token === version;
  if (!runs && ran) return { state: 'superseded', text: `${version} was replaced by ${token ?? 'another version'} before it was healthy` };
  const hold = runs ? undefined : holdOf(application);
  if (hold !== undefined)
    return { state: 'held', text: `${name} is held at ${hold}, so ${version} does not run; lateen resume ${name} ends that` };
  const refused = runs || publishVersionOf(application) === version ? refusal(application, runs) : undefined;
  if (refused) return refused;
  return runs ? runVerdict(application, version) : { state: 'waiting', text: `${name} does not run ${version} yet` };
}

/** The hold that the agent has carried out: one that was set a moment ago may be the very one that runs the version. */
function holdOf(application: Application): string | undefined {
  const { [annotation.hold]: hold } = application.metadata.annotations ?? {};
  return conditionOf(application, 'Revision')?.reason === 'Held' ? hold : undefined;
}

/** What the agent does not do until a person acts. */
function refusal(application: Application, runs: boolean): Verdict | undefined {
  if (!isSettled(application)) return undefined;
  const refused = ['Admitted', 'Revision'].map((type) => conditionOf(application, type)).find((one) => one?.status === 'False');
  const stalled = runs ? conditionOf(application, 'Stalled') : undefined;
  const found = refused ?? (stalled?.status === 'True' ? stalled : undefined);
  return found && { state: 'failed', text: conditionText(found) };
}

/** How the workflow and the components of the version that runs are. */
function runVerdict({ metadata: { name }, status }: Application, version: string): Verdict {
  const { status: phase, workflow, services = [] } = status ?? {};
  if (phase === 'workflowSuspending')
    return { state: 'held', text: `the workflow of ${version} is suspended; lateen resume ${name} lets it go on` };
  if (phase === 'workflowFailed' || phase === 'workflowTerminated') {
    const how = phase === 'workflowFailed' ? 'failed' : 'was terminated';
    return { state: 'failed', text: `the workflow of ${version} ${how}${because(workflow?.message)}` };
  }
  if (phase === 'running') return { state: 'done', text: `${name} runs ${version} and is healthy` };
  const sick = services.find((service) => !service.healthy);
  return { state: 'waiting', text: sick ? `component ${sick.name} is not healthy yet${because(sick.message)}` : 'work is under way' };
}

/** A version that ran before, and that something else has taken the place of. */
export function formerVerdict(application: Application, version: string, records: readonly RevisionRecord[]): Verdict | undefined {
  const record = records.findLast((one) => one.version === version);
  const { name } = application.status?.latestRevision ?? {};
  // Its workflow is recorded when it ends or something else takes its place; without that it has not run yet.
  if (!record?.workflow || record.name === name || publishVersionOf(application) === version) return undefined;
  if (application.metadata.annotations?.[annotation.hold] === record.name) return undefined;
  if (record.succeeded) return { state: 'done', text: `${record.name} (${version}) succeeded; ${name} has taken its place since` };
  return { state: 'superseded', text: `${record.name} (${version}) was replaced by ${name} before it was healthy` };
}
