import type { Application } from '#api/application.ts';
import { differingPaths } from '#api/json.ts';
import { annotation } from '#api/names.ts';
import { specContent } from '#api/spec-defaults.ts';
import { publishVersionOf } from '#api/publish-version.ts';
import { quote } from '#api/wording.ts';
import type { NoteReason } from '../revision/decision.ts';
import type { Settled } from './revisions.ts';

/** Why something else runs than the spec says. */
export interface Note {
  reason: NoteReason;
  message: string;
  /** What the Application asks for cannot be done: a person has to act. */
  serious: boolean;
}

const MOST_PATHS = 5;

/** What is said of a revision that runs instead of the spec, with the branch that the Application comes from. */
export function noteOf(settled: Settled, application: Application, branch: string | undefined): Note | undefined {
  const { note, revision, about = '' } = settled;
  if (note === undefined) return undefined;
  const version = publishVersionOf(application) ?? '';
  switch (note) {
    case 'Held':
      return { reason: note, message: heldMessage(settled, application, branch), serious: false };
    case 'PublishVersionUnchanged':
      return {
        reason: note,
        message: `${annotation.publishVersion} is still ${quote(version)}, which ${revision.name} runs: ${changes(settled, application)}; a new publishVersion rolls it out`,
        serious: false,
      };
    case 'VersionReused':
      return {
        reason: note,
        message: `${annotation.publishVersion} ${quote(version)} was used for another spec (${about}): ${revision.name} goes on; take a version that was not used yet, or restore that spec`,
        serious: true,
      };
    case 'RevisionNotFound':
      return {
        reason: note,
        message: `${annotation.hold} names ${quote(about)}, which is no ApplicationRevision of ${application.metadata.name}: ${revision.name} goes on; end the hold with lateen resume ${application.metadata.name}`,
        serious: true,
      };
  }
}

function heldMessage({ stored, revision, written }: Settled, application: Application, branch: string | undefined): string {
  const moved = stored || revision.version !== (publishVersionOf(application) || undefined);
  const at = `Held at v${revision.number}`;
  if (!moved) return at;
  const differs = differingPaths(specContent(written), specContent(application.spec), 'spec').length > 0;
  return `${at} (${branch ?? (differs ? 'the spec' : 'the version')} has moved on)`;
}

function changes({ written }: Settled, application: Application): string {
  const paths = differingPaths(specContent(written), specContent(application.spec), 'spec');
  if (paths.length === 0) return 'a Policy or Workflow that it names has changed, without effect';
  const shown = paths.slice(0, MOST_PATHS).join(', ');
  const more = paths.length > MOST_PATHS ? ` and ${paths.length - MOST_PATHS} more` : '';
  return `${shown}${more} ${paths.length === 1 ? 'has' : 'have'} changed, without effect`;
}
