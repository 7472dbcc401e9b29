import { expect, it } from 'vitest';
import { ApiError } from '#agent/cluster/api-error.ts';
import { toFailure } from '#agent/cluster/failure.ts';
import { failureFields } from '#agent/sync/failures.ts';

const asked = { verb: 'patch', resource: 'secrets', group: '', namespace: 'team', name: 's' };
const WORD = 'S3CRETWORD';
const typed = 'failed to create typed patch object (team/s; /v1, Kind=Secret): ';
const withheld = 'its words are not shown, since they may hold what is in the Secret';

function told(status: number, message: string, causes?: object[]): { sentence: string; kind: string; logged: string; all: string } {
  const error = new ApiError(status, { message, ...(causes ? { details: { causes } } : {}) }, asked);
  const failure = toFailure(error, 'apply Secret/s');
  const logged = JSON.stringify(failureFields(failure));
  const all = `${failure.sentence} ${logged} ${JSON.stringify(failure.causes)} ${error.message} ${JSON.stringify(error.causes)}`;
  return { sentence: failure.sentence, kind: failure.kind, logged, all };
}

it.each<[string, number, string, object[] | undefined, string]>([
  [
    'a number',
    500,
    `${typed}.stringData.pin: expected string, got &value.valueUnstructured{Value:918273645}`,
    undefined,
    'apply Secret/s: .stringData: expected string; correct the manifest',
  ],
  [
    'a map under a key that may be secret itself',
    500,
    `${typed}.stringData.${WORD}: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"b":"${WORD}"}}`,
    undefined,
    'apply Secret/s: .stringData: expected string; correct the manifest',
  ],
  [
    'several, over several lines',
    500,
    `${typed}errors:\n  .data: expected map, got &{${WORD}\n.x: ${WORD}}\n  .data.a b: expected string, got &{${WORD}}`,
    undefined,
    'apply Secret/s: .data: expected map; correct the manifest',
  ],
  ['a misspelt field', 500, `${typed}.dat: field not declared in schema`, undefined, 'apply Secret/s: the schema has no field .dat'],
  [
    'base64',
    500,
    `failed to convert new object (team/s; /v1, Kind=Secret) to proper version: unable to convert unstructured object to /v1, Kind=Secret: error decoding from json: illegal base64 data at input byte 4`,
    undefined,
    'apply Secret/s: a value of data is not base64; correct the manifest',
  ],
  [
    'another conversion',
    500,
    `failed to convert new object (team/s; /v1, Kind=Secret) to proper version: unable to convert unstructured object to /v1, Kind=Secret: cannot read ${WORD}`,
    undefined,
    `apply Secret/s: ${withheld}; correct the manifest`,
  ],
  [
    'a webhook that quotes the object',
    403,
    `admission webhook "guard.example.com" denied the request: {"stringData":{"a":"${WORD}"}}`,
    undefined,
    `apply Secret/s: the API server refused it: the admission webhook guard.example.com denied the request; ${withheld}`,
  ],
  [
    'a webhook with another status',
    500,
    `Internal error occurred: failed calling webhook "guard.example.com": ${WORD}`,
    undefined,
    'apply Secret/s: the API server answered 500: failed calling webhook guard.example.com',
  ],
  [
    'causes',
    422,
    `Secret "s" is invalid: data[${WORD}]: Invalid value: "${WORD}"`,
    [
      { reason: 'FieldValueInvalid', message: `Invalid value: "${WORD}"`, field: `data[${WORD}]` },
      { reason: 'FieldValueRequired', message: 'Required value', field: 'data[tls.crt]' },
      { reason: WORD, message: WORD, field: `metadata.${WORD}` },
      { reason: 'FieldValueForbidden', message: 'field is immutable when `immutable` is set', field: 'data' },
    ],
    'apply Secret/s: the API server refused it: the Secret is invalid: data: Invalid value, data[tls.crt]: Required value, a field: not allowed, data: field is immutable; take the change back, or delete the object so that it is made anew',
  ],
  ['whatever else', 400, `cannot read ${WORD}`, undefined, `apply Secret/s: the API server refused it: ${withheld}; correct the manifest`],
])('says nothing of what is in a Secret: %s', (_, status, message, causes, sentence) => {
  const { sentence: is, all } = told(status, message, causes);
  expect(is.startsWith(sentence)).toBe(true);
  expect(all).not.toMatch(/S3CRETWORD|918273645/);
});

it.each([200, 400, 401, 403, 404, 409, 410, 413, 422, 429, 500, 502, 503, 504])(
  'quotes no answer of status %d about a Secret',
  (status) => {
    const texts = [WORD, `${typed}.${WORD}9: expected string, got ${WORD}`, `etcdserver: ${WORD}`, `${WORD} not found`, `cannot ${WORD}`];
    for (const text of texts) expect(told(status, text, []).all).not.toContain(WORD);
    const body = new ApiError(status, `<html>${WORD}</html>`, asked);
    expect(body.message).not.toContain(WORD);
  },
);

it('still knows a missing right, an ending namespace and another UID', () => {
  const cannot = 'secrets "s" is forbidden: User "x" cannot get resource "secrets" in API group "" in the namespace "team"';
  expect(told(403, cannot).sentence).toContain('the agent may not get secrets in the namespace team; add {"apiGroups":[""]');
  expect(told(403, 'because it is being terminated').sentence).toBe('apply Secret/s: the namespace team is being deleted');
  const uid = new ApiError(409, { details: { causes: [{ field: 'metadata.uid', message: WORD }] } }, asked);
  expect(uid.causes[0]).toMatchObject({ field: 'metadata.uid' });
});

it('leaves answers about other kinds as they are', () => {
  const error = new ApiError(400, { message: WORD }, { ...asked, resource: 'configmaps' });
  expect(error.message).toBe(WORD);
});
