import fc from 'fast-check';

/** Applications as nobody writes them: the right fields with any value in them, and names that objects inherit. */

const oddKeys = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length', '', 'a.b/c', 'url', 'name'];
const anything = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(null, '', 'a', 'constructor', '__proto__', 0, -1, 1e300, [], {}, [null], [[]]),
  fc
    .uniqueArray(fc.constantFrom(...oddKeys), { maxLength: 4 })
    .map((keys) => JSON.parse(`{${keys.map((key) => `${JSON.stringify(key)}:{"x":1}`).join(',')}}`) as unknown),
);

/** A map that has some of `fields`, now and then one more. */
function mapOf(fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> {
  const maps = fc.record(fields, { requiredKeys: [] });
  const withMore = fc.tuple(maps, fc.constantFrom(...oddKeys), anything).map(([map, key, value]) => ({ ...map, [key]: value }));
  return fc.oneof({ weight: 6, arbitrary: maps }, { weight: 2, arbitrary: withMore }, { weight: 1, arbitrary: anything });
}

function listOf(item: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 5, arbitrary: fc.array(item, { maxLength: 4 }) }, { weight: 1, arbitrary: anything });
}

const name = fc.oneof(fc.constantFrom<unknown>('a', 'b', 'c', 'A', 'step-0', 'a'.repeat(64)), anything);
const properties = mapOf({
  repoType: fc.oneof(fc.constantFrom<unknown>('git', 'oci'), anything),
  url: fc.oneof(fc.webUrl(), fc.string(), anything),
  path: fc.oneof(fc.string(), anything),
  pullInterval: fc.oneof(fc.constantFrom<unknown>('1s', '1d', '5m'), anything),
  git: mapOf({ branch: fc.oneof(fc.string(), anything), tag: anything, semver: anything, name: anything }),
  prune: fc.oneof(fc.boolean(), anything),
  secretRef: anything,
  targetNamespace: anything,
  imageRepository: mapOf({ image: anything, policy: mapOf({ numerical: anything, semver: anything }), filterTags: anything }),
  image: anything,
  ports: listOf(mapOf({ port: anything, protocol: anything })),
  env: listOf(mapOf({ name: anything, value: anything, valueFrom: anything })),
  labels: anything,
  volumes: listOf(mapOf({ name: anything, mountPath: anything, type: anything })),
  livenessProbe: mapOf({ exec: anything, httpGet: anything }),
});
const component = mapOf({
  name,
  type: fc.oneof(fc.constantFrom<unknown>('kustomize', 'kustomize', 'webservice', 'worker', 'worker@v1', 'constructor'), anything),
  properties,
  traits: listOf(mapOf({ type: anything, properties: anything })),
  dependsOn: listOf(name),
  inputs: anything,
});
const step = mapOf({
  name,
  type: fc.oneof(fc.constantFrom<unknown>('apply-component', 'suspend'), anything),
  properties: mapOf({ component: name }),
  dependsOn: listOf(name),
});

export const anyApplication: fc.Arbitrary<unknown> = mapOf({
  metadata: mapOf({ name, namespace: anything, annotations: mapOf({ 'app.oam.dev/publishVersion': anything }) }),
  spec: mapOf({
    components: listOf(component),
    policies: listOf(mapOf({ type: anything })),
    workflow: mapOf({ ref: anything, mode: anything, steps: listOf(step) }),
  }),
});
