import { describe, expect, it } from 'vitest';
import type { KubeObject } from '#api/kubernetes.ts';
import { DIFFERENT_LABELS, comparable, recordedObjects, recordingNames, renderedObjects } from '#test/fixtures/oracle/recordings.ts';
import { withApiDefaults } from './api-defaults.ts';

/** The API server writes quantities in its own way; we pass them on as they are. */
function canonicalQuantities(objects: KubeObject[]): unknown {
  return JSON.parse(JSON.stringify(objects).replaceAll('"cpu":"0.5"', '"cpu":"500m"'));
}

describe('recorded applications of KubeVela', () => {
  it.each(recordingNames)('%s: ours, with the defaults of the API server, is the recorded object', (name) => {
    const ours = renderedObjects(name, 'tenant').map(comparable).map(withApiDefaults);
    expect(canonicalQuantities(ours)).toEqual(recordedObjects(name, 'tenant'));
  });

  it.each(recordingNames)('%s: carries both digests, and nothing of ours', (name) => {
    for (const { metadata } of renderedObjects(name, 'tenant')) {
      for (const key of DIFFERENT_LABELS) expect(metadata.labels?.[key]).toMatch(/^[0-9a-f]{16}$/);
      expect(Object.keys({ ...metadata.labels, ...metadata.annotations }).filter((key) => key.startsWith('lateen.dev/'))).toEqual([]);
    }
  });
});
