import { agentAccess, type Right, type Rule } from './access.ts';
import { isFolder } from './built-folder.ts';
import { withCluster } from './cluster.ts';
import type { Invocation } from './command.ts';
import { CommandError, type Exit, exit } from './exit.ts';
import { type Io, style } from './io.ts';
import { needsOfApplication, needsOfFolder } from './needed-rights.ts';
import { yamlText } from './output.ts';
import { missingText, rightsIn, type Served, smallestRules } from './rbac-rules.ts';

interface Report {
  what: string;
  /** Whether the API server was asked, or the Role read. */
  source: 'asked' | 'read';
  needed: readonly Served[];
  missing: Right[];
  impossible: string[];
  /** For `rbac.rules` of the chart lateen-agent. */
  rules: Rule[];
}

/** `lateen doctor rbac PATH|APP`: what the agent needs for it, what of that it lacks, and the smallest rules that are enough. */
export function doctorRbac(io: Io, options: Invocation): Promise<Exit> {
  return withCluster(io, options, async (cluster) => {
    const { argument: what } = options;
    const { client, namespace } = cluster;
    const ofFolder = isFolder(io, what);
    const needs = ofFolder ? await needsOfFolder(io, options, cluster) : await needsOfApplication(cluster, what);
    if (ofFolder && needs.kinds.length === 0 && needs.impossible.length === 0)
      throw new CommandError(exit.no, `there are no objects in ${what}`, 'name a folder with manifests');
    const rules = smallestRules(needs, namespace);
    const access = await agentAccess(client, namespace);
    if (!access) {
      const message = `you may neither ask what the agent may do in ${namespace} nor read its Role`;
      throw new CommandError(exit.couldNotAsk, message, 'ask somebody with the role admin in it');
    }
    const rights = rightsIn(rules);
    const answers = await Promise.all(rights.map((right) => access.may(right)));
    const missing = rights.filter((_, index) => !answers[index]);
    const { kinds: needed, impossible } = needs;
    const report: Report = { what, source: access.source, needed, missing, impossible, rules };
    if ((options.output as string | undefined) === 'json') io.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    else await print(io, report);
    return missing.length > 0 || impossible.length > 0 ? exit.no : exit.yes;
  });
}

async function print(io: Io, { what, source, needed, missing, impossible, rules }: Report): Promise<void> {
  const rows = [
    ...needed.map((one) => rowOf(one, missing)),
    // Secrets by name, and what Roles of Git grant.
    ...missingText(missing.filter((right) => !needed.some((one) => isOf(right, one)))).map((text) => ['LACKS', text] as const),
    ...impossible.map((text) => ['CANNOT', `${text}: no agent applies it`] as const),
  ];
  for (const [word, text] of rows) io.stdout.write(`${style(io, io.stdout, word === 'ok' ? 'green' : 'red', word.padEnd(6))}  ${text}\n`);
  const how = source === 'read' ? ', by its Role: you may not ask the API server what it may do' : '';
  const all = missing.length === 0 && impossible.length === 0;
  io.stdout.write(`\nThe agent may ${all ? 'apply' : 'not apply all of'} ${what}${how}.\n`);
  io.stdout.write(`The smallest rules that are enough, as values of the chart lateen-agent:\n\n${await yamlText({ rbac: { rules } })}`);
}

function rowOf(one: Served, missing: readonly Right[]): readonly ['ok' | 'LACKS', string] {
  const lacking = missing.filter((right) => isOf(right, one));
  const name = one.group === '' ? one.resource : `${one.resource}.${one.group}`;
  return lacking.length === 0 ? ['ok', name] : ['LACKS', `${name}: ${lacking.map(({ verb }) => verb).join(', ')}`];
}

function isOf({ group, resource, name }: Right, one: Served): boolean {
  return name === undefined && group === one.group && resource === one.resource;
}
