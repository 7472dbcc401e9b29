import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allowListsOf } from '#api/allow-lists.ts';
import { causeSentence, checkApplication } from '#api/check.ts';
import { reviewApplication } from '#api/review.ts';
import { applicationOf, gitOpsApplication, PROPERTIES } from './cases.ts';

const REPOSITORIES = 'lateen.dev/allowed-repositories';
const REGISTRIES = 'lateen.dev/allowed-registries';

function sentences(properties: Record<string, unknown>, annotations: Record<string, string>): string[] {
  const { causes, unsupported } = checkApplication(gitOpsApplication(properties), {
    namespace: 'team-a',
    allowed: allowListsOf(annotations),
  });
  return [...causes, ...unsupported].map(causeSentence);
}

const ofUrl = (url: string, list: string): string[] => sentences({ url }, { [REPOSITORIES]: list });

function ofImage(image: string, list: string): string[] {
  const imageRepository = { image, policy: { alphabetical: {} } };
  return sentences({ secretRef: 'git', imageRepository }, { [REGISTRIES]: list });
}

describe('a repository is allowed where a pattern matches the whole url', () => {
  it.each([
    ['https://git.example.com/team-a/infra', 'https://git.example.com/team-a/infra'],
    ['https://git.example.com/team-a/infra', 'https://git.example.com/team-a/*'],
    ['https://git.example.com/team-a/infra.git', 'https://other.example/x, https://git.example.com/*/infra*'],
    ['https://git.example.com/team-a/sub/infra/', 'https://git.example.com/team-a/**'],
    ['https://GIT.example.com/team-a/infra', 'HTTPS://git.Example.com/team-a/*'],
    ['https://git.example.com:8443/team-a/infra', 'https://*.example.com:8443/**'],
    ['http://git.dev.svc/x', 'https://git.example.com/**\n  http://git.dev.svc/*\n'],
    ['https://[::1]:80/x', 'https://[::1]:80/x'],
    ['https://git.example.com/a%20b', 'https://git.example.com/a%20b'],
  ])('%s by %j', (url, list) => {
    expect(ofUrl(url, list)).toEqual([]);
  });

  it.each([
    ['https://git.example.com/team-b/infra', 'https://git.example.com/team-a/*'],
    ['https://evil.example/git.example.com/team-a/infra', 'https://git.example.com/team-a/*'],
    ['https://git.example.com.evil.example/team-a/infra', 'https://git.example.com/team-a/*'],
    ['https://evilgit.example.com/team-a/infra', 'https://git.example.com/team-a/*'],
    ['https://git.example.com/team-a/infra/more', 'https://git.example.com/team-a/*'],
    ['https://git.example.com/team-a', 'https://git.example.com/team-a/**'],
    ['https://git.example.com/team-ab', 'https://git.example.com/team-a/**'],
    ['https://git.example.com/Team-a/infra', 'https://git.example.com/team-a/*'],
    ['http://git.example.com/team-a/infra', 'https://git.example.com/team-a/*'],
    ['https://git.example.com:8443/team-a/infra', 'https://git.example.com/team-a/*'],
    ['https://a.b.example.com/team-a/infra', 'https://*.example.com/team-a/*'],
    ['https://git.example.com/team-a/infra.git', 'https://git.example.com/team-a/infra'],
    ['https://gitx.example.com:99/x', 'https://git*.example.com/*'],
  ])('%s not by %j', (url, list) => {
    expect(ofUrl(url, list)).toEqual([
      `${PROPERTIES}.url is no repository that the namespace team-a allows, received "${url}"; it allows "${list}"; ` +
        `use one of these, or ask whoever runs the cluster to add yours to ${REPOSITORIES} of the Namespace`,
    ]);
  });

  it.each(['team-a/../team-b/x', 'team-a/%2e%2E/team-b', 'team-a%2fx', 'team-a//x', 'team-a/./x', 'team-a/%252e%252e/x', 'team-a/..'])(
    'a server may read %s as another one, so nothing allows it',
    (path) => {
      const [found] = ofUrl(`https://git.example.com/${path}`, 'https://git.example.com/team-a/**, https://git.example.com/*');
      expect(found).toContain('a server may read it as another repository');
    },
  );

  it('without a list everything is allowed, and the list does not concern other components', () => {
    expect(sentences({ url: 'https://anywhere.example/x' }, {})).toEqual([]);
    const helm = applicationOf({ name: 'a', type: 'helm', properties: { url: 'https://anywhere.example/x' } });
    const facts = { labels: {}, annotations: { [REPOSITORIES]: 'https://git.example.com/**' } };
    expect(reviewApplication({ object: helm }, { namespace: facts }).denials).toEqual([]);
  });

  it('one that cannot be used at all is told that, and no more', () => {
    expect(ofUrl('ext::sh -c id', 'https://git.example.com/**')).toHaveLength(1);
    expect(ofUrl('https://user:pw@git.example.com/x', 'https://git.example.com/**').join()).not.toContain('pw');
  });
});

