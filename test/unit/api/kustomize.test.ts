import { describe, expect, it } from 'vitest';
import type { Component } from '#api/application.ts';
import type { Cause } from '#api/failure.ts';
import { kustomizeProperties, kustomizeSchema } from '#api/kustomize.ts';
import { NOT_YET, partOf } from '#api/schema.ts';
import { PROPERTIES, applicationOf, gitOpsApplication, mistakesOf } from './cases.ts';

/** A cause of one property: `at` below the properties, `says` after the path. */
function cause(at: string, code: Cause['code'], says: string, rest: Pick<Cause, 'value' | 'remedy'>): Cause {
  const path = `${PROPERTIES}.${at}`;
  return { path, code, message: `${path} ${says}`, ...rest };
}

const notYet = (at: string, value?: string): Cause =>
  cause(at, 'Unsupported', 'is not implemented in this version', { ...(value === undefined ? {} : { value }), remedy: 'remove it' });

describe('a kustomize component that this version carries out', () => {
  const accepted: [name: string, properties: Record<string, unknown>][] = [
    ['what the seed document writes', { repoType: 'git', pullInterval: '10m', git: { branch: 'infra' }, secretRef: 'git-secret' }],
    ['every property that works', { pullInterval: '10s', timeout: '1m30s', git: {}, prune: false, suspend: true }],
    ['every default written out', { force: false, atomic: false, adopt: false, drift: 'correct', wait: true }],
    ['its own namespace as the target', { targetNamespace: 'default' }],
  ];
  it.each(accepted)('%s', (_, properties) => {
    expect(mistakesOf(gitOpsApplication(properties))).toEqual([]);
  });
});

