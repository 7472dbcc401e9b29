import { describe, expect, it } from 'vitest';
import type { Application, WorkflowStatus } from '#api/application.ts';
import type { Failure } from '#api/failure.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { jsonPatch } from '#cli/application-patch.ts';
import { holdsOf, resumedWorkflow } from '#cli/holds.ts';
import { mustBeOurs, mustBePublishable } from '#cli/publish-rules.ts';
import { recordsOf } from '#cli/revision-record.ts';
import podinfo from '#test/fixtures/oracle/publish-version/application.json' with { type: 'json' };
import recorded from '#test/fixtures/oracle/publish-version/applicationrevisions.json' with { type: 'json' };

const application = podinfo as unknown as Application;
const records = recordsOf('podinfo', recorded.items as unknown as KubeObject[]);
const [alpha1, alpha2] = records;

function annotated(annotations: Record<string, string> | undefined, change: Partial<Application> = {}): Application {
  const { annotations: _, ...metadata } = application.metadata;
  return { ...application, ...change, metadata: { ...metadata, ...(annotations ? { annotations } : {}) } };
}

describe('the patch', () => {
  it('is about the Application as it was read, and replaces the spec as a whole', () => {
    const spec = { components: [] };
    expect(jsonPatch(application, { spec, annotations: { 'app.oam.dev/publishVersion': 'v1', 'lateen.dev/hold': undefined } })).toEqual([
      { op: 'replace', path: '/metadata/resourceVersion', value: '39918' },
      { op: 'replace', path: '/spec', value: spec },
      { op: 'add', path: '/metadata/annotations/app.oam.dev~1publishVersion', value: 'v1' },
    ]);
  });

  it('makes the annotations where there are none, and removes what is there', () => {
    expect(jsonPatch(annotated(undefined), { annotations: { 'a/b~c': 'x' } }).slice(1)).toEqual([
      { op: 'add', path: '/metadata/annotations', value: {} },
      { op: 'add', path: '/metadata/annotations/a~1b~0c', value: 'x' },
    ]);
    expect(jsonPatch(annotated({ gone: 'x' }), { annotations: { gone: undefined } }).slice(1)).toEqual([
      { op: 'remove', path: '/metadata/annotations/gone' },
    ]);
  });
});

describe('a version', () => {
  const publishable = (version: string, source = undefined as typeof alpha1, of = application) =>
    mustBePublishable({ application: of, version, records, source });

  it('is refused where it is the present one, or no version', () => {
    expect(() => publishable('beta1')).toThrow('the publishVersion of podinfo is "beta1" already');
    const causes = (version: string): string[] => {
      try {
        publishable(version);
        return [];
      } catch (error) {
        return (error as Failure).causes.map(({ code, message }) => `${code} ${message.slice(0, 60)}`);
      }
    };
    expect(causes('Ümlaut')).toEqual([expect.stringMatching(/^InvalidVersion metadata\.annotations/)]);
    expect(causes('${VERSION}')).toEqual([expect.stringMatching(/^InvalidVersion metadata\.annotations/)]);
    expect(causes('x'.repeat(64))).toHaveLength(1);
  });

  it('is refused where a revision with another spec has it, used again where the spec is the same', () => {
    // The live spec is that of alpha1.
    expect(() => publishable('alpha2')).toThrow('"alpha2" is the publishVersion of podinfo-v2, which holds another spec');
    expect(publishable('alpha1')?.name).toBe('podinfo-v1');
    expect(publishable('alpha2', alpha2)?.name).toBe('podinfo-v2');
    expect(() => publishable('alpha1', alpha2)).toThrow('"alpha1" is the publishVersion of podinfo-v1');
    expect(publishable('gamma')).toBeUndefined();
  });

  it('is refused where it runs already by a hold', () => {
    const held = annotated({ 'lateen.dev/hold': 'podinfo-v3' });
    expect(() => publishable('beta1', undefined, held)).toThrow('is "beta1" already');
  });
});

describe('an Application of another controller', () => {
  it('is left alone', () => {
    expect(() => mustBeOurs(annotated({ 'app.oam.dev/controller-version-require': 'v1.10' }))).toThrow('belongs to another controller');
    expect(() => mustBeOurs(annotated({ 'lateen.dev/handed-back': 'true' }))).toThrow('was handed back');
    mustBeOurs(annotated({ 'app.oam.dev/controller-version-require': 'lateen', 'lateen.dev/handed-back': 'false' }));
    mustBeOurs(annotated(undefined));
  });
});

describe('the holds', () => {
  const workflow: WorkflowStatus = {
    mode: 'StepByStep-DAG',
    suspend: true,
    terminated: false,
    finished: false,
    steps: [
      { id: '1', name: 'first', type: 'deploy', phase: 'succeeded' },
      { id: '2', name: 'gate', type: 'suspend', phase: 'suspending' },
    ],
  };
  const images = (details: Record<string, string>): Partial<Application> => ({
    spec: {
      components: [
        { name: 'a', type: 'kustomize', properties: { imageRepository: {} } },
        { name: 'b', type: 'kustomize' },
      ],
    },
    status: { services: [{ name: 'a', healthy: true, details }] },
  });

  it('are none of an Application that goes on', () => {
    expect(holdsOf(application)).toEqual({ revision: undefined, images: [], workflow: undefined });
    expect(holdsOf(annotated({ 'lateen.dev/image-hold': 'resumed 2026' }, images({ imageReason: 'NO_MATCH' })))).toMatchObject({
      images: [],
    });
  });

  it('are a revision, images, and a workflow', () => {
    expect(holdsOf(annotated({ 'lateen.dev/hold': 'podinfo-v1', 'lateen.dev/image-hold': 'true' }, images({})))).toMatchObject({
      revision: 'podinfo-v1',
      images: ['a'],
    });
    expect(holdsOf(annotated({}, images({ imageReason: 'IMAGE_HELD' })))).toMatchObject({ images: ['a'] });
    expect(holdsOf(annotated({}, { status: { workflow } })).workflow).toEqual(['gate']);
    expect(holdsOf(annotated({}, { status: { workflow: { ...workflow, finished: true } } })).workflow).toBeUndefined();
  });

  it('of a workflow end as vela ends them', () => {
    const { steps = [] } = resumedWorkflow(workflow);
    expect([resumedWorkflow(workflow).suspend, steps.map(({ phase }) => phase)]).toEqual([false, ['succeeded', 'running']]);
    const nested = { ...workflow, steps: [{ ...workflow.steps![0]!, subSteps: [workflow.steps![1]!] }] };
    expect(resumedWorkflow(nested).steps).toEqual([{ ...workflow.steps![0], subSteps: [{ ...workflow.steps![1], phase: 'running' }] }]);
  });
});
