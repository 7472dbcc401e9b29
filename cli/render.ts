import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { renderComponent } from '#agent/render/render.ts';
import { specHash } from '#agent/revision/snapshot.ts';
import type { Application, Component } from '#api/application.ts';
import { checkApplication } from '#api/check.ts';
import { type Cause, Failure } from '#api/failure.ts';
import { applicationsOf, type FiledApplication } from './applications-file.ts';
import type { Invocation } from './command.ts';
import { CommandError, type Exit, exit } from './exit.ts';
import type { Io } from './io.ts';
import { type PrintedObject, printObjects } from './object-text.ts';
import { printCauses, printWarnings } from './problem.ts';

/** Far over what etcd would take. */
const MAX_BYTES = 16 * 1024 * 1024;
/** The default of the agent's setting min-interval; an agent may be set otherwise, so that it is only a warning here. */
const MIN_INTERVAL_MS = 10_000;

/** `lateen render FILE|-`: checks Applications as the agent does, and prints what it makes of them, without a cluster. */
export async function render(io: Io, options: Invocation): Promise<Exit> {
  const { argument, namespace, output = 'yaml' } = options;
  const file = argument === '-' ? 'stdin' : argument;
  const { applications, causes, shapeless, others } = applicationsOf(await textOf(io, argument), file);
  const verdicts = applications.map((filed) => judge(filed, namespace));
  const mistakes = [...causes, ...shapeless, ...verdicts.flatMap((verdict) => verdict.causes)];
  printWarnings(io, inOrder([...others, ...verdicts.flatMap((verdict) => verdict.warnings)]));
  if (mistakes.length > 0) {
    printCauses(io, inOrder(mistakes));
    return exit.no;
  }
  if (applications.length === 0) throw new CommandError(exit.no, `${file} holds no Application`, 'give a file with kind: Application');
  const rendered = verdicts.flatMap(({ application, filed }) => renderAll(application, filed));
  const failed = rendered.flatMap((one) => one.causes);
  printCauses(io, failed);
  if (failed.length > 0) return exit.no;
  await printObjects(
    io,
    rendered.flatMap((one) => one.printed),
    output === 'json' ? 'json' : 'yaml',
  );
  return exit.yes;
}

function inOrder(causes: readonly Cause[]): Cause[] {
  return causes.toSorted((left, right) => (left.line ?? 0) - (right.line ?? 0));
}

async function textOf(io: Io, path: string): Promise<string> {
  if (path === '-') return io.readStdin(MAX_BYTES);
  const found = statSync(resolve(io.cwd, path), { throwIfNoEntry: false });
  if (!found) throw new CommandError(exit.no, `there is no file ${path}`, 'name a YAML file, or - for standard input');
  if (found.isDirectory())
    throw new CommandError(exit.no, `${path} is a folder`, `name a file; lateen build ${path} prints the objects of a folder`);
  if (found.size > MAX_BYTES) throw new CommandError(exit.no, `${path} is larger than ${MAX_BYTES} bytes`, 'name a YAML file');
  return readFileSync(resolve(io.cwd, path), 'utf8');
}

interface Judged {
  application: Application;
  filed: FiledApplication;
  causes: Cause[];
  warnings: Cause[];
}

function judge(filed: FiledApplication, given: string | undefined): Judged {
  const located = ({ path, ...cause }: Cause): Cause => ({ ...cause, path, file: filed.file, line: filed.lineOf(path) });
  const metadata = (filed.value['metadata'] ?? {}) as { name?: string; generateName?: string; namespace?: string };
  const namespace = metadata.namespace ?? given ?? 'default';
  const { causes, unsupported } = checkApplication(filed.value, { namespace, minIntervalMs: MIN_INTERVAL_MS });
  const short = causes.filter(({ code }) => code === 'IntervalTooShort');
  const grave = causes.filter(({ code }) => code !== 'IntervalTooShort');
  const name = metadata.name ?? `${metadata.generateName ?? ''}xxxxx`;
  return {
    application: { ...filed.value, metadata: { ...metadata, name, namespace } } as unknown as Application,
    filed,
    causes: [...otherNamespace(metadata.namespace, given), ...grave, ...unsupported].map(located),
    warnings: short.map(located),
  };
}

function otherNamespace(written: string | undefined, given: string | undefined): Cause[] {
  if (written === undefined || given === undefined || written === given) return [];
  const message = `metadata.namespace is ${JSON.stringify(written)}, and -n says ${JSON.stringify(given)}`;
  return [{ path: 'metadata.namespace', code: 'NamespaceForbidden', message, remedy: 'leave one of them out' }];
}

interface Rendered {
  printed: PrintedObject[];
  causes: Cause[];
}

function renderAll(application: Application, { file, lineOf }: FiledApplication): Rendered[] {
  const revision = { name: `${application.metadata.name}-v1`, hash: specHash(application) };
  return application.spec.components.map((component, index) => {
    const line = lineOf(`spec.components[${index}]`);
    const source = `${file}:${line}`;
    if (component.type === 'kustomize') return { printed: [{ source, note: pulled(component) }], causes: [] };
    try {
      return { printed: renderComponent({ application, revision, component }).map((object) => ({ object, source })), causes: [] };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const whole: Cause = { path: '', code: error.reason, message: error.sentence };
      const causes = (error.causes.length > 0 ? error.causes : [whole]).map((cause) => ({ ...cause, file, line }));
      return { printed: [], causes };
    }
  });
}

function pulled({ name, properties = {} }: Component): string {
  const { url, path, git } = properties as { url?: string; path?: string; git?: { branch?: string } };
  const branch = git?.branch ? `branch ${git.branch}` : 'its default branch';
  return `component ${name} (kustomize): the agent pulls ${path} of ${url}, ${branch}, from Git; see lateen build`;
}
