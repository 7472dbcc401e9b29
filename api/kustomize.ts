import * as v from 'valibot';
import { repositoryRule, watchedImageRule } from './allow-lists.ts';
import type { Component } from './application.ts';
import { bareSite, checkValue } from './schema-check.ts';
import { fillDefaults } from './defaults.ts';
import { Failure } from './failure.ts';
import { branchRule, commitRule, refRule, tagRule } from './git-ref.ts';
import { exclusionsRule, extractRule, imageRepositoryRule, patternRule, policyRule, rangeRule, templateRule } from './image-rules.ts';
import { durationRule, pullIntervalRule } from './interval.ts';
import { labelRule, secretNameRule } from './name-rules.ts';
import { pathRule } from './path.ts';
import { NOT_YET, about } from './schema.ts';
import type { Finding, Site } from './schema.ts';
import { quote, shorten } from './wording.ts';

/**
 * The properties of a `kustomize` component: KubeVela's (spec/kubevela.md §5.1) and ours (design §6). This is the one
 * place that knows them; what a later version carries out loses its NOT_YET here.
 */

const later = { since: NOT_YET };
const ours = { ours: true };
const secret = { rule: secretNameRule, secret: true };

function targetNamespaceRule(namespace: string, { context }: Site): Finding[] {
  if (context.namespace === undefined || namespace === context.namespace) return [];
  const text = `must be the namespace of the Application (${context.namespace}), received ${quote(namespace)}`;
  return [{ code: 'InvalidValue', text, value: shorten(namespace), remedy: 'remove it' }];
}

const git = v.object({
  branch: v.exactOptional(
    v.pipe(
      v.string(),
      about('the branch to follow; absent: the default branch of the remote, which the status names', { rule: branchRule }),
    ),
  ),
  commit: v.exactOptional(v.pipe(v.string(), about('one commit, by its full id', { ...later, rule: commitRule }))),
  name: v.exactOptional(v.pipe(v.string(), about('a full ref such as refs/pull/1/head', { ...later, rule: refRule }))),
  semver: v.exactOptional(v.pipe(v.string(), about('a range of versions; the highest tag in it is taken', { ...later, rule: rangeRule }))),
  tag: v.exactOptional(v.pipe(v.string(), about('a tag', { ...later, rule: tagRule }))),
});

const oss = v.object({
  bucketName: v.pipe(v.string(), about('name of the bucket', later)),
  provider: v.exactOptional(v.pipe(v.picklist(['generic', 'aws']), about('kind of the bucket service', later)), 'generic'),
  region: v.exactOptional(v.pipe(v.string(), about('region of the bucket', later))),
});

const oci = v.object({
  provider: v.exactOptional(v.pipe(v.picklist(['generic', 'azure', 'aws', 'gcp']), about('kind of the registry', later)), 'generic'),
  tag: v.exactOptional(v.pipe(v.string(), about('a tag', later))),
  digest: v.exactOptional(v.pipe(v.string(), about('a digest; goes before semver and tag', later))),
  semver: v.exactOptional(v.pipe(v.string(), about('a range of versions; goes before tag', { ...later, rule: rangeRule }))),
});

const decryption = v.object({
  provider: v.pipe(v.string(), about('sops', later)),
  secretRef: v.pipe(
    v.object({ name: v.pipe(v.string(), about('name of the Secret with the keys', { ...later, ...secret })) }),
    about('the keys', later),
  ),
});

const order = v.picklist(['asc', 'desc']);

const policies = v.object({
  alphabetical: v.exactOptional(v.pipe(v.object({ order: v.exactOptional(v.pipe(order, about('asc or desc'))) }), about('by letters'))),
  numerical: v.exactOptional(v.pipe(v.object({ order: v.pipe(order, about('asc or desc')) }), about('by number'))),
  semver: v.exactOptional(
    v.pipe(v.object({ range: v.pipe(v.string(), about('the range that a version must be in', { rule: rangeRule })) }), about('by version')),
  ),
});

const policy = v.pipe(
  policies,
  about<v.InferOutput<typeof policies>>('which tag is the latest: exactly one of the three', {
    oneOf: ['alphabetical', 'numerical', 'semver'],
    rule: policyRule,
  }),
);

const filterTags = v.object({
  pattern: v.exactOptional(v.pipe(v.string(), about('RE2 pattern that a tag must match', { rule: patternRule }))),
  extract: v.exactOptional(v.pipe(v.string(), about('what is compared, such as $ts for the group ts', { rule: extractRule }))),
});

const imageRepository = v.object({
  image: v.pipe(v.string(), about('the image to watch, without a tag', { rule: watchedImageRule })),
  secretRef: v.exactOptional(v.pipe(v.string(), about('Secret for the registry', { ...secret }))),
  interval: v.exactOptional(v.pipe(v.string(), about('time between two scans', { shape: 'duration', rule: durationRule })), '5m'),
  commitMessage: v.exactOptional(v.pipe(v.string(), about('added to the message of the commit', { rule: templateRule }))),
  policy,
  filterTags: v.exactOptional(v.pipe(filterTags, about('which tags count'))),
  exclusionList: v.exactOptional(
    v.pipe(
      v.array(v.pipe(v.string(), about('a pattern', { ...ours, rule: patternRule }))),
      about('patterns of tags that never count, instead of those of signatures and the like', { ...ours, rule: exclusionsRule }),
    ),
  ),
  prereleases: v.exactOptional(
    v.pipe(
      v.picklist(['any', 'strict']),
      about('any: one comparison with a pre-release lets those of its range in; strict: every comparison must have one', ours),
    ),
    'any',
  ),
  allowDowngrade: v.exactOptional(v.pipe(v.boolean(), about('let a lower version replace a higher one', ours)), false),
  author: v.exactOptional(
    v.pipe(
      v.object({
        name: v.exactOptional(v.pipe(v.string(), about('name'))),
        email: v.exactOptional(v.pipe(v.string(), about('address'))),
      }),
      about('author of the commits, instead of kubevelabot', ours),
    ),
  ),
  messagePrefix: v.exactOptional(v.pipe(v.string(), about('first line of the message, instead of "Update image automatically."', ours))),
});

