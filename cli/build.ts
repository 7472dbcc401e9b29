import { checkObjects } from '#agent/manifest/check.ts';
import { type Cause, Failure } from '#api/failure.ts';
import { builtFolder } from './built-folder.ts';
import { offlineScope } from './cluster-scoped-kinds.ts';
import type { Invocation } from './command.ts';
import { type Exit, exit } from './exit.ts';
import type { Io } from './io.ts';
import { printObjects } from './object-text.ts';
import { printCauses } from './problem.ts';

/** `lateen build PATH`: what the agent would apply from a folder, with its checks, without a cluster. */
export async function build(io: Io, options: Invocation): Promise<Exit> {
  const { argument, namespace = 'default', output = 'yaml' } = options;
  const built = await builtFolder(io, argument, options.kustomize);
  if (built.causes.length > 0) return refuse(io, built.causes, built.here);
  const { objects, causes } = await checkObjects(built.objects, { namespace, scope: offlineScope });
  if (causes.length > 0) return refuse(io, causes, built.here);
  if (objects.length === 0)
    throw new Failure('EmptyBuild', `${argument} holds no object`, {
      remedy: 'put manifests (.yaml, .yml) there, or name another folder',
    });
  const printed = objects.map(({ object, origin }) => ({ object, source: place(built.here(origin.file), origin.line) }));
  await printObjects(io, printed, output === 'json' ? 'json' : 'yaml');
  return exit.yes;
}

/** Every cause with its file as it is called from here. */
function refuse(io: Io, causes: readonly Cause[], here: (file: string) => string): Exit {
  printCauses(
    io,
    causes.map((cause) => (cause.file ? { ...cause, file: here(cause.file) } : cause)),
  );
  return exit.no;
}

function place(file: string, line: number | undefined): string {
  return line === undefined ? file : `${file}:${line}`;
}
