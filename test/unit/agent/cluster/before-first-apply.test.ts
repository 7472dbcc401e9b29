import { expect, it } from 'vitest';
import { ownershipOf, settled } from '#agent/cluster/managed-fields.ts';
import type { ManagedFieldsEntry } from '#api/kubernetes.ts';

const CONTAINER = 'k:{"name":"web"}';
const ITEM = 'k:{"name":"EXTRA"}';
const NAMED = { '.': {}, 'f:name': {} };

const inTemplate = (spec: object, metadata: object = {}): object => ({ 'f:spec': { 'f:template': { ...metadata, 'f:spec': spec } } });
const metadata = (field: string, keys: object): object => ({ 'f:metadata': { [field]: keys } });

const inTemplateMetadata = (labels: object): object => ({ 'f:spec': { 'f:template': metadata('f:labels', labels) } });

function entry(manager: string, apiVersion: string, fieldsV1: object): ManagedFieldsEntry {
  return { manager, operation: manager === 'lateen' ? 'Apply' : 'Update', apiVersion, fieldsV1: fieldsV1 as Record<string, unknown> };
}

const OURS = {
  ...metadata('f:labels', { 'f:app': {} }),
  'f:data': { 'f:ours': {} },
  ...inTemplate({ 'f:containers': { [CONTAINER]: { '.': {}, 'f:image': {}, 'f:name': {} } } }),
};

it.each<[string, string, object, object | undefined]>([
  ['labels', 'v1', metadata('f:labels', { '.': {}, 'f:app': {}, 'f:x': {} }), metadata('f:labels', { 'f:x': {} })],
  [
    'annotations, without those of the cluster and a restart',
    'apps/v1',
    {
      ...metadata('f:annotations', { 'f:deployment.kubernetes.io/revision': {}, 'f:lateen.dev/hold': {}, 'f:note': {} }),
      ...inTemplate({}, metadata('f:annotations', { '.': {}, 'f:kubectl.kubernetes.io/restartedAt': {} })),
    },
    metadata('f:annotations', { 'f:note': {} }),
  ],
  ['labels of a template', 'apps/v1', inTemplate({}, metadata('f:labels', { '.': {}, 'f:x': {} })), inTemplateMetadata({ 'f:x': {} })],
  ['data', 'v1', { 'f:data': { '.': {}, 'f:ours': {}, 'f:key': {} }, 'f:type': {} }, { 'f:data': { 'f:key': {} } }],
  [
    'no token',
    'v1',
    { 'f:data': { 'f:token': {} }, ...metadata('f:annotations', { 'f:kubernetes.io/service-account.name': {} }) },
    undefined,
  ],
  [
    'variables, without defaults',
    'apps/v1',
    inTemplate({
      'f:dnsPolicy': {},
      'f:containers': { [CONTAINER]: { 'f:image': {}, 'f:imagePullPolicy': {}, 'f:env': { '.': {}, [ITEM]: NAMED } } },
    }),
    inTemplate({ 'f:containers': { [CONTAINER]: { 'f:env': { [ITEM]: NAMED } } } }),
  ],
  [
    'nothing that a Job runs',
    'batch/v1',
    { 'f:spec': { 'f:selector': {}, 'f:template': { 'f:spec': { 'f:volumes': { [ITEM]: NAMED } } } } },
    undefined,
  ],
  ['nothing that a Pod runs', 'v1', { 'f:spec': { 'f:nodeName': {}, 'f:volumes': { '.': {}, [ITEM]: NAMED } } }, undefined],
  [
    'nothing of a kind that nobody knows',
    'example.org/v1',
    { 'f:spec': { 'f:list': { [ITEM]: NAMED } }, 'f:data': { 'f:key': {} } },
    undefined,
  ],
])('of what stood there before the first apply, people have added %s', (_, apiVersion, held, left) => {
  const before = (fields: object): ManagedFieldsEntry => entry('before-first-apply', apiVersion, fields);
  const others = [entry('lateen', apiVersion, OURS), entry('controller', apiVersion, { 'f:spec': {} })];
  const kept = settled([...others, before(held)]);
  expect(kept).toEqual([...others, ...(left ? [before(left)] : [])]);
  expect(settled(kept)).toBe(kept);
  const object = { apiVersion, kind: 'X', metadata: { managedFields: [...others, before(held)] } };
  expect(ownershipOf(object).additions !== undefined).toBe(left !== undefined);
});
