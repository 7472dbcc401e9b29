import { admission } from './admission.ts';
import type { Chapter } from './chapter.ts';
import { drift } from './drift.ts';
import { images } from './images.ts';
import { sync } from './sync.ts';
import { tenants } from './tenants.ts';
import { versions } from './versions.ts';

/** In the order in which `make demo` plays them. */
const CHAPTERS: readonly Chapter[] = [sync, images, drift, admission, versions, tenants];

/** The chapters of these names, without names all of them. Throws where one is not known. */
export function chaptersOf(names: readonly string[]): readonly Chapter[] {
  if (names.length === 0) return CHAPTERS;
  const unknown = names.filter((name) => !CHAPTERS.some((chapter) => chapter.name === name));
  if (unknown.length > 0) {
    const list = CHAPTERS.map(({ name, title }) => `\n  make demo CHAPTER=${name}   ${title}`).join('');
    throw new UnknownChapter(`The demo has no chapter ${unknown.map((name) => `"${name}"`).join(', ')}. It has:${list}`);
  }
  return CHAPTERS.filter(({ name }) => names.includes(name));
}

export class UnknownChapter extends Error {}
