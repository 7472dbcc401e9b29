import type { CommandDeclaration } from './command.ts';

/** The commands of whoever sets up a tenant, or looks for what is missing. */
export const tenantCommands: readonly CommandDeclaration[] = [
  {
    name: 'init',
    summary: 'print what a platform team applies for a new tenant; needs no cluster',
    options: [
      { flags: '--applications <mode>', help: 'all, or gitops beside vela-core (default: all)', choices: ['all', 'gitops'] },
      {
        flags: '--repositories <patterns>',
        help: 'the repositories that it may use, such as https://git.example.com/team/**; apart by commas',
      },
      { flags: '--registries <patterns>', help: 'the images that it may watch, such as ghcr.io/team/**; apart by commas' },
      { flags: '--group <name>', help: 'the group that gets the role admin in the namespace' },
      { flags: '--values', help: "print the values of the agent's chart instead" },
    ],
    examples: [
      ['lateen init -n team-a', 'Namespace, quota and who the team is, with comments'],
      ['lateen init -n team-a --group team-a | kubectl apply -f -', 'at once'],
      ['lateen init -n team-a --values > values.yaml', 'for helm install lateen-agent charts/lateen-agent --values values.yaml'],
    ],
    run: async (io, invocation) => (await import('./init.ts')).init(io, invocation),
  },
];
