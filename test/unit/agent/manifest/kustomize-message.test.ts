import { expect, it } from 'vitest';
import { kustomizeMessage } from '#agent/manifest/kustomize-message.ts';

const ROOT = '/tmp/lateen-build-1-x/tree';

/** As kustomize 5.8.1 printed them. */
it.each([
  [
    `# Warning: 'bases' is deprecated.\nError: accumulating resources: accumulation err='accumulating resources from '../b': read ${ROOT}/b: is a directory': recursed accumulation of path '${ROOT}/b': accumulating resources: accumulation err='accumulating resources from '../o': read ${ROOT}/o: is a directory': cycle detected: candidate root '${ROOT}/o' contains visited root '${ROOT}/o'\n`,
    "cycle detected: candidate root 'o' contains visited root 'o'",
  ],
  [
    `Error: accumulating resources: accumulation err='merging resources from '../b/a.yaml': may not add resource with an already registered id: ConfigMap.v1.[noGrp]/a.[noNs]': must build at directory: '${ROOT}/b/a.yaml': file is not directory`,
    '../b/a.yaml: may not add resource with an already registered id: ConfigMap/a',
  ],
  [
    `Error: accumulating resources: accumulation err='accumulating resources from 'a.yaml': missing metadata.name in object {{v1 ConfigMap} {{ } map[] map[]}}': must build at directory: '${ROOT}/o/a.yaml': file is not directory`,
    'a.yaml: missing metadata.name',
  ],
  [
    'Error: merging from generator &{0xb55a9425930 0xb55a9580500}: id resid.ResId{Gvk:resid.Gvk{Group:"", Version:"v1", Kind:"ConfigMap", isClusterScoped:false}, Name:"a", Namespace:""} does not exist; cannot merge or replace',
    'ConfigMap/a does not exist; cannot merge or replace',
  ],
  [
    'Error: invalid Kustomization: json: cannot unmarshal string into Go struct field Replica.replicas.count of type int64',
    'invalid Kustomization: the field replicas.count must not be of the type string (it is int64)',
  ],
  [
    'Error: trouble configuring builtin SecretGenerator with config: `\nliterals:\n- password=hunter22\n`: broken',
    'trouble configuring builtin SecretGenerator: broken',
  ],
  ['# Warning: x\n', 'it said nothing'],
])('%#', (printed, message) => {
  expect(kustomizeMessage(printed, ROOT)).toBe(message);
});
