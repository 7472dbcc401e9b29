import { parentOf, resolvePath } from './folders.ts';
import type { Scan } from './kustomize-scan.ts';
import { readYaml } from './yaml.ts';

/** Shorter values would blank out ordinary words. */
const MIN_LENGTH = 4;

/**
 * Values that must not stand in an error: kustomize repeats what it could not read. Literals and env files of Secret
 * generators, and the data of Secrets. Longest first, so that no rest of a longer value is left.
 */
export function secretsOf(scan: Scan): string[] {
  const found = new Set<string>();
  for (const [file, json] of scan.kustomizations) {
    const value = JSON.parse(json) as Record<string, unknown>;
    for (const generator of listOf(value['secretGenerator'])) addGenerator(generator, file, { scan, found });
    for (const text of [...listOf(value['generators']), ...listOf(value['patchesStrategicMerge'])])
      addDocuments(text, file, { scan, found });
    for (const patch of listOf(value['patches'])) addDocuments(field(patch, 'patch'), file, { scan, found });
  }
  for (const [file, content] of scan.contents) if (content.includes('Secret')) addDocuments(content, file, { scan, found });
  return [...found].filter((secret) => secret.length >= MIN_LENGTH).sort((a, b) => b.length - a.length);
}

interface Gathering {
  scan: Scan;
  found: Set<string>;
}

function addDocuments(content: unknown, file: string, gathering: Gathering): void {
  if (typeof content !== 'string' && !Buffer.isBuffer(content)) return;
  for (const { value } of readYaml(content, file).documents) {
    const kind = field(value, 'kind');
    if (kind === 'SecretGenerator') addGenerator(value, file, gathering);
    if (kind !== 'Secret') continue;
    addTexts(field(value, 'data'), gathering.found);
    addTexts(field(value, 'stringData'), gathering.found);
  }
}

function addGenerator(generator: unknown, file: string, { scan, found }: Gathering): void {
  for (const literal of listOf(field(generator, 'literals'))) addPair(literal, found);
  for (const env of [...listOf(field(generator, 'envs')), field(generator, 'env')]) {
    const path = typeof env === 'string' ? resolvePath(parentOf(file), env) : undefined;
    const content = path === undefined ? undefined : scan.contents.get(path);
    for (const line of content?.toString('utf8').split('\n') ?? []) addPair(line.trim(), found);
  }
}

/** `key=value`: the value; a text without a key is one whole. */
function addPair(pair: unknown, found: Set<string>): void {
  if (typeof pair !== 'string') return;
  found.add(pair.slice(pair.indexOf('=') + 1).replace(/^(['"])(.*)\1$/, '$2'));
}

function addTexts(value: unknown, found: Set<string>): void {
  if (typeof value === 'string') {
    found.add(value);
    for (const line of value.split('\n')) found.add(line.trim());
  } else if (typeof value === 'number') found.add(String(value));
  else if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) addTexts(one, found);
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