describe('an image is allowed where a pattern matches all of its name', () => {
  it.each([
    ['ghcr.io/org/app', 'ghcr.io/org/*'],
    ['ghcr.io/org/app', 'ghcr.io'],
    ['ghcr.io/org/sub/app', 'ghcr.io/**'],
    ['nginx', 'docker.io/library/nginx'],
    ['docker.io/fogdong/test-fog', 'index.docker.io/fogdong/*'],
    ['registry.dev.svc:5000/app', 'registry.dev.svc:5000'],
    ['123456789012.dkr.ecr.eu-west-1.amazonaws.com/app', '*.dkr.ecr.*.amazonaws.com/**'],
  ])('%s by %s', (image, list) => {
    expect(ofImage(image, list)).toEqual([]);
  });

  it.each([
    ['ghcr.io/evil/app', 'ghcr.io/org/*'],
    ['ghcr.io.evil.example/org/app', 'ghcr.io/org/*'],
    ['evil.example/ghcr.io/org/app', 'ghcr.io'],
    ['nginx', 'docker.io/org/**'],
    ['ghcr.io:8080/org/app', 'ghcr.io'],
  ])('%s not by %s', (image, list) => {
    expect(ofImage(image, list)).toEqual([
      `${PROPERTIES}.imageRepository.image is no image that the namespace team-a allows, received "${image}"; it allows "${list}"; ` +
        `use one of these, or ask whoever runs the cluster to add yours to ${REGISTRIES} of the Namespace`,
    ]);
  });

  it('with .. in it never', () => {
    expect(ofImage('ghcr.io/org/../evil/app', 'ghcr.io').join()).toContain('may read it as another image');
  });
});

describe('a list with a mistake allows nothing, and says why', () => {
  it.each([
    ['', 'it holds no pattern'],
    [' , \n ', 'it holds no pattern'],
    ['https://git.example.com/**, git.example.com/x', 'the pattern "git.example.com/x" must start with https:// or http://'],
    ['^https://git.example.com/.*$', 'the pattern "^https://git.example.com/.*$" must start with https:// or http://'],
    ['https://git.example.com/team-a/.*', 'the pattern "https://git.example.com/team-a/.*" looks like a regular expression'],
    ['https://git.example.com', 'the pattern "https://git.example.com" names no repository; for all of a server write https://HOST/**'],
    ['https://git.example.com/', 'names no repository'],
    ['https://git.example.com/**/infra', 'may have ** only at its end, as in /team/**'],
    ['https://**/x', 'must name a host that can be one'],
    ['https://-x/y', 'must name a host that can be one'],
    ['https:///y', 'must name a host that can be one'],
    ['https://git.example.com/a https://git.example.com/b', 'holds a space'],
    ['https://u@git.example.com/a', 'must hold no user, query or fragment'],
    ['https://git.example.com/../a', 'must have a plain path'],
    [`https://git.example.com/${'x'.repeat(512)}`, 'has more than 512 characters'],
    [Array.from({ length: 201 }, (_, n) => `https://h/${n}`).join(), 'it holds 201 patterns, at most 200 are allowed'],
  ])('such as that of line %#', (list, problem) => {
    const [found, ...more] = ofUrl('https://git.example.com/team-a/infra', list);
    expect(more).toEqual([]);
    expect(found).toContain(`${PROPERTIES}.url is not allowed: the list ${REPOSITORIES} of the namespace team-a cannot be read: `);
    expect(found).toContain(problem);
    expect(found).toMatch(/; ask whoever runs the cluster to correct it; until then it allows nothing$/);
  });

  it.each([
    ['https://ghcr.io/**', 'must have no scheme'],
    ['nginx', 'must start with the host of a registry'],
    ['org/app', 'must start with the host of a registry'],
  ])('%j of registries', (list, problem) => {
    expect(ofImage('ghcr.io/org/app', list).join()).toContain(problem);
  });
});

