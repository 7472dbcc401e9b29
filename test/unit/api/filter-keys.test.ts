import { expect, it } from 'vitest';
import { filterKeys } from '#api/filter-keys.ts';
import { annotation, label } from '#api/names.ts';

const LABELS = 'filter.oam.dev/label-keys';
const ANNOTATIONS = 'filter.oam.dev/annotation-keys';

it('adds our keys to what stands there, and adds nothing twice', () => {
  const once = filterKeys({ [LABELS]: ' team, lateen.dev/component ,,' });
  expect(once).toMatchObject({ [LABELS]: 'team,lateen.dev/component,lateen.dev/application' });
  expect(filterKeys(once)).toEqual(once);
});

it('lists every name of ours that an Application may carry', () => {
  const { [LABELS]: labels = '', [ANNOTATIONS]: annotations = '' } = filterKeys({});
  expect(labels.split(',')).toEqual([label.application, label.component]);
  const ofNamespaces: string[] = [annotation.unchangedVersion, annotation.allowedRepositories, annotation.allowedRegistries];
  const ours = Object.values(annotation).filter((key) => key.startsWith('lateen.dev/') && !ofNamespaces.includes(key));
  expect(annotations.split(',')).toEqual(ours.toSorted());
});
