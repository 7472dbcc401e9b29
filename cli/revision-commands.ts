import type { CommandDeclaration, OptionDeclaration } from './command.ts';

const output: OptionDeclaration = { flags: '-o, --output <format>', help: 'table, json or yaml', choices: ['table', 'json', 'yaml'] };
const app = { name: 'app', help: 'name of the Application' };

const timeout: OptionDeclaration = {
  flags: '--timeout <duration>',
  help: 'longest time to wait (default: 5m); over it the exit status is 6',
};

/** The commands about revisions: what ran, what differs, and which one shall run. */
export const revisionCommands: readonly CommandDeclaration[] = [
  {
    name: 'revision list',
    summary: 'list the revisions of an Application, as vela revision list does',
    argument: app,
    options: [output],
    examples: [['lateen revision list podinfo', 'the oldest first, with publishVersion and how its workflow ended']],
    run: async (io, invocation) => (await import('./revision-list.ts')).revisionList(io, invocation),
  },
  {
    name: 'revision get',
    summary: 'show what a revision holds, and who asked for it',
    argument: { name: 'revision', help: 'name of the revision: APP-vN' },
    options: [output],
    examples: [
      ['lateen revision get podinfo-v2', 'publishVersion, components and their Git commits'],
      ['lateen revision get podinfo-v2 -o yaml', 'the object as the API server has it'],
    ],
    run: async (io, invocation) => (await import('./revision-get.ts')).revisionGet(io, invocation),
  },
  {
    name: 'diff',
    summary: 'compare the live spec with a revision, or two revisions, and say what becomes of each object',
    argument: app,
    second: { name: 'revision', help: 'APP-vN, vN or a publishVersion (default: the revision that runs)' },
    third: { name: 'other', help: 'another revision, instead of the live spec' },
    options: [{ flags: '-o, --output <format>', help: 'text or json', choices: ['text', 'json'] }],
    examples: [
      ['lateen diff podinfo', 'the revision that runs, and the live spec; exit status 0 the same, 1 different'],
      ['lateen diff podinfo v1', 'a revision, and the live spec'],
      ['lateen diff podinfo alpha1 alpha2', 'two revisions by their publishVersion'],
    ],
    run: async (io, invocation) => (await import('./diff.ts')).diff(io, invocation),
  },
  {
    name: 'publish',
    summary: 'roll the live spec or an earlier revision out under a new publishVersion',
    argument: app,
    options: [
      { flags: '--version <version>', help: 'the new publishVersion' },
      { flags: '--revision <revision>', help: 'APP-vN, vN or a publishVersion (default: the live spec)' },
    ],
    examples: [
      ['lateen publish podinfo --version alpha2', 'the live spec'],
      ['lateen publish podinfo --version beta1 --revision v1', 'what v1 was, policies and workflow included'],
    ],
    run: async (io, invocation) => (await import('./publish.ts')).publish(io, invocation),
  },
  {
    name: 'rollback',
    summary: 'return to the latest revision that succeeded, or to the one that --to names',
    argument: app,
    options: [{ flags: '--to <revision>', help: 'APP-vN, vN or a publishVersion' }],
    examples: [
      ['lateen rollback podinfo', 'from a revision that failed or has not ended'],
      ['lateen rollback podinfo --to v1', 'from whatever runs'],
    ],
    run: async (io, invocation) => (await import('./rollback.ts')).rollback(io, invocation),
  },
  {
    name: 'resume',
    summary: 'end every hold of an Application: of a rollback, of images, of a suspended workflow',
    argument: app,
    options: [],
    examples: [['lateen resume podinfo', 'Git, new images and the workflow go on']],
    run: async (io, invocation) => (await import('./resume.ts')).resume(io, invocation),
  },
  {
    name: 'wait',
    summary: 'wait until a commit or a publishVersion is applied and healthy',
    argument: app,
    options: [
      { flags: '--commit <sha>', help: 'this commit or a descendant of it, seven digits or more' },
      { flags: '--version <version>', help: 'this publishVersion' },
      timeout,
    ],
    examples: [
      ['lateen wait infra-gitops --commit "$GITHUB_SHA"', 'exit status 0 healthy, 1 failed, 4 held, 5 superseded, 6 timeout'],
      ['lateen wait podinfo --version alpha2 --timeout 10m', 'with more patience'],
    ],
    run: async (io, invocation) => (await import('./wait.ts')).wait(io, invocation),
  },
];
