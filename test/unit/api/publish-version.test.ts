import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkApplication } from '#api/check.ts';
import { asksForAuto, autoVersion, publishVersionOf, specDigest } from '#api/publish-version.ts';
import { withDefaults } from '#api/spec-defaults.ts';
import { anyApplication } from './arbitrary-applications.ts';
import { gitOpsApplication } from './cases.ts';

const PATH = 'metadata.annotations["app.oam.dev/publishVersion"]';

function annotated(annotations: Record<string, unknown>): Record<string, unknown> {
  return { ...gitOpsApplication(), metadata: { name: 'app', annotations } };
}

/** Sentence and remedy of each cause, without the path. */
function told(version: unknown, more: Record<string, unknown> = {}): [code: string, message: string, remedy: string | undefined][] {
  const { causes } = checkApplication(annotated({ 'app.oam.dev/publishVersion': version, ...more }), {});
  return causes.map(({ path, code, message, remedy }) => [code, message.slice(path.length + 1), remedy]);
}

const alphabet = 'must consist of lower-case letters, digits, "-" and ".", with a letter or digit at both ends, received';

describe('a publishVersion', () => {
  it.each(['alpha1', 'v1.0.0', '1', '0a1b2c3d', ' alpha1\n', 'a'.repeat(63), 'v-0123456789'])('%j is taken', (version) => {
    expect(told(version)).toEqual([]);
  });

  it.each<[name: string, version: unknown, cause: [string, string, string]]>([
    ['empty', '', ['InvalidVersion', 'must not be empty', 'write a version such as v1, or remove it']],
    ['only space', ' \t', ['InvalidVersion', 'must not be empty', 'write a version such as v1, or remove it']],
    [
      'the placeholder of the seed document',
      '<initial version>',
      ['InvalidVersion', 'is a placeholder, received "<initial version>"', 'replace the placeholder with a version such as v1'],
    ],
    [
      'a variable',
      '${VERSION}',
      ['InvalidVersion', 'is a placeholder, received "${VERSION}"', 'replace the placeholder with a version such as v1'],
    ],
    ['TODO', 'TODO', ['InvalidVersion', 'is a placeholder, received "TODO"', 'replace the placeholder with a version such as v1']],
    ['too long', 'a'.repeat(64), ['InvalidVersion', 'must have at most 63 characters, received 64', 'use a shorter version']],
    ['capital letters', 'Alpha_1', ['InvalidVersion', `${alphabet} "Alpha_1"`, 'write alpha-1']],
    ['a dot at the end', 'v1.', ['InvalidVersion', `${alphabet} "v1."`, 'use another version']],
    ['other letters', 'versión', ['InvalidVersion', `${alphabet} "versión"`, 'use another version']],
    ['a number', 12345678, ['InvalidType', 'must be a string, received the number 12345678', 'put it in quotes: "12345678"']],
  ])('%s is refused', (_, version, cause) => {
    expect(told(version)).toEqual([cause]);
  });

  it('is refused together with autoUpdate', () => {
    const says = 'excludes app.oam.dev/autoUpdate: "true", which follows definitions as they change';
    expect(told('v1', { 'app.oam.dev/autoUpdate': 'true' })).toEqual([['InvalidVersion', says, 'remove one of the two annotations']]);
    expect(told('v1', { 'app.oam.dev/autoUpdate': 'false' })).toEqual([]);
  });

  it('stands at its own path, with what was received', () => {
    const { causes } = checkApplication(annotated({ 'app.oam.dev/publishVersion': 'A', 'lateen.dev/publish-version': 'yes' }), {});
    expect(causes.map(({ path, value }) => [path, value])).toEqual([
      [PATH, 'A'],
      ['metadata.annotations["lateen.dev/publish-version"]', 'yes'],
    ]);
    expect(causes[1]?.message).toBe('metadata.annotations["lateen.dev/publish-version"] must be "auto", received "yes"');
  });

  it('is read without the space around it', () => {
    expect(publishVersionOf(annotated({ 'app.oam.dev/publishVersion': ' v1 ' }))).toBe('v1');
    expect(publishVersionOf(annotated({ 'app.oam.dev/publishVersion': 1 }))).toBeUndefined();
    expect(publishVersionOf({ metadata: { annotations: 'x' } })).toBeUndefined();
  });
});

describe('the version of the mode auto', () => {
  const spec = gitOpsApplication()['spec'];

  it('is v- and ten hexadecimal digits of the content, and no number in YAML', () => {
    expect(autoVersion(spec)).toMatch(/^v-[0-9a-f]{10}$/);
    // A stable value: what is in the clusters must not change with a release of ours.
    expect(autoVersion({ components: [{ name: 'a', type: 'worker', properties: { image: 'x' } }] })).toBe('v-d1b6ae1b10');
  });

  it('changes with the content alone: not with defaults, not with the order of keys', () => {
    const [component] = (spec as { components: { name: string; type: string; properties: object }[] }).components;
    const reordered = { components: [{ properties: component!.properties, type: component!.type, name: component!.name }] };
    expect(autoVersion(reordered)).toBe(autoVersion(spec));
    expect(autoVersion(withDefaults({ spec }).spec)).toBe(autoVersion(spec));
    expect(autoVersion(gitOpsApplication({ prune: false })['spec'])).not.toBe(autoVersion(spec));
    fc.assert(
      fc.property(anyApplication, (application) => {
        const of = (one: unknown): string => specDigest((one as { spec?: unknown } | null)?.spec);
        expect(of(withDefaults(application))).toBe(of(application));
      }),
    );
  });

  it.each<[string, Record<string, unknown>, Record<string, string>, boolean]>([
    ['the Application asks', { 'lateen.dev/publish-version': 'auto' }, {}, true],
    ['the namespace asks', {}, { 'lateen.dev/publish-version': 'auto' }, true],
    ['nobody asks', {}, {}, false],
    ['definitions are followed', { 'app.oam.dev/autoUpdate': 'true' }, { 'lateen.dev/publish-version': 'auto' }, false],
  ])('%s', (_, annotations, ofNamespace, expected) => {
    expect(asksForAuto(annotations, ofNamespace)).toBe(expected);
  });
});
