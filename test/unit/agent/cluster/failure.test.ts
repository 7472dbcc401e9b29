import { expect, it } from 'vitest';
import { ApiError, type Asked } from '#agent/cluster/api-error.ts';
import { toFailure } from '#agent/cluster/failure.ts';
import { unreachable } from '#agent/cluster/wire.ts';
import { Failure } from '#api/failure.ts';

const asked: Asked = { verb: 'patch', resource: 'deployments', group: 'apps', namespace: 'team', name: 'web' };
const refusal = (status: number, message: string, details?: object): ApiError => new ApiError(status, { message, details }, asked);

function cannot(verb: string, resource: string, group: string): ApiError {
  return refusal(
    403,
    `x is forbidden: User "system:serviceaccount:team:lateen-agent" cannot ${verb} resource "${resource}" in API group "${group}" in the namespace "team"`,
  );
}

const role = (rule: string): string => `add ${rule} to the agent's Role (value rbac.rules of the chart lateen-agent)`;

it.each([
  ['patch', 'deployments', 'apps', 'deployments.apps', '["get","list","watch","create","patch","delete"]'],
  ['list', 'secrets', '', 'secrets', '["get","list","watch"]'],
  ['get', 'secrets', '', 'secrets', '["get"]'],
  ['patch', 'applications/status', 'core.oam.dev', 'applications/status.core.oam.dev', '["patch"]'],
])('names the right to %s %s, and the rule', (verb, resource, group, shown, verbs) => {
  const failure = toFailure(cannot(verb, resource, group), 'apply Deployment/web');
  expect(failure).toMatchObject({
    reason: 'Forbidden',
    kind: 'transient',
    message: `apply Deployment/web: the agent may not ${verb} ${shown} in the namespace team`,
    remedy: role(`{"apiGroups":["${group}"],"resources":["${resource}"],"verbs":${verbs}}`),
  });
});

it.each([
  ['unable to create new content in namespace team because it is being terminated', 'apply it: the namespace team is being deleted'],
  ['pods "web" is forbidden: exceeded quota: small', 'apply it: the API server refused it: pods "web" is forbidden: exceeded quota: small'],
])('tells other refusals from a missing right: %s', (message, expected) => {
  expect(toFailure(refusal(403, message), 'apply it')).toMatchObject({ reason: 'Forbidden', message: expected, remedy: undefined });
});

it.each([
  [409, 'the object has been modified', 'ApplyFailed', 'transient'],
  [404, 'namespaces "team" not found', 'ApplyFailed', 'transient'],
  [400, 'strict decoding error: unknown field "spec.x"', 'ApplyFailed', 'stalled'],
  [422, 'is invalid', 'ApplyFailed', 'stalled'],
  [413, 'too large', 'TooLarge', 'stalled'],
  [401, 'Unauthorized', 'ClusterUnavailable', 'transient'],
  [500, 'etcdserver: request timed out', 'ClusterUnavailable', 'transient'],
  [503, 'shutting down', 'ClusterUnavailable', 'transient'],
  [500, 'failed to create typed patch object: .spec.a: field not declared in schema', 'ApplyFailed', 'stalled'],
])('answer %d (%s) is %s, %s', (status, message, reason, kind) => {
  expect(toFailure(refusal(status, message), 'apply it')).toMatchObject({ reason, kind });
});

it('names every field that the schema lacks', () => {
  const message =
    'failed to create typed patch object (team/web; apps/v1, Kind=Deployment): errors:\n  .spec.a: field not declared in schema\n  .spec.b.c: field not declared in schema';
  expect(toFailure(refusal(500, message), 'apply it').message).toBe('apply it: the schema has no field .spec.a, .spec.b.c');
});

it('keeps the fields of a refused manifest as causes, and when to come back', () => {
  const causes = [{ field: 'spec.replicas', message: 'Invalid value: -1' }];
  expect(toFailure(refusal(422, 'is invalid', { causes }), 'apply it').causes).toEqual([
    { path: 'spec.replicas', code: 'ApplyFailed', message: 'Invalid value: -1' },
  ]);
  expect(toFailure(refusal(429, 'slow down', { retryAfterSeconds: 3 }), 'apply it').retryAfterMs).toBe(3_000);
});

it('passes a Failure on, and tells a cluster that is away from a defect of ours', () => {
  const known = new Failure('UnknownKind', 'no such kind');
  expect(toFailure(known, 'apply it')).toBe(known);
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  expect(toFailure(unreachable('https://k', refused), 'apply it')).toMatchObject({
    reason: 'ClusterUnavailable',
    message: 'apply it: the API server cannot be reached (no answer from the API server https://k: connect ECONNREFUSED)',
  });
  const untrusted = Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  expect(toFailure(unreachable('https://k', untrusted), 'apply it').remedy).toBe('check the certificate authority of the connection');
  const everyAddress = Object.assign(new AggregateError([refused]), { code: 'ECONNREFUSED' });
  expect(toFailure(unreachable('https://k', everyAddress), 'apply it').message).toContain('https://k: ECONNREFUSED');
  expect(toFailure(new TypeError('x is not a function'), 'apply it')).toMatchObject({ reason: 'Internal' });
});

it('makes an error of an answer that is no Status', () => {
  expect(new ApiError(502, '<html>Bad Gateway</html>\n', asked)).toMatchObject({
    status: 502,
    reason: '',
    causes: [],
    message: '<html>Bad Gateway</html>',
  });
  expect(new ApiError(500, undefined, asked).message).toBe('the API server answered 500');
});

it('takes an answer in the JSON of something between us and the API server', () => {
  const body = { message: { text: 'who are you?' }, details: { causes: 'none' } };
  const error = new ApiError(422, body, { verb: 'patch', resource: 'deployments', group: 'apps' });

  expect(toFailure(error, 'apply it').message).toBe('apply it: the API server refused it: {"text":"who are you?"}');
});
