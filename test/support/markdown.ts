import { readFile } from 'node:fs/promises';

const PAGES = new URL('../../docs/', import.meta.url);
const BLOCK = /^```(\w+)\n([\s\S]*?)^```$/gm;

export interface CodeBlock {
  language: string;
  text: string;
  /** The heading that it stands under. */
  heading: string;
}

/** The code blocks of a page of docs/, in order. */
export async function codeBlocks(page: string): Promise<CodeBlock[]> {
  const text = await readFile(new URL(page, PAGES), 'utf8');
  return [...text.matchAll(BLOCK)].map(({ index, 1: language = '', 2: code = '' }) => ({
    language,
    text: code,
    heading: [...text.slice(0, index).matchAll(/^#+ (.+)$/gm)].at(-1)?.[1] ?? '',
  }));
}
