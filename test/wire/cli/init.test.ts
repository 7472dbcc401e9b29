import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { allowListsOf } from '#api/allow-lists.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { lateen } from '#test/support/lateen.ts';

const LISTS = ['--repositories', 'https://git.example.com/team-a/**, https://git.example.com/shared/*', '--registries', 'ghcr.io/team-a'];

async function printed(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await lateen(['init', ...args]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}

function objectsOf(text: string): KubeObject[] {
  const documents = parseAllDocuments(text).map((document) => ({ errors: document.errors, object: document.toJS() as KubeObject | null }));
  expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
  return documents.flatMap(({ object }) => object ?? []);
}

describe('lateen init', () => {
  it('prints a Namespace and a quota, and in comments what needs a decision', async () => {
    const text = await printed('-n', 'team-a');
    const [namespace, quota, ...more] = objectsOf(text);
    expect(namespace).toMatchObject({ kind: 'Namespace', metadata: { name: 'team-a', labels: { 'lateen.dev/applications': 'all' } } });
    expect(namespace?.metadata.labels?.['pod-security.kubernetes.io/enforce']).toBe('restricted');
    expect(namespace?.metadata.annotations).toBeNull();
    expect(quota).toMatchObject({ kind: 'ResourceQuota', metadata: { namespace: 'team-a' } });
    expect(more).toEqual([]);
    for (const hint of ['lateen.dev/allowed-repositories', '--group', 'helm install lateen-agent', 'lateen doctor --namespace team-a']) {
      expect(text).toMatch(new RegExp(`^#.*${hint}|^ +#.*${hint}`, 'm'));
    }
  });

  it('beside vela-core vouches for nothing that it cannot know', async () => {
    const text = await printed('-n', 'team-a', '--applications', 'gitops');
    expect(objectsOf(text)[0]?.metadata.labels).toMatchObject({ 'lateen.dev/applications': 'gitops' });
    expect(text).toContain('only after velaCore.identity was set to what is\n# true of this cluster');
    expect(text).not.toContain('--set velaCore.identity');
  });

  it('prints lists that can be read, and a RoleBinding of the role admin', async () => {
    const text = await printed('-n', 'team-a', '--group', "o'idc: team a", ...LISTS);
    const [namespace, , binding] = objectsOf(text);
    expect(allowListsOf(namespace?.metadata.annotations ?? {})).toEqual({
      repositories: { patterns: [expect.anything(), expect.anything()] },
      registries: { patterns: [expect.anything()] },
    });
    expect(binding).toMatchObject({
      kind: 'RoleBinding',
      roleRef: { name: 'admin' },
      subjects: [{ kind: 'Group', name: "o'idc: team a" }],
    });
    // The comment at its head prints the very same again.
    const command = /^# {3}(lateen init .*) > /m.exec(text)?.[1] ?? '';
    expect(command).toContain("--group 'o'\\''idc: team a'");
  });

  it.each(['7', 'on', 'team-7'])('takes the namespace %s as a text', async (name) => {
    for (const object of objectsOf(await printed('-n', name))) expect([object.metadata.name, object.metadata.namespace]).toContain(name);
  });

  it('prints values of the agent', async () => {
    expect(parse(await printed('-n', 'team-a', '--values'))).toEqual({
      applications: 'all',
      image: { repository: '' },
      rbac: { secrets: 'write' },
    });
    expect(parse(await printed('-n', 'team-a', '--values', '--applications', 'gitops'))).toMatchObject({
      applications: 'gitops',
      velaCore: { identity: '' },
    });
  });

  it.each([
    [[], '--namespace is missing; name the namespace of the new tenant'],
    [
      ['-n', 'Team_A'],
      '--namespace must consist of lower-case letters, digits and "-", with a letter or digit at both ends, received "Team_A"; write team-a',
    ],
    [
      ['-n', 'a', '--repositories', 'git.example.com/x'],
      '--repositories: the pattern "git.example.com/x" must start with https:// or http://; docs/tenants.md says what a pattern is',
    ],
    [['-n', 'a', '--registries', ','], '--registries: it holds no pattern; docs/tenants.md says what a pattern is'],
  ])('says what is wrong with %j', async (args, sentence) => {
    expect(await lateen(['init', ...args])).toEqual({ status: 2, stdout: '', stderr: `lateen: ${sentence}\n` });
  });
});
