import type { ImageName } from './reference.ts';
import { type Host, parseTemplate, Struct, StructMap, type Template, type TemplateProblem, type Value } from './template.ts';

/** First line of every commit of ours. A public contract: users' CI filters on it (design §5.9). */
export const MESSAGE_PREFIX = 'Update image automatically.';

/** The object that a changed value belongs to; any part may be ''. */
export interface ObjectIdentity {
  apiVersion: string;
  kind: string;
  name: string;
  namespace: string;
}

/** One value that was changed, as messages tell of it. */
export interface ImageChange {
  /** Relative to the path of the component. */
  file: string;
  object: ObjectIdentity;
  oldValue: string;
  newValue: string;
  /** Text of the marker: `default:app:tag`. */
  setter: string;
  policy: { namespace: string; name: string };
  image: { name: ImageName; tag: string; digest?: string };
}

export interface MessageContext {
  /** Namespace and name of what commits. */
  automation: { namespace: string; name: string };
  changes: readonly ImageChange[];
}

/** The whole message: the prefix, and on the next line what the template makes; byte for byte, nothing is trimmed. */
export function commitMessage(
  prefix: string,
  template: Template | undefined,
  context: MessageContext,
  host: Host,
): { message: string } | { problem: TemplateProblem } {
  if (!template) return { message: prefix };
  const rendered = template.render(messageData(context), host);
  return 'problem' in rendered ? rendered : { message: `${prefix}\n${rendered.text}` };
}

/** A mistake that a template has whatever it is run with: found at admission. */
export function messageProblem(text: string): TemplateProblem | undefined {
  const parsed = parseTemplate(text);
  if ('problem' in parsed) return parsed.problem;
  const rendered = parsed.template.render(messageData(SAMPLE), { sha256: () => '0'.repeat(64) });
  return 'problem' in rendered ? rendered.problem : undefined;
}

/** The root of a message template, in both shapes that Flux has had (spec/image-automation.md §5.1). */
function messageData({ automation, changes }: MessageContext): Value {
  const things = changes.map((change) => ({
    change,
    image: imageValue(change),
    changed: changeValue(change),
    object: objectValue(change.object),
  }));
  const updated = new Struct(
    '.Updated',
    {
      Images: unique(things.map(({ image, change }) => [`${image.text} ${change.policy.namespace}:${change.policy.name}`, image])),
      Files: byFile(things, (group) => new Struct('a file', { Objects: byObject(group, ({ image }) => image, true) }, '')),
      Objects: byObject(things, ({ image }) => image, true),
    },
    '',
  );
  const changed = new Struct(
    '.Changed',
    {
      Changes: unique(things.map(({ changed, change }) => [JSON.stringify([change.oldValue, change.newValue, change.setter]), changed])),
      FileChanges: byFile(things, (group) => byObject(group, ({ changed }) => changed, false)),
      Objects: byObject(things, ({ changed }) => changed, false),
    },
    '',
  );
  const { namespace, name } = automation;
  const object = new Struct('.AutomationObject', { Namespace: namespace, Name: name }, `${namespace}/${name}`);
  return new Struct('The data', { AutomationObject: object, Updated: updated, Changed: changed, Values: new Map() }, '');
}

interface Thing {
  change: ImageChange;
  image: Struct;
  changed: Struct;
  object: Struct;
}

function imageValue({ image, policy }: ImageChange): Struct {
  const { name, tag, digest } = image;
  const written = `${name.text}:${tag}${digest ? `@${digest}` : ''}`;
  const full = digest ? `${name.canonical}@${digest}` : `${name.canonical}:${tag}`;
  return new Struct(
    'An image',
    {
      Name: full,
      Repository: name.repository,
      Registry: name.registry,
      Identifier: digest ?? tag,
      Context: name.canonical,
      String: written,
      Policy: new Struct('A policy', { Name: policy.name, Namespace: policy.namespace }, `${policy.namespace}/${policy.name}`),
    },
    written,
  );
}

function changeValue({ oldValue, newValue, setter }: ImageChange): Struct {
  return new Struct('A change', { OldValue: oldValue, NewValue: newValue, Setter: setter }, `{${oldValue} ${newValue} ${setter}}`);
}

function objectValue({ apiVersion, kind, name, namespace }: ObjectIdentity): Struct {
  const text = [kind, namespace, name].filter((part) => part !== '').join('/');
  return new Struct('An object', { Kind: kind, APIVersion: apiVersion, Name: name, Namespace: namespace }, text);
}

/** One of each, in the order of their texts: the same changes make the same message. */
function unique(pairs: readonly (readonly [id: string, value: Struct])[]): Struct[] {
  return [...new Map(pairs)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

function byFile(things: readonly Thing[], valueOf: (group: Thing[]) => Value): ReadonlyMap<string, Value> {
  const files = new Set(things.map(({ change }) => change.file));
  return new Map([...files].map((file) => [file, valueOf(things.filter(({ change }) => change.file === file))]));
}

function byObject(things: readonly Thing[], valueOf: (thing: Thing) => Struct, once: boolean): StructMap {
  const objects = new Map(things.map(({ object, change }) => [JSON.stringify(Object.values(change.object)), object]));
  return new StructMap(
    [...objects].map(([id, object]) => {
      const values = things.filter(({ change }) => JSON.stringify(Object.values(change.object)) === id).map(valueOf);
      return [object, once ? unique(values.map((value) => [value.text, value])) : values];
    }),
  );
}

const SAMPLE: MessageContext = {
  automation: { namespace: 'default', name: 'app' },
  changes: [
    {
      file: 'app.yaml',
      object: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'app', namespace: 'default' },
      oldValue: 'example.com/org/app:1',
      newValue: 'example.com/org/app:2',
      setter: 'default:app',
      policy: { namespace: 'default', name: 'app' },
      image: {
        name: { text: 'example.com/org/app', registry: 'example.com', repository: 'org/app', canonical: 'example.com/org/app' },
        tag: '2',
      },
    },
  ],
};
