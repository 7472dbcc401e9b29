import type { Exit } from './exit.ts';
import type { Io } from './io.ts';

/** What every command accepts, before or after its name. */
export interface GlobalOptions {
  namespace?: string;
  kubeconfig?: string;
  context?: string;
}

/** A parsed command line. Each command declares which of these it takes. */
export interface Invocation extends GlobalOptions {
  /** The one argument, '' for a command without. */
  argument: string;
  output?: OutputFormat;
  allNamespaces?: boolean;
  timeout?: string;
  kustomize?: string;
  /** The arguments behind the one, where the command takes more. */
  more?: readonly string[];
  /** The options of `lateen image`. */
  image?: string;
  policy?: string;
  pattern?: string;
  extract?: string;
  tags?: string;
  exclude?: string;
  prereleases?: 'any' | 'strict';
  explain?: boolean;
  diff?: boolean;
  stdout?: boolean;
  template?: string;
  data?: string;
  /** The options of `lateen publish`, `rollback` and `wait`. */
  version?: string;
  revision?: string;
  to?: string;
  commit?: string;
  /** The options of `lateen init` and `lateen check`. */
  applications?: 'all' | 'gitops';
  repositories?: string;
  registries?: string;
  group?: string;
  values?: boolean;
  namespaceFile?: string;
}

export interface OptionDeclaration {
  flags: string;
  help: string;
  choices?: readonly string[];
}

/** A command as data; its code is loaded when it is called. */
export interface CommandDeclaration {
  /** `ls`, or `image latest` for a command of a group. */
  name: string;
  summary: string;
  argument?: { name: string; help: string };
  /** One or more further arguments. */
  more?: { name: string; help: string };
  /** A second argument that may be left out; it comes as the first of `more`. */
  second?: { name: string; help: string };
  /** A third one, only where there is a second. */
  third?: { name: string; help: string };
  options: readonly OptionDeclaration[];
  /** Command lines with what they do. */
  examples: readonly (readonly [line: string, does: string])[];
  run(io: Io, invocation: Invocation): Promise<Exit>;
}

/** `-o` of the commands that print objects. */
export type OutputFormat = 'table' | 'json' | 'yaml';
