import { join } from 'node:path';
import { parseOneOf, parseText, parseWholeNumber } from '#core/settings.ts';
import { RUN_FOLDER } from '../keeper-state.ts';

export const PARTS = ['a', 'b', 'c', 'd', 'e', 'f', 'client'] as const;
export type PartName = (typeof PARTS)[number];

function parseParts(text: string): PartName[] {
  const parse = parseOneOf(...PARTS);
  return text.split(',').map((part) => parse(part.trim()));
}

function parseNumbers(text: string): number[] {
  return text === '' ? [] : text.split(',').map((part) => parseWholeNumber(part.trim()));
}

/** What `make bench` takes: each name is a flag and, in capitals, a variable of make. */
export const benchSettings = {
  part: { placeholder: 'PART,…', help: `which parts are measured, of ${PARTS.join(', ')}`, default: PARTS.join(','), parse: parseParts },
  n: { placeholder: 'N,…', help: 'Applications of parts a, c and f; without it those of the issue', default: '', parse: parseNumbers },
  repositories: {
    placeholder: 'auto|one|each',
    help: 'Applications of part a: folders of one repository, or each a small one; auto: both, the folders alone where N is given',
    default: 'auto',
    parse: parseOneOf('auto', 'one', 'each'),
  },
  runs: { placeholder: 'N', help: 'runs of part a, of which the median counts', default: '3', parse: parseWholeNumber },
  quick: {
    placeholder: 'true|false',
    help: 'one run, short waits, small scale: for a look, not for a figure',
    default: 'false',
    parse: parseOneOf('true', 'false'),
  },
  idle: {
    placeholder: 'SECONDS',
    help: 'how long part b watches an agent that has nothing to do',
    default: '120',
    parse: parseWholeNumber,
  },
  claim: {
    placeholder: 'webhook|agent',
    help: 'who has set the claim annotation of the Applications: the webhook at their creation, or the agent in the run',
    default: 'webhook',
    parse: parseOneOf('webhook', 'agent'),
  },
  out: { placeholder: 'FILE', help: 'where the result goes as JSON', default: join(RUN_FOLDER, 'bench.json'), parse: parseText },
  profile: { placeholder: 'DIR', help: 'writes a CPU profile of each agent there', default: '', parse: parseText },
} as const;
