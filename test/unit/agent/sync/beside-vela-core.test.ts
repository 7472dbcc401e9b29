import { describe, expect, it } from 'vitest';
import { besideVelaCore, type VelaCore } from '#agent/sync/beside-vela-core.ts';
import type { KubeObject } from '#api/kubernetes.ts';

const CLAIM = 'app.oam.dev/controller-version-require';
const MARK = 'lateen.dev/handed-back';
const ACCOUNT = 'app.oam.dev/service-account-name';
const LABEL_KEYS = 'filter.oam.dev/label-keys';
const ANNOTATION_KEYS = 'filter.oam.dev/annotation-keys';

const trusted: VelaCore = { identity: 'trusted' };
const impersonated: VelaCore = { identity: 'impersonated' };
const unsaid: VelaCore = { identity: undefined };
const origin = { file: 'a.yaml', line: 3 };

function application(type: string, annotations?: Record<string, string>): KubeObject {
  const metadata = { name: 'nested', ...(annotations ? { annotations } : {}) };
  return { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', metadata, spec: { components: [{ name: 'c', type }] } };
}

function sent(object: KubeObject, velaCore: VelaCore | undefined): Record<string, string> | undefined {
  const { objects, causes } = besideVelaCore([{ object, origin }], velaCore);
  expect(causes).toEqual([]);
  return objects[0]?.object.metadata.annotations;
}

function refusals(object: KubeObject, velaCore: VelaCore): string[] {
  const { objects, causes } = besideVelaCore([{ object, origin }], velaCore);
  expect(objects).toEqual([]);
  for (const cause of causes) expect(cause).toMatchObject({ code: 'VelaCoreIdentity', ...origin });
  return causes.map(({ path }) => path);
}

describe('a nested Application that the agent reconciles', () => {
  it.each([unsaid, impersonated, trusted])('is claimed before vela-core sees it (%j)', (velaCore) => {
    expect(sent(application('kustomize'), velaCore)).toEqual({ [CLAIM]: 'lateen' });
    expect(sent(application('kustomize', { note: 'x' }), velaCore)).toEqual({ note: 'x', [CLAIM]: 'lateen' });
  });

  it('may be of any type where Git gives it to Lateen', () => {
    expect(sent(application('webservice', { [CLAIM]: 'lateen' }), unsaid)).toEqual({ [CLAIM]: 'lateen' });
  });
});

describe('a nested Application that vela-core runs', () => {
  it('hides our names from what it makes, and never carries a claim', () => {
    const annotations = sent(application('webservice', { [ANNOTATION_KEYS]: 'mine' }), trusted);
    expect(Object.keys(annotations ?? {}).sort()).toEqual([ANNOTATION_KEYS, LABEL_KEYS].sort());
    expect(annotations?.[LABEL_KEYS]).toBe('lateen.dev/application,lateen.dev/component');
    expect(annotations?.[ANNOTATION_KEYS]).toMatch(/^mine,lateen\.dev\/.*lateen\.dev\/requested-by$/);
  });

  it('is the same object each time, so that nothing drifts', () => {
    const once = besideVelaCore([{ object: application('webservice'), origin }], trusted).objects;
    expect(besideVelaCore(once, trusted).objects).toEqual(once);
  });

  it.each([
    ['without a kustomize component', application('webservice')],
    ['that another controller is named for', application('kustomize', { [CLAIM]: 'v1.10.0' })],
    ['that was handed back', application('kustomize', { [MARK]: 'true' })],
    ['that was handed back, with a claim left over', application('kustomize', { [MARK]: 'true', [CLAIM]: 'lateen' })],
  ])('%s is refused as long as nobody has vouched for its rights', (_which, object) => {
    expect(refusals(object, unsaid)).toEqual(['']);
    expect(sent(object, trusted)?.[CLAIM]).toBe(object.metadata.annotations?.[CLAIM] === 'v1.10.0' ? 'v1.10.0' : undefined);
  });

  it('may not choose as whom it is run', () => {
    const chosen = { 'app.oam.dev/username': 'admin', 'app.oam.dev/group': 'system:masters', [ACCOUNT]: 'builder' };
    expect(refusals(application('webservice', chosen), impersonated)).toEqual([
      'metadata.annotations[app.oam.dev/username]',
      'metadata.annotations[app.oam.dev/group]',
      `metadata.annotations[${ACCOUNT}]`,
    ]);
    expect(sent(application('webservice', chosen), trusted)).toMatchObject(chosen);
  });

  it('leaves it to the agent to name its own ServiceAccount', () => {
    expect(sent(application('webservice', { [ACCOUNT]: 'lateen-agent' }), impersonated)).not.toHaveProperty([ACCOUNT]);
  });
});

it('nothing is changed where the agent is alone, nor of other objects', () => {
  const built = [{ object: application('kustomize'), origin }];
  expect(besideVelaCore(built, undefined)).toEqual({ objects: built, causes: [] });
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };
  expect(besideVelaCore([{ object, origin }], unsaid)).toEqual({ objects: [{ object, origin }], causes: [] });
});
