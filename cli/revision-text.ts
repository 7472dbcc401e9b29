import { oneLine } from '#core/errors.ts';
import { recordedApplication, recordedExternals } from './revision-record.ts';
import { revisionsTable, type SizedRevision } from './revision-table.ts';
import { tableText } from './table.ts';
import { visible } from './text-width.ts';

export interface RevisionTextOptions {
  timeZone: string;
  /** Marks a heading on a terminal. */
  heading: (text: string) => string;
}

/** A revision as `lateen revision get` shows it: its row of the list, then what it holds. */
export function revisionText(sized: SizedRevision, { timeZone, heading }: RevisionTextOptions): string {
  const { version, requestedBy, commits, workflow } = sized.record;
  const { components } = recordedApplication(sized.record).spec;
  const { policies, workflow: external } = recordedExternals(sized.record);
  const about: [label: string, value: string][] = [
    ['  Publish version:', version || 'none'],
    ['  Asked for by:', requestedBy || 'unknown'],
    ...(workflow?.message ? [['  Message:', oneLine(workflow.message)] as [string, string]] : []),
    ...Object.keys(policies).map((name): [string, string] => ['  External policy:', name]),
    ...(external?.metadata.name ? [['  External workflow:', external.metadata.name] as [string, string]] : []),
  ];
  const rows = components.map(({ name, type, traits = [] }) => [
    `  ${name}`,
    type,
    traits.map((trait) => trait.type).join(','),
    commits[name] ?? '',
  ]);
  return [
    revisionsTable([sized], timeZone),
    `${heading('About:')}\n\n${tableText(about.map((row) => row.map(visible)))}\n`,
    `${heading('Components:')}\n\n${tableText([['  NAME', 'TYPE', 'TRAITS', 'COMMIT'], ...rows.map((row) => row.map(visible))])}\n`,
  ].join('\n');
}