describe('mistakes in the properties', () => {
  const cases: [name: string, properties: Record<string, unknown>, causes: Cause[]][] = [
    [
      'a misspelt property',
      { urll: 'x' },
      [cause('urll', 'UnknownField', 'is not a property of kustomize', { remedy: 'did you mean "url"?' })],
    ],
    [
      'a word of Flux',
      { interval: '1m' },
      [cause('interval', 'UnknownField', 'is not a property of kustomize', { remedy: 'did you mean "pullInterval"?' })],
    ],
    [
      'a level too high',
      { branch: 'main' },
      [cause('branch', 'UnknownField', 'is not a property of kustomize', { remedy: 'did you mean "git.branch"?' })],
    ],
    [
      'nothing like it',
      { substitute: {} },
      [cause('substitute', 'UnknownField', 'is not a property of kustomize', { remedy: 'remove it' })],
    ],
    [
      'misspelt inside git',
      { git: { brnch: 'main' } },
      [cause('git.brnch', 'UnknownField', 'is not a property of git', { remedy: 'did you mean "branch"?' })],
    ],
    [
      'a key that is no word',
      { 'a.b/c': 1 },
      [
        {
          ...cause('', 'UnknownField', '', { remedy: 'remove it' }),
          path: `${PROPERTIES}["a.b/c"]`,
          message: `${PROPERTIES}["a.b/c"] is not a property of kustomize`,
        },
      ],
    ],
    [
      'missing url',
      { url: undefined },
      [cause('url', 'Required', 'is required', { remedy: 'add url: the repository, https:// or http://' })],
    ],
    [
      'missing path',
      { path: undefined },
      [cause('path', 'Required', 'is required', { remedy: 'add path: the folder to apply, such as ./infrastructure' })],
    ],
    [
      'a string for true',
      { prune: 'true' },
      [
        cause('prune', 'InvalidType', 'must be true or false, received the string "true"', {
          value: 'true',
          remedy: 'write true without quotes',
        }),
      ],
    ],
    [
      'yes for true',
      { prune: 'yes' },
      [cause('prune', 'InvalidType', 'must be true or false, received the string "yes"', { value: 'yes', remedy: 'write true or false' })],
    ],
    [
      'a number for a string',
      { pullInterval: 300 },
      [
        cause('pullInterval', 'InvalidType', 'must be a string, received the number 300', {
          value: '300',
          remedy: 'put it in quotes: "300"',
        }),
      ],
    ],
    [
      'a number for a branch',
      { git: { branch: 1.1 } },
      [
        cause('git.branch', 'InvalidType', 'must be a string, received the number 1.1', {
          value: '1.1',
          remedy: 'put it in quotes: "1.1"',
        }),
      ],
    ],
    [
      'a word for a map',
      { git: 'main' },
      [cause('git', 'InvalidType', 'must be a map, received the string "main"', { value: 'main', remedy: 'write it as a map' })],
    ],
    [
      'a list for a map',
      { git: ['main'] },
      [cause('git', 'InvalidType', 'must be a map, received a list', { remedy: 'write it as a map' })],
    ],
    [
      'nothing after the colon',
      { url: null },
      [cause('url', 'InvalidType', 'must be a string, received nothing (null)', { value: 'null', remedy: 'give it a value or remove it' })],
    ],
    [
      'secretRef as Flux has it',
      { secretRef: { name: 'git-secret' } },
      [cause('secretRef', 'InvalidType', 'must be a string, received a map', { remedy: 'write the name alone' })],
    ],
    [
      'a value too long to show',
      { prune: 'x'.repeat(200) },
      [
        cause('prune', 'InvalidType', `must be true or false, received the string "${'x'.repeat(79)}…"`, {
          value: `${'x'.repeat(79)}…`,
          remedy: 'write true or false',
        }),
      ],
    ],
    [
      'an unknown repoType',
      { repoType: 'gti' },
      [
        cause('repoType', 'InvalidValue', 'must be one of "git", "oss" and "oci", received "gti"', {
          value: 'gti',
          remedy: 'did you mean "git"?',
        }),
      ],
    ],
    [
      'a Secret of another namespace',
      { secretRef: 'kube-system/token' },
      [
        cause('secretRef', 'InvalidName', 'must be the name of a Secret of this namespace: lower-case letters, digits, "-" and "."', {
          remedy: 'write the name of the Secret, not what is in it',
        }),
      ],
    ],
    [
      'another target',
      { targetNamespace: 'prod' },
      [
        cause('targetNamespace', 'InvalidValue', 'must be the namespace of the Application (default), received "prod"', {
          value: 'prod',
          remedy: 'remove it',
        }),
      ],
    ],
    [
      'tag and semver',
      { git: { tag: 'v1', semver: '1.x' } },
      [
        cause('git', 'InvalidValue', 'has "semver" and "tag", which exclude each other', { remedy: 'keep one of them' }),
        notYet('git.semver', '1.x'),
        notYet('git.tag', 'v1'),
      ],
    ],
  ];
  it.each(cases)('%s', (_, properties, causes) => {
    expect(mistakesOf(gitOpsApplication(properties))).toEqual(causes);
  });

  it('all of them at once, in the order of the declaration and not of the file', () => {
    const properties = { zeta: 1, prune: 'no', path: '/a', alpha: 1, url: 'ftp://h/x', git: { branch: '-x' } };
    const order = ['url', 'git.branch', 'path', 'prune', 'alpha', 'zeta'];
    const mistakes = mistakesOf(gitOpsApplication(properties));
    expect(mistakes.map(({ path }) => path)).toEqual(order.map((at) => `${PROPERTIES}.${at}`));
    const reversed = Object.fromEntries(Object.entries(properties).toReversed());
    expect(mistakesOf(gitOpsApplication(reversed))).toEqual(mistakes);
  });

  it('a component without properties lacks what is required', () => {
    expect(mistakesOf(applicationOf({ name: 'a', type: 'kustomize' })).map(({ path, code }) => [path, code])).toEqual([
      [`${PROPERTIES}.url`, 'Required'],
      [`${PROPERTIES}.path`, 'Required'],
    ]);
  });
});

