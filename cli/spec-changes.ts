import { comparedApplication, comparedExternal, type Side } from './diff-side.ts';
import { goYaml } from './go-yaml.ts';
import { type DiffLine, diffLines } from './line-diff.ts';
import { hideSecrets } from './secret-mask.ts';

export type TextChangeKind = 'none' | 'added' | 'modified' | 'removed';

/** The text of one object on both sides. */
export interface TextChange {
  kind: 'Application' | 'External Policy' | 'External Workflow';
  name: string;
  change: TextChangeKind;
  /** None where nothing changed. */
  lines: DiffLine[];
}

/** What `vela live-diff` compares: the Application, then the policies and the workflow that it names. Values of Secrets are hidden. */
export async function textChanges(left: Side, right: Side): Promise<TextChange[]> {
  const changes = [await textChange('Application', left.application.metadata.name, comparedApplication(left), comparedApplication(right))];
  const policies = [...new Set([...Object.keys(left.externals.policies), ...Object.keys(right.externals.policies)])].sort();
  for (const name of policies) {
    const [before, after] = [left.externals.policies[name], right.externals.policies[name]];
    changes.push(await textChange('External Policy', name, before && comparedExternal(before), after && comparedExternal(after)));
  }
  const [before, after] = [left.externals.workflow, right.externals.workflow];
  for (const name of new Set([before, after].flatMap((one) => one?.metadata.name ?? []))) {
    const [old, now] = [before, after].map((one) => (one?.metadata.name === name ? comparedExternal(one) : undefined));
    changes.push(await textChange('External Workflow', name, old, now));
  }
  return changes;
}

async function textChange(
  kind: TextChange['kind'],
  name: string,
  before: Record<string, unknown> | undefined,
  after: Record<string, unknown> | undefined,
): Promise<TextChange> {
  const [old, now] = hideSecrets(before, after);
  const lines = diffLines(await yamlLines(old), await yamlLines(now));
  if (!lines.some(({ side }) => side !== 'both')) return { kind, name, change: 'none', lines: [] };
  return { kind, name, change: before === undefined ? 'added' : after === undefined ? 'removed' : 'modified', lines };
}

async function yamlLines(value: unknown): Promise<string[]> {
  return value === undefined ? [] : (await goYaml(value)).split('\n');
}