it('the webhook refuses by what it knows of the namespace, and lets an old Application be relabelled', () => {
  const facts = { labels: {}, annotations: { [REPOSITORIES]: 'https://other.example/**' } };
  const object = gitOpsApplication();
  expect(reviewApplication({ object, namespace: 'team-a' }, { namespace: facts }).denials.map(({ code }) => code)).toEqual([
    'RepositoryNotAllowed',
  ]);
  const labelled = { ...object, metadata: { name: 'infra-gitops', labels: { a: 'b' }, annotations: { 'lateen.dev/reconcile-at': 'now' } } };
  expect(reviewApplication({ object: labelled, oldObject: object, namespace: 'team-a' }, { namespace: facts }).denials).toEqual([]);
});

describe('what an override brings in is held against the lists too', () => {
  const spec = (properties: Record<string, unknown>, more: Record<string, unknown> = {}): Record<string, unknown> => ({
    ...gitOpsApplication(),
    spec: {
      ...(gitOpsApplication()['spec'] as object),
      policies: [{ name: 'elsewhere', type: 'override', properties: { components: [{ name: 'infra', properties, ...more }] } }],
    },
  });
  const allowed = allowListsOf({ [REPOSITORIES]: 'https://git.example.com/*', [REGISTRIES]: 'ghcr.io' });
  const paths = (application: unknown): string[] =>
    checkApplication(application, { namespace: 'team-a', allowed }).causes.map(({ path, code }) => `${code} ${path}`);

  it('whatever the type of the component is', () => {
    const properties = { url: 'https://evil.example/x', imageRepository: { image: 'evil.example/org/x' } };
    const found = [
      'RepositoryNotAllowed spec.policies[0].properties.components[0].properties.url',
      'RegistryNotAllowed spec.policies[0].properties.components[0].properties.imageRepository.image',
    ];
    expect(paths(spec(properties))).toEqual(found);
    expect(paths(spec(properties, { type: 'kustomize' }))).toEqual(found);
  });

  it('and passes where they allow it, and where there are none', () => {
    expect(paths(spec({ url: 'https://git.example.com/y', imageRepository: { image: 'ghcr.io/x/y' }, path: './' }))).toEqual([]);
    const { causes } = checkApplication(spec({ url: 'https://evil.example/x' }), { namespace: 'team-a', allowed: {} });
    expect(causes).toEqual([]);
  });
});

it('never throws, and `*` never crosses a slash or a dot of the host', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (url, list) => {
      ofUrl(url, list);
    }),
  );
  const word = fc.stringMatching(/^[a-z]{1,8}$/);
  fc.assert(
    fc.property(word, word, word, (host, one, two) => {
      const list = `https://*.example.com/*`;
      expect(ofUrl(`https://${host}.example.com/${one}`, list)).toEqual([]);
      expect(ofUrl(`https://${host}.example.com/${one}/${two}`, list)).toHaveLength(1);
      expect(ofUrl(`https://${host}.${two}.example.com/${one}`, list)).toHaveLength(1);
    }),
  );
});
