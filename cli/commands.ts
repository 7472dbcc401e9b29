import type { CommandDeclaration, OptionDeclaration } from './command.ts';
import { imageCommands } from './image-commands.ts';
import { revisionCommands } from './revision-commands.ts';
import { tenantCommands } from './tenant-commands.ts';

const output: OptionDeclaration = { flags: '-o, --output <format>', help: 'table, json or yaml', choices: ['table', 'json', 'yaml'] };
const objects: OptionDeclaration = { flags: '-o, --output <format>', help: 'yaml documents or one json List', choices: ['yaml', 'json'] };

/** What the groups of commands are about. */
export const GROUPS: Readonly<Record<string, string>> = {
  image: 'new image tags: which is the latest, and where it is written',
  revision: 'what an Application was at each roll-out',
};

/** Every command of `lateen`. Each loads only what it needs: `lateen build` never loads the cluster's client. */
export const commands: readonly CommandDeclaration[] = [
  {
    name: 'ls',
    summary: 'list Applications, as vela ls does',
    options: [{ flags: '-A, --all-namespaces', help: 'of every namespace' }, output],
    examples: [
      ['lateen ls', 'the Applications of the current namespace'],
      ['lateen ls -A -o yaml', 'all Applications of the cluster as one List'],
    ],
    run: async (io, invocation) => (await import('./ls.ts')).ls(io, invocation),
  },
  {
    name: 'status',
    summary: 'show how an Application stands, and what Git says',
    argument: { name: 'app', help: 'name of the Application' },
    options: [output],
    examples: [
      ['lateen status infra-gitops', 'phase, health, commit, next pull and last error'],
      ['lateen status infra-gitops -o json', 'the object as the API server has it'],
    ],
    run: async (io, invocation) => (await import('./status.ts')).status(io, invocation),
  },
  {
    name: 'reconcile',
    summary: 'pull now, and wait until the agent has done it',
    argument: { name: 'app', help: 'name of the Application' },
    options: [{ flags: '--timeout <duration>', help: 'longest time to wait (default: 60s); over it the exit status is 6' }],
    examples: [
      ['lateen reconcile infra-gitops', 'pull every kustomize component at once'],
      ['lateen reconcile infra-gitops --timeout 5m', 'with more patience'],
    ],
    run: async (io, invocation) => (await import('./reconcile.ts')).reconcile(io, invocation),
  },
  {
    name: 'tree',
    summary: 'show every object of an Application with its health, and where it comes from',
    argument: { name: 'app', help: 'name of the Application' },
    options: [output],
    examples: [
      ['lateen tree infra-gitops', 'nested Applications with what they have, each with file and line'],
      ['lateen tree infra-gitops -o json', 'the same as one list'],
    ],
    run: async (io, invocation) => (await import('./tree.ts')).tree(io, invocation),
  },
  {
    name: 'approve',
    summary: 'show the prune that is held, or let it go on',
    argument: { name: 'app', help: 'name of the Application' },
    second: { name: 'commit', help: 'commit of the list that was shown, seven digits or more' },
    options: [],
    examples: [
      ['lateen approve infra-gitops', 'the objects that would be removed, and why they are held'],
      ['lateen approve infra-gitops 3f0c9a1', 'remove them'],
    ],
    run: async (io, invocation) => (await import('./approve.ts')).approve(io, invocation),
  },
  {
    name: 'handback',
    summary: 'give an Application back to vela-core: Lateen lets go of it, and nothing is removed',
    argument: { name: 'app', help: 'name of the Application' },
    options: [{ flags: '--timeout <duration>', help: 'longest time to wait for the agent (default: 60s); over it the exit status is 6' }],
    examples: [['lateen handback infra-gitops', 'its objects run on; may be called again where it was broken off']],
    run: async (io, invocation) => (await import('./handback.ts')).handback(io, invocation),
  },
  {
    name: 'build',
    summary: 'print the objects that the agent would apply from a folder; needs no cluster',
    argument: { name: 'path', help: 'folder with manifests or a kustomization' },
    options: [objects, { flags: '--kustomize <file>', help: 'the kustomize program (LATEEN_KUSTOMIZE; default: from PATH)' }],
    examples: [
      ['lateen build ./infrastructure', 'with the checks of the agent: every mistake with file and line'],
      ['lateen build ./infrastructure -n team-a', 'for the namespace team-a'],
    ],
    run: async (io, invocation) => (await import('./build.ts')).build(io, invocation),
  },
  {
    name: 'check',
    summary: 'say what the admission webhook would say of Applications; needs no cluster',
    argument: { name: 'path', help: 'YAML file, folder, or - for standard input' },
    options: [
      { flags: '-o, --output <format>', help: 'text or json', choices: ['text', 'json'] },
      { flags: '--namespace-file <file>', help: 'file with the Namespace, for its allow-lists' },
    ],
    examples: [
      ['lateen check app.yaml', 'every mistake and warning with file and line'],
      ['lateen check clusters/ -o json', 'all Applications of a folder, for CI'],
      ['lateen check apps/ --namespace-file team-a.yaml', 'also whether the Namespace allows their repositories'],
    ],
    run: async (io, invocation) => (await import('./check.ts')).check(io, invocation),
  },
  {
    name: 'render',
    summary: 'check Applications and print the objects that the agent makes of them; needs no cluster',
    argument: { name: 'file', help: 'YAML file, or - for standard input' },
    options: [objects],
    examples: [
      ['lateen render server.yaml', 'the Deployment and the Service of a webservice'],
      ['cat apps/*.yaml | lateen render -', 'several at once'],
    ],
    run: async (io, invocation) => (await import('./render.ts')).render(io, invocation),
  },
  ...revisionCommands,
  ...imageCommands,
  ...tenantCommands,
];
