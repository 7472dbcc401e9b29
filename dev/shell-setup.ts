import { delimiter, dirname, join, relative } from 'node:path';
import type { KeeperPlane } from './keeper.ts';
import { CHECKOUT } from './keeper-state.ts';

/** A word of a command line of sh, quoted only where it has to be. */
function shellWord(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** As short as it can be written where the checkout is the working directory. */
export function shownPath(path: string): string {
  const inside = relative(CHECKOUT, path);
  return shellWord(inside.startsWith('..') ? path : inside);
}

const PROXIES = ['http_proxy', 'https_proxy', 'all_proxy'];

/** What a person pastes into a shell before the commands that we print: lines of sh. */
export function shellSetup({ kubeconfig, programs }: KeeperPlane, env = process.env): string[] {
  const folders = [...new Set([join(CHECKOUT, 'bin'), dirname(programs.kubectl), dirname(programs.helm)])];
  const proxied = PROXIES.some((name) => env[name] || env[name.toUpperCase()]);
  return [
    `cd ${shellWord(CHECKOUT.replace(/\/$/, ''))}`,
    `export KUBECONFIG=${shellWord(kubeconfig)}`,
    `export PATH=${folders.map(shellWord).join(delimiter)}${delimiter}"$PATH"`,
    // Everything is on this machine; a proxy would not find it.
    ...(proxied ? ['export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1'] : []),
  ];
}
