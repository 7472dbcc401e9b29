// oxlint-disable-next-line no-restricted-imports -- SHA-256 is a function of its argument: no I/O
import { createHash } from 'node:crypto';
import { canonicalJson } from './json.ts';
import { annotation } from './names.ts';
import { isMap, own } from './schema.ts';
import type { Finding, Site } from './schema.ts';
import { specContent } from './spec-defaults.ts';
import { quote, shorten } from './wording.ts';

/** `app.oam.dev/publishVersion`: its form, and the version that the mode `auto` gives (spec/kubevela.md §3.1-3.2, §4.3). */

// It becomes part of the names of objects, and the value of labels: RFC 1123, and at most 63 characters.
const FRAGMENT = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LONGEST = 63;
// What manuals write where the reader shall put something of his own: `<initial version>`, `${VERSION}`, `{{ version }}`.
const PLACEHOLDER = /[<>{}$]|^(todo|tbd|fixme|changeme|change-me|placeholder|x{3,}|your[-_ ]?version)$/i;

/** SHA-256 over what the user decided in a spec, in hexadecimal digits: the same with and without the defaults. */
export function specDigest(spec: unknown): string {
  return createHash('sha256')
    .update(canonicalJson(specContent(spec)))
    .digest('hex');
}

/** The version that `lateen.dev/publish-version: auto` gives a spec: never a number in YAML, unlike a plain digest. */
export function autoVersion(spec: unknown): string {
  return `v-${specDigest(spec).slice(0, 10)}`;
}

/** Whether an Application, or else its namespace, asks for `auto`. */
export function asksForAuto(annotations: Readonly<Record<string, unknown>>, ofNamespace: Readonly<Record<string, string>> = {}): boolean {
  const asked = own(annotations, annotation.publishVersionMode) ?? own(ofNamespace, annotation.publishVersionMode);
  // KubeVela refuses both together: following newer definitions wins, since it was written into the Application.
  return asked === 'auto' && own(annotations, annotation.autoUpdate) !== 'true';
}

/** The annotations of an Application, or none where they are not a map. */
export function annotationsOf(application: unknown): Record<string, unknown> {
  const metadata = isMap(application) ? own(application, 'metadata') : undefined;
  const annotations = isMap(metadata) ? own(metadata, 'annotations') : undefined;
  return isMap(annotations) ? annotations : {};
}

/** The publishVersion without the space around it, which the webhook removes; undefined where there is none. */
export function publishVersionOf(application: unknown): string | undefined {
  const version = own(annotationsOf(application), annotation.publishVersion);
  return typeof version === 'string' ? version.trim() : undefined;
}

/** The rule of the annotations of an Application. */
export function annotationsRule(annotations: Record<string, unknown>, { path }: Site): Finding[] {
  const at = (name: string, findings: Finding[]): Finding[] => findings.map((finding) => ({ ...finding, path: [...path, name] }));
  const version = own(annotations, annotation.publishVersion);
  const mode = own(annotations, annotation.publishVersionMode);
  return [
    ...(typeof version === 'string' ? at(annotation.publishVersion, versionMistakes(version.trim(), annotations)) : []),
    ...(typeof mode === 'string' ? at(annotation.publishVersionMode, modeMistakes(mode)) : []),
  ];
}

function modeMistakes(mode: string): Finding[] {
  if (mode === 'auto') return [];
  const text = `must be "auto", received ${quote(mode)}`;
  return [{ code: 'InvalidValue', text, value: shorten(mode), remedy: 'write auto, or remove it' }];
}

function versionMistakes(version: string, annotations: Record<string, unknown>): Finding[] {
  const wrong = versionMistake(version);
  const found: Finding[] = wrong ? [{ code: 'InvalidVersion', text: wrong[0], value: shorten(version), remedy: wrong[1] }] : [];
  if (version === '' || own(annotations, annotation.autoUpdate) !== 'true') return found;
  const text = `excludes ${annotation.autoUpdate}: "true", which follows definitions as they change`;
  return [...found, { code: 'InvalidVersion', text, value: shorten(version), remedy: 'remove one of the two annotations' }];
}

function versionMistake(version: string): [text: string, remedy: string] | undefined {
  if (version === '') return ['must not be empty', 'write a version such as v1, or remove it'];
  if (PLACEHOLDER.test(version))
    return [`is a placeholder, received ${quote(version)}`, 'replace the placeholder with a version such as v1'];
  if (version.length > LONGEST) return [`must have at most ${LONGEST} characters, received ${version.length}`, 'use a shorter version'];
  if (FRAGMENT.test(version)) return undefined;
  const better = version.toLowerCase().replace(/[_+/ ]+/g, '-');
  const text = `must consist of lower-case letters, digits, "-" and ".", with a letter or digit at both ends, received ${quote(version)}`;
  return [text, FRAGMENT.test(better) ? `write ${better}` : 'use another version'];
}
