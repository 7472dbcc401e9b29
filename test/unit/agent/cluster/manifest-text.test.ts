import { expect, it } from 'vitest';
import { ApiError } from '#agent/cluster/api-error.ts';
import { toFailure } from '#agent/cluster/failure.ts';

const asked = { verb: 'patch', resource: 'deployments', group: 'apps', namespace: 'team', name: 'd' };
const typed = 'failed to create typed patch object (team/d; apps/v1, Kind=Deployment): ';
const converted =
  'failed to convert new object (team/d; apps/v1, Kind=Deployment) to proper version: unable to convert unstructured object to apps/v1, Kind=Deployment: ';

it.each([
  [
    'of the words of a mistake, with a character that ends lines',
    `${typed}.data: expected map, got &{${': expected , got '.repeat(60_000)}\r}`,
  ],
  ['of dots', `.spec.${'.'.repeat(1_000_000)} x: field not declared in schema`],
])('reads an answer that quotes a megabyte %s, without holding anybody up', (_, message) => {
  const begun = performance.now();
  expect(toFailure(new ApiError(500, { message }, asked), 'apply it').reason).toBe('ApplyFailed');
  expect(performance.now() - begun).toBeLessThan(1_000);
});

// The answers of a Kubernetes 1.36, word by word.
it.each([
  [`${typed}.data.port: expected string, got &value.valueUnstructured{Value:8080}`, '.data.port: expected string, got a number (8080)'],
  [
    `${typed}errors:\n  .data.b: expected string, got &value.valueUnstructured{Value:1}\n  .data.c d: expected string, got &value.valueUnstructured{Value:true}`,
    '.data.b: expected string, got a number (1); .data.c d: expected string, got a boolean (true)',
  ],
  [
    `${typed}.data.a: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"b":1}}`,
    '.data.a: expected string, got a map',
  ],
  [`${typed}.data.a: expected string, got &value.valueUnstructured{Value:[]interface {}{1}}`, '.data.a: expected string, got a list'],
  [`${typed}.data: expected map, got &{one\n  two: 3\n}`, '.data: expected map, got a single value'],
  [`${typed}.spec.template.spec.containers: expected list, got &{map[a:1]}`, '.spec.template.spec.containers: expected list, got a map'],
  [`${typed}.spec.replicas: expected numeric (int or float), got string`, '.spec.replicas: expected number, got a string'],
  [
    `${typed}.spec.template.spec.containers[name="web"].env: duplicate entries for key [name="A"]`,
    '.spec.template.spec.containers[name="web"].env: duplicate entries for key [name="A"]',
  ],
  [
    `${converted}quantities must match the regular expression '^x$'`,
    "a quantity (cpu, memory, storage) is not of the form 500m or 1Gi: quantities must match the regular expression '^x$'",
  ],
  [`${converted}cannot convert float64 to int32`, 'cannot convert float64 to int32'],
])('tells a mistake in a manifest as one: %s', (message, words) => {
  expect(toFailure(new ApiError(500, { message }, asked), 'apply it')).toMatchObject({
    reason: 'ApplyFailed',
    kind: 'stalled',
    message: `apply it: ${words}`,
    remedy: 'correct the manifest',
  });
});

it('takes no other failure of the API server for a mistake', () => {
  const message = 'Internal error occurred: failed to create typed patch object';
  expect(toFailure(new ApiError(500, { message }, asked), 'apply it')).toMatchObject({ reason: 'ClusterUnavailable', kind: 'transient' });
});
