import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { isPlaceholder } from '#api/claim.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { kustomizeSchema } from '#api/kustomize.ts';
import { partOf } from '#api/schema.ts';
import { DEFINITION, definitionText } from '#dev/component-definition.ts';
import { objectsOf, only, template } from '#test/support/helm.ts';

/**
 * What vela-core is given to say of an Application that waits for Lateen. Its CUE was evaluated once with cue v0.14.1, the
 * version of KubeVela; there is neither cue nor vela-core here.
 */

const CHOSEN = '--set=applications=gitops,velaCore.componentDefinition=true';
const WORDS = 'message: "waiting for Lateen to claim this Application"\n';

interface Definition extends KubeObject {
  spec: {
    workload: unknown;
    schematic: { cue: { template: string } };
    status: { healthPolicy: string; customStatus: string };
  };
}

async function definition(...args: string[]): Promise<Definition> {
  return only(objectsOf(await template('lateen-agent', 'team-a', CHOSEN, ...args)), 'ComponentDefinition') as Definition;
}

describe('the ComponentDefinition', () => {
  it('is off, and in the namespace of the tenant where it is on', async () => {
    expect(objectsOf(await template('lateen-agent', 'team-a')).map(({ kind }) => kind)).not.toContain('ComponentDefinition');
    const { apiVersion, metadata } = await definition();
    expect(apiVersion).toBe('core.oam.dev/v1beta1');
    expect(metadata).toMatchObject({ name: 'kustomize', namespace: 'team-a' });
  });

  it('is never that of the whole cluster, nor without a vela-core', async () => {
    await expect(template('lateen-agent', 'vela-system', CHOSEN)).rejects.toThrow('for the whole cluster');
    await expect(template('lateen-agent', 'team-a', '--set=velaCore.componentDefinition=true')).rejects.toThrow('beside vela-core');
  });

  it('is in the form that vela-core reads, and its word is always that it waits', async () => {
    const { spec } = await definition();
    expect(spec).toEqual({
      workload: { type: 'autodetects.core.oam.dev' },
      schematic: { cue: { template: expect.stringContaining('parameter: {\n') as string } },
      status: { healthPolicy: 'isHealth: false\n', customStatus: WORDS },
    });
  });

  it('makes one ConfigMap, which the agent knows for no sign of work', async () => {
    const { template: text } = (await definition()).spec.schematic.cue;
    expect(text.trim()).toBe(definitionText().trim());
    const name = /name: "(.+)"/.exec(text)![1]!.replace('\\(context.appName)', 'infra').replace('\\(context.name)', 'db');
    expect([...text.matchAll(/^\tkind: +"(\w+)"$/gm)].map(([, kind]) => kind)).toEqual(['ConfigMap']);
    expect(isPlaceholder({ apiVersion: 'v1', kind: 'ConfigMap', name })).toBe(true);
    expect(text).not.toMatch(/^outputs:/m);
  });

  it('has the parameters that are declared, as `node dev/generate-docs.ts` writes them', async () => {
    const text = await readFile(DEFINITION, 'utf8');
    expect(text).toBe(definitionText());
    const named = [...text.matchAll(/^\t(\w+)\??: /gm)]
      .map(([, key]) => key)
      .filter((key) => !['apiVersion', 'kind', 'data'].includes(key!));
    expect(named).toEqual(['metadata', ...partOf(kustomizeSchema).fields.map(([key]) => key)]);
    expect(text).toContain('\trepoType: *"git" | "git" | "oss" | "oci"\n');
    expect(text).toContain('\turl: string\n');
    expect(text).toContain('\texclusionList?: [...string]\n');
  });
});
