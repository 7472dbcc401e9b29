import { isHandedBack } from './claim.ts';
import { CLAIM, annotation, label } from './names.ts';
import { annotationsOf, asksForAuto, autoVersion } from './publish-version.ts';
import { type ApplicationRequest, type Changes, type NamespaceFacts, changesOf, hasKustomize, isExempt } from './review.ts';
import { isMap, own } from './schema.ts';
import { withDefaults } from './spec-defaults.ts';

/**
 * The Application of a request as it shall be stored, as a new object: defaults, claim, publishVersion, requested-by. Only
 * adds what is missing, renews or trims the publishVersion, and doing it again to the result changes nothing.
 */
export function mutateApplication(request: ApplicationRequest, namespace?: NamespaceFacts): unknown {
  const { object } = request;
  const changes = changesOf(request);
  if (!isMap(object) || isExempt(request, changes)) return object;
  const filled = changes.spec ? withDefaults(object) : object;
  const before = own(mapOf(own(object, 'metadata')), 'annotations');
  // Annotations that are no map: the check says so.
  if (before !== undefined && before !== null && !isMap(before)) return filled;
  const { [annotation.requestedBy]: _, ...kept } = before ?? {};
  const asked = requestedBy(request, changes);
  const annotations = {
    ...kept,
    ...claim(request, changes, namespace),
    ...version(request, changes, namespace),
    ...(asked === undefined ? {} : { [annotation.requestedBy]: asked }),
  };
  if (Object.keys(annotations).length === 0 && before === undefined) return filled;
  return { ...filled, metadata: { ...mapOf(own(object, 'metadata')), annotations } };
}

/** In a namespace shared with vela-core the claim must be there before vela-core sees the Application (design §2). */
function claim({ object }: ApplicationRequest, { created }: Changes, namespace: NamespaceFacts | undefined): Record<string, string> {
  const key = annotation.controllerVersionRequire;
  const shared = namespace?.labels[label.applications] === 'gitops';
  const annotations = annotationsOf(object);
  const open = own(annotations, key) === undefined && !isHandedBack(annotations);
  return created && shared && open && hasKustomize(object) ? { [key]: CLAIM } : {};
}

/** The publishVersion as it shall be: trimmed; in the mode `auto` set where it is missing, renewed where the spec alone changed. */
function version({ object }: ApplicationRequest, changes: Changes, namespace: NamespaceFacts | undefined): Record<string, string> {
  const key = annotation.publishVersion;
  const annotations = annotationsOf(object);
  const written = own(annotations, key);
  if (asksForAuto(annotations, namespace?.annotations)) {
    const renewed = !changes.created && changes.content && !changes.version;
    if (written === undefined || renewed) return { [key]: autoVersion(own(object as Record<string, unknown>, 'spec')) };
  }
  return typeof written === 'string' ? { [key]: written.trim() } : {};
}

/** Who asked for the spec or the version as it is: written here alone, so what a request says of it does not count. */
function requestedBy({ user, oldObject }: ApplicationRequest, { created, content, version: versionChanged }: Changes): unknown {
  if (created || content || versionChanged) return user;
  return own(annotationsOf(oldObject), annotation.requestedBy);
}

function mapOf(value: unknown): Record<string, unknown> {
  return isMap(value) ? value : {};
}
