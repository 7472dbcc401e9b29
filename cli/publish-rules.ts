import { externalContent } from '#agent/revision/externals.ts';
import type { Application } from '#api/application.ts';
import { isHandedBack } from '#api/claim.ts';
import { Failure } from '#api/failure.ts';
import { sameJson } from '#api/json.ts';
import { annotation, CLAIM, label } from '#api/names.ts';
import { publishVersionOf } from '#api/publish-version.ts';
import { reviewApplication } from '#api/review.ts';
import { specContent } from '#api/spec-defaults.ts';
import { quote } from '#api/wording.ts';
import { CommandError, exit } from './exit.ts';
import { recordedApplication, recordedExternals, type RevisionRecord } from './revision-record.ts';

/** The Application whose component applied this one, where it comes from Git. */
export function gitParentOf({ metadata }: Application): string | undefined {
  return metadata.labels?.[label.application];
}

/** Throws where Lateen does not reconcile the Application: nobody would understand what is written. */
export function mustBeOurs(application: Application): void {
  const { name, annotations = {} } = application.metadata;
  if (isHandedBack(annotations))
    throw new CommandError(
      exit.no,
      `the Application ${name} was handed back: it has the annotation ${annotation.handedBack}`,
      'remove it first',
    );
  mustBeOfNoOther(application);
}

/** Throws where another controller is named for the Application. */
export function mustBeOfNoOther({ metadata: { name, annotations = {} } }: Application): void {
  const holder = annotations[annotation.controllerVersionRequire];
  if (holder === undefined || holder === CLAIM) return;
  throw new CommandError(
    exit.no,
    `the Application ${name} belongs to another controller: ${annotation.controllerVersionRequire} is ${JSON.stringify(holder)}`,
  );
}

export interface Publication {
  application: Application;
  version: string;
  records: readonly RevisionRecord[];
  /** The revision that is published again; undefined: the live spec. */
  source: RevisionRecord | undefined;
}

/** Throws where a version must not be published. Resolves to the revision that has the version and the very same content already. */
export function mustBePublishable({ application, version, records, source }: Publication): RevisionRecord | undefined {
  const { name, namespace, annotations } = application.metadata;
  const running = records.find((one) => one.name === application.status?.latestRevision?.name);
  const heldVersion = annotations?.[annotation.hold] === undefined ? undefined : running?.version;
  if (publishVersionOf(application) === version || heldVersion === version)
    throw new CommandError(exit.no, `the publishVersion of ${name} is ${quote(version)} already`, 'choose another version');
  const spec = source ? recordedApplication(source).spec : application.spec;
  const metadata = { ...application.metadata, annotations: { ...annotations, [annotation.publishVersion]: version } };
  const { denials } = reviewApplication({ object: { ...application, metadata, spec }, oldObject: application, namespace });
  const causes = denials.filter(({ path }) => path.startsWith('metadata.annotations'));
  if (causes.length > 0) throw new Failure(causes[0]?.code ?? 'InvalidVersion', `${quote(version)} is no publishVersion`, { causes });
  const used = records.filter((one) => one.version === version);
  const other = used.find((one) => !isSame(one, { application, source }));
  if (!other) return used.at(-1);
  throw new Failure('VersionReused', `${quote(version)} is the publishVersion of ${other.name}, which holds another spec`, {
    kind: 'stalled',
    remedy: 'choose a version that was not used yet',
  });
}

function isSame(record: RevisionRecord, { application, source }: Pick<Publication, 'application' | 'source'>): boolean {
  const spec = specContent(recordedApplication(record).spec);
  // What the live spec names elsewhere is for the agent to look up.
  if (!source) return sameJson(spec, specContent(application.spec));
  const externals = [record, source].map((one) => externalContent(recordedExternals(one)));
  return sameJson(spec, specContent(recordedApplication(source).spec)) && sameJson(externals[0], externals[1]);
}