function wholeNumber(most: number): (value: number) => Finding[] {
  return (value) => {
    if (Number.isInteger(value) && value >= 0 && value <= most) return [];
    const range = most === Number.MAX_SAFE_INTEGER ? 'of at least 0' : `from 0 to ${most}`;
    return [
      {
        code: 'InvalidValue',
        text: `must be a whole number ${range}, received ${value}`,
        value: String(value),
        remedy: 'write such a number',
      },
    ];
  };
}

const pruneBudget = v.object({
  count: v.exactOptional(v.pipe(v.number(), about('at most so many objects', { rule: wholeNumber(Number.MAX_SAFE_INTEGER) })), 10),
  percent: v.exactOptional(v.pipe(v.number(), about('at most this share of five objects or more', { rule: wholeNumber(100) })), 50),
});

export const kustomizeSchema = v.pipe(
  v.object({
    repoType: v.exactOptional(v.pipe(v.picklist(['git', 'oss', 'oci']), about('kind of the source', { works: ['git'] })), 'git'),
    url: v.pipe(v.string(), about('the repository, https:// or http://', { rule: repositoryRule })),
    secretRef: v.exactOptional(
      v.pipe(v.string(), about('Secret of the same namespace: username and password, or bearerToken; and ca.crt', secret)),
    ),
    pullInterval: v.exactOptional(v.pipe(v.string(), about('time between two pulls', { shape: 'duration', rule: pullIntervalRule })), '5m'),
    timeout: v.exactOptional(
      v.pipe(v.string(), about('longest time for one call of the Git server', { shape: 'duration', rule: durationRule })),
    ),
    git: v.exactOptional(v.pipe(git, about('what to follow', { oneOf: ['semver', 'tag', 'name'] }))),
    path: v.pipe(v.string(), about('the folder to apply, such as ./infrastructure', { rule: pathRule })),
    prune: v.exactOptional(v.pipe(v.boolean(), about('remove what has left the repository')), true),
    suspend: v.exactOptional(v.pipe(v.boolean(), about('stop pulling and applying')), false),
    force: v.exactOptional(v.pipe(v.boolean(), about('delete and recreate what cannot be changed', later)), false),
    targetNamespace: v.exactOptional(
      v.pipe(v.string(), about("namespace of the objects: only the Application's own", { rule: targetNamespaceRule })),
    ),
    sourceName: v.exactOptional(v.pipe(v.string(), about('an existing source to use instead of url', { ...later, rule: labelRule }))),
    oss: v.exactOptional(v.pipe(oss, about('the bucket, for repoType oss', later))),
    oci: v.exactOptional(v.pipe(oci, about('the artifact, for repoType oci', later))),
    decryption: v.exactOptional(v.pipe(decryption, about('how Secrets in the repository are decrypted', later))),
    imageRepository: v.exactOptional(
      v.pipe(
        imageRepository,
        about<v.InferOutput<typeof imageRepository>>('commit new image tags to the repository', { rule: imageRepositoryRule }),
      ),
    ),
    atomic: v.exactOptional(v.pipe(v.boolean(), about('apply nothing unless the API server would take everything', ours)), false),
    adopt: v.exactOptional(v.pipe(v.boolean(), about('take over objects that nobody here has made', ours)), false),
    drift: v.exactOptional(
      v.pipe(v.picklist(['correct', 'report', 'off']), about('changes made in the cluster: put back, only reported, or left alone', ours)),
      'correct',
    ),
    pruneBudget: v.exactOptional(v.pipe(pruneBudget, about('the most that one run may remove without approval', ours))),
    wait: v.exactOptional(v.pipe(v.boolean(), about('count as healthy only when every object is', { since: NOT_YET, ...ours })), true),
  }),
  about('properties of a kustomize component', { keys: 'a property of kustomize' }),
);

/** The properties with their defaults. Durations and path as the user wrote them. */
export type KustomizeProperties = v.InferOutput<typeof kustomizeSchema>;

/** The properties of a component that the rules have let pass. Throws Failure NotAdmitted with the causes where they would not. */
export function kustomizeProperties(component: Component): KustomizeProperties {
  const received = component.properties ?? {};
  const causes = checkValue(kustomizeSchema, received, bareSite(['properties'])).filter(({ code }) => code !== 'Unsupported');
  if (causes.length > 0)
    throw new Failure('NotAdmitted', 'the properties do not fit the component type kustomize', { kind: 'stalled', causes });
  return fillDefaults(kustomizeSchema, received) as KustomizeProperties;
}
