import { describe, expect, it } from 'vitest';
import { completed } from '#agent/sync/nested-applications.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { mutateApplication } from '#api/mutation.ts';
import { autoVersion } from '#api/publish-version.ts';

const AUTO = { 'lateen.dev/publish-version': 'auto' };
const VERSION = 'app.oam.dev/publishVersion';
const spec = { components: [{ name: 'a', type: 'kustomize', properties: { url: 'https://git.example/x', path: '.', prune: false } }] };

function application(annotations?: Record<string, string>): KubeObject {
  const metadata = { name: 'nested', ...(annotations ? { annotations } : {}) };
  return { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', metadata, spec };
}

async function one(object: KubeObject, ofNamespace: Record<string, string> = {}): Promise<KubeObject> {
  const [built] = await completed([{ object, origin: { file: 'a.yaml' } }], () => Promise.resolve(ofNamespace));
  return built!.object;
}

const versionOf = ({ metadata }: KubeObject): string | undefined => metadata.annotations?.[VERSION];

describe('an Application from Git', () => {
  it('has the version of its content where it, or its namespace, asks for auto', async () => {
    expect(versionOf(await one(application(AUTO)))).toBe(autoVersion(spec));
    expect(versionOf(await one(application(), AUTO))).toBe(autoVersion(spec));
    expect(versionOf(await one(application()))).toBeUndefined();
  });

  it('keeps the version that stands in the file', async () => {
    expect(versionOf(await one(application({ ...AUTO, [VERSION]: 'v7' }), AUTO))).toBe('v7');
  });

  it('has none where it follows definitions as they change', async () => {
    expect(versionOf(await one(application({ 'app.oam.dev/autoUpdate': 'true' }), AUTO))).toBeUndefined();
  });

  it.each([{}, AUTO])('is what the webhook would make of it, which then has nothing to add (namespace %o)', async (annotations) => {
    const object = application();
    const sent = await one(object, annotations);
    const facts = { labels: {}, annotations };
    expect(mutateApplication({ object }, facts)).toEqual(sent);
    expect(mutateApplication({ object: sent }, facts)).toEqual(sent);
    expect(mutateApplication({ object: sent, oldObject: application() }, facts)).toEqual(sent);
  });
});

it('the Namespace is asked for only where it decides something', async () => {
  const never = (): Promise<never> => Promise.reject(new Error('asked'));
  const origin = { file: 'a.yaml' };
  const objects = [{ object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }, origin }];
  expect(await completed(objects, never)).toBe(objects);
  await completed([...objects, { object: application(AUTO), origin }, { object: application({ [VERSION]: 'v1' }), origin }], never);
  await expect(completed([{ object: application(), origin }], never)).rejects.toThrow('asked');
});