describe('what this version cannot do yet', () => {
  const cases: [name: string, properties: Record<string, unknown>, causes: Cause[]][] = [
    [
      'repoType oci',
      { repoType: 'oci' },
      [cause('repoType', 'Unsupported', '"oci" is not implemented in this version', { value: 'oci', remedy: 'use "git"' })],
    ],
    [
      'repoType oss',
      { repoType: 'oss' },
      [cause('repoType', 'Unsupported', '"oss" is not implemented in this version', { value: 'oss', remedy: 'use "git"' })],
    ],
    [
      'url with ssh',
      { url: 'ssh://git@git.example.com/infra' },
      [
        cause('url', 'Unsupported', 'with ssh:// is not implemented in this version', {
          value: 'ssh://***@git.example.com/infra',
          remedy: 'use https://',
        }),
      ],
    ],
    ['git.commit', { git: { commit: 'a1'.repeat(20) } }, [notYet('git.commit', 'a1'.repeat(20))]],
    ['git.name', { git: { name: 'refs/pull/1/head' } }, [notYet('git.name', 'refs/pull/1/head')]],
    ['git.semver', { git: { semver: '1.x' } }, [notYet('git.semver', '1.x')]],
    ['git.tag', { git: { tag: 'v1' } }, [notYet('git.tag', 'v1')]],
    ['force', { force: true }, [notYet('force', 'true')]],
    ['sourceName', { sourceName: 'infra' }, [notYet('sourceName', 'infra')]],
    ['oss', { oss: { bucketName: 'b' } }, [notYet('oss')]],
    ['oci', { oci: { tag: 'v1' } }, [notYet('oci')]],
    ['decryption', { decryption: { provider: 'sops', secretRef: { name: 'keys' } } }, [notYet('decryption')]],
    ['wait', { wait: false }, [notYet('wait', 'false')]],
  ];
  it.each(cases)('%s', (_, properties, causes) => {
    expect(mistakesOf(gitOpsApplication(properties))).toEqual(causes);
  });

  it('has a case for everything that the declaration marks', () => {
    const marked = Object.entries(partOf(kustomizeSchema).schema.entries ?? {}).filter(([, schema]) => {
      const { facts } = partOf(schema);
      return facts?.since === NOT_YET || facts?.works;
    });
    const covered = new Set(cases.flatMap(([, properties]) => Object.keys(properties)));
    expect(marked.map(([key]) => key).filter((key) => !covered.has(key))).toEqual([]);
  });

  it('a mistake inside it is told beside it', () => {
    const properties = { imageRepository: { image: 'nginx', policy: { numerical: { order: 'up' } }, secretRef: 'A b' } };
    expect(mistakesOf(gitOpsApplication(properties))).toEqual([
      cause(
        'imageRepository.secretRef',
        'InvalidName',
        'must be the name of a Secret of this namespace: lower-case letters, digits, "-" and "."',
        { remedy: 'write the name of the Secret, not what is in it' },
      ),
      cause('imageRepository.policy.numerical.order', 'InvalidValue', 'must be one of "asc" and "desc", received "up"', {
        value: 'up',
        remedy: 'use one of them',
      }),
    ]);
  });
});

describe('kustomizeProperties', () => {
  const component = (properties?: Record<string, unknown>): Component => ({
    name: 'a',
    type: 'kustomize',
    ...(properties ? { properties } : {}),
  });

  it('fills the defaults and keeps the rest as written', () => {
    expect(kustomizeProperties(component({ url: 'https://h/x', path: './a/', git: { branch: 'b' } }))).toEqual({
      repoType: 'git',
      url: 'https://h/x',
      pullInterval: '5m',
      git: { branch: 'b' },
      path: './a/',
      prune: true,
      suspend: false,
      force: false,
      atomic: false,
      adopt: false,
      drift: 'correct',
      wait: true,
    });
  });

  it('refuses what the rules refuse, with every cause', () => {
    const refused = expect.objectContaining({
      reason: 'NotAdmitted',
      kind: 'stalled',
      causes: [
        expect.objectContaining({ path: 'properties.url', code: 'Required' }),
        expect.objectContaining({ path: 'properties.path', code: 'Required' }),
      ],
    });
    expect(() => kustomizeProperties(component())).toThrow(refused);
  });
});
