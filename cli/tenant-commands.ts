import type { CommandDeclaration, OptionDeclaration } from './command.ts';

const output: OptionDeclaration = { flags: '-o, --output <format>', help: 'text or json', choices: ['text', 'json'] };

/** The commands of whoever sets up a tenant, or looks for what is missing. */
export const tenantCommands: readonly CommandDeclaration[] = [
  {
    name: 'init',
    summary: 'print what a platform team applies for a new tenant; needs --namespace, and no cluster',
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
  {
    name: 'doctor',
    summary: 'look at everything that an Application needs, and say what to do about what is missing',
    options: [output],
    examples: [
      ['lateen doctor -n team-a', 'API server, webhook, agent, rights, Git servers and registries, each failed check with its remedy'],
      ['lateen doctor -o json', 'the same for programs; exit status 0 all well, 1 something failed, 3 nobody could be asked'],
    ],
    run: async (io, invocation) => (await import('./doctor.ts')).doctor(io, invocation),
  },
  {
    name: 'doctor rbac',
    summary: 'compare what the agent may do with what a folder or an Application needs, and print the smallest rules that are enough',
    argument: { name: 'path|app', help: 'folder with manifests, or name of an Application' },
    options: [output, { flags: '--kustomize <file>', help: 'the kustomize program (LATEEN_KUSTOMIZE; default: from PATH)' }],
    examples: [
      ['lateen doctor rbac ./infrastructure -n team-a', 'before the folder is pushed; exit status 0 nothing is missing, 1 something is'],
      ['lateen doctor rbac infra-gitops', 'of what the Application has applied, and of what the agent was refused'],
    ],
    run: async (io, invocation) => (await import('./doctor-rbac.ts')).doctorRbac(io, invocation),
  },
];
