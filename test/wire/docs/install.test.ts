import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { grantedRights } from '#test/support/audit.ts';
import { CHARTS, helm, objectsOf, podOf, type Rule, template } from '#test/support/helm.ts';
import { codeBlocks } from '#test/support/markdown.ts';

/** What docs/ say about installing that nobody can run: rights, sizes, and the short form in the README. */

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

const read = (path: string): Promise<string> => readFile(`${ROOT}${path}`, 'utf8');

/** The text from a heading to the next one. */
async function section(path: string, heading: string): Promise<string> {
  const [, text] = (await read(path)).split(new RegExp(`^#+ ${heading}$`, 'm'));
  return text!.split(/^#+ /m)[0]!;
}

function rowsOf(text: string): string[][] {
  const rows = text.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(2).map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

const codeIn = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);

async function rulesOf(chart: string, namespace: string, ...args: string[]): Promise<Rule[]> {
  const objects = objectsOf(await template(chart, namespace, ...args));
  const roles = objects.filter(
    ({ kind, metadata }) => /^(Cluster)?Role$/.test(kind) && /^lateen-(agent|webhook)$/.test(metadata.name ?? ''),
  );
  return roles.flatMap((role) => role['rules'] as Rule[]);
}

/** One line for each right, with the name that it is limited to. */
function linesOf(rules: readonly Rule[]): string[] {
  const lines = rules.flatMap((rule) => [...grantedRights([rule])].map((right) => [right, ...(rule.resourceNames ?? [])].join(' ')));
  return lines.toSorted();
}

/** `a`, `b` named `c`. */
function ruleOf(group: string, what: string, verbs: string, own = ''): Rule {
  const [resources = '', names] = what.split(' named ');
  const rule = { apiGroups: codeIn(group).length > 0 ? codeIn(group) : [''], resources: codeIn(resources), verbs: verbs.split(', ') };
  if (names === undefined) return rule;
  return { ...rule, resourceNames: names === 'as its own' ? [own] : codeIn(names) };
}

describe('the tables of rights', () => {
  it('of the agent have what its Role has', async () => {
    const text = await section('docs/install.md', 'What the agent may do');
    const written = rowsOf(text).map(([group = '', what = '', verbs = '']) => ruleOf(group, what, verbs, 'team-a'));
    expect(linesOf(written)).toEqual(linesOf(await rulesOf('lateen-agent', 'team-a', '--set-json', 'rbac.rules=[]')));

    const [, sentence = ''] =
      /for what comes from Git, unless `rbac\.rules` says otherwise: ([^]*?)\. /.exec(text.replaceAll(/\s+/g, ' ')) ?? [];
    const [verbs = '', kinds = ''] = sentence.split(' on ');
    const values = objectsOf(await helm('show', 'values', `${CHARTS}lateen-agent`))[0] as unknown as { rbac: { rules: Rule[] } };
    const applied = values.rbac.rules.filter(({ resources }) => !resources.includes('pods'));
    expect(codeIn(kinds).toSorted()).toEqual(applied.flatMap(({ resources }) => resources).toSorted());
    for (const rule of applied) expect(rule.verbs).toEqual(verbs.split(/, | and /));
    const others = values.rbac.rules.filter((rule) => !applied.includes(rule));
    expect(others.map((rule) => [rule.verbs, rule.resources])).toEqual([[['list'], ['pods']]]);
    expect(text).toContain('And list on `pods`,');
  });

  it('of the webhook have what its roles have', async () => {
    const groups: Record<string, string> = {
      mutatingwebhookconfigurations: '`admissionregistration.k8s.io`',
    };
    const written = rowsOf(await section('docs/webhook.md', 'Rights')).map(([, what = '', verbs = '']) =>
      ruleOf(groups[codeIn(what)[0] ?? ''] ?? '', what, verbs),
    );
    expect(linesOf(written)).toEqual(linesOf(await rulesOf('lateen', 'lateen-system')));
  });
});

it('the table of sizes asks for what the charts ask for', async () => {
  const rows = rowsOf(await section('docs/install.md', 'Sizes'));
  const resourcesOf = async (chart: string): Promise<Resources> =>
    (podOf(objectsOf(await template(chart, 'x'))).spec.containers[0] as unknown as { resources: Resources }).resources;
  for (const [chart, row] of [
    ['lateen-agent', rows.find(([what]) => what === 'an agent')!],
    ['lateen', rows.find(([what]) => what === 'a replica of the webhook')!],
  ] as const) {
    const { requests, limits } = await resourcesOf(chart);
    const mb = (quantity: string): string => quantity.replace(/Mi$/, ' MB');
    expect(row[2]).toBe(`${mb(requests.memory)}, ${requests.cpu}`);
    expect(row[3]!.startsWith(mb(limits.memory))).toBe(true);
  }
});

interface Resources {
  requests: { cpu: string; memory: string };
  limits: { memory: string };
}

it('the README has the commands of docs/install.md', async () => {
  const text = (await section('README.md', 'On your cluster')).replaceAll(/\bIMAGE\b/g, '$IMAGE');
  const short = [...text.matchAll(/^ {4}(.+)$/gm)].flatMap(([, line]) => line!.split(' && '));
  expect(short.length).toBeGreaterThanOrEqual(4);
  const blocks = await codeBlocks('install.md');
  const long = new Set(blocks.flatMap((block) => block.text.split('\n')));
  expect(short.filter((line) => !long.has(line))).toEqual([]);
});

it('the example of a sidecar is that of the chart which the tests install', async () => {
  const text = await section('docs/install.md', 'The agent as a sidecar');
  const fixture = (await read('test/fixtures/charts/with-sidecar/templates/deployment.yaml')).replaceAll(
    '$agent',
    '(index .Subcharts "lateen-agent")',
  );
  const lines = [...text.matchAll(/^ {4}(.+)$/gm)].map(([, line]) => line!.trim());
  expect(lines.length).toBeGreaterThanOrEqual(5);
  expect(lines.filter((line) => !fixture.includes(`${line}\n`))).toEqual([]);
});
