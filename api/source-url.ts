import type { Finding } from './schema.ts';
import { quote, shorten } from './wording.ts';

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//;
// RFC 1123 host name, an IPv4 address, or an IPv6 address in brackets; then an optional port.
const AUTHORITY = /^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$/;
// A port, an address (0x1f is one) or a name in Punycode may look right and still be none; the full parser is slow.
const ODD = /[:[]|\d$|xn--|(?:^|\.)0x[\da-f]*$/i;
// What most people write, told by one look instead of seven: a review reads hundreds. Each is right by the rules below.
const PLAIN = /^https?:\/\/(?:[A-Za-z0-9]+[.-])*[A-Za-z](?:[A-Za-z0-9]*[A-Za-z])?\/[\w./-]*$/;
const LONGEST = 2048;
const KNOWN_SCHEME = /^(?:https?|ssh|git|ftps?|file):/i;
const SCP_FORM = /^[^/\s]+@[^/\s:]+:|^[A-Za-z0-9.-]+\.[A-Za-z]{2,}:[^/]/;

/**
 * A URL as it may be shown: user info, query and fragment as `***`. A password may hold any character, so where it is not
 * plain what is host and what is secret too much is hidden rather than too little.
 */
export function displayUrl(url: string): string {
  const scheme = SCHEME.exec(url)?.[0] ?? '';
  const rest = url.slice(scheme.length);
  const at = rest.lastIndexOf('@');
  const cut = rest.search(/[?#]/);
  if (cut >= 0 && cut < at) return shorten(`${scheme}***`);
  const main = cut < 0 ? rest : `${rest.slice(0, cut + 1)}***`;
  // `robot://secret/@host`: a user and a password that read as a scheme and a host.
  const shown = scheme === '' || KNOWN_SCHEME.test(scheme) ? hideUser(main, at) : hideAll(main, at);
  return shorten(`${scheme}${shown}`);
}

function hideAll(main: string, at: number): string {
  return at < 0 ? main : `***@${main.slice(at + 1)}`;
}

function hideUser(main: string, at: number): string {
  const before = main.slice(0, Math.max(at, 0));
  // `host/path@v1`: an @ in the path, with a host and nothing before it that could be a password.
  const inPath = before.indexOf('/') > 0 && !before.includes(':') && !before.slice(0, before.indexOf('/')).includes('@');
  return inPath ? main : hideAll(main, at);
}

/** spec/sync.md A6: an allow-list of schemes, a host, and nothing that git could take for an option or a secret. */
export function urlRule(url: string): Finding[] {
  if (url.length <= LONGEST && PLAIN.test(url)) return [];
  const early = textMistake(url);
  if (early) return [early];
  const scheme = SCHEME.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined) return [noScheme(url)];
  if (scheme === 'ssh') {
    return [
      { code: 'Unsupported', text: 'with ssh:// is not implemented in this version', value: displayUrl(url), remedy: 'use https://' },
    ];
  }
  if (scheme !== 'http' && scheme !== 'https') {
    return [invalid(url, `must start with https:// or http://, received ${quote(`${scheme}://`)}`, 'use https://')];
  }
  const mistake = authorityMistake(url.slice(scheme.length + 3));
  return mistake ? [invalid(url, mistake[0], mistake[1])] : [];
}

function invalid(url: string, text: string, remedy: string): Finding {
  return { code: 'InvalidURL', text, value: displayUrl(url), remedy };
}

function textMistake(url: string): Finding | undefined {
  if (url === '') return invalid(url, 'must not be empty', 'write the URL of the repository');
  // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(url)) return invalid(url, 'must not hold control characters', 'remove them');
  if (/\s/.test(url)) return invalid(url, 'must not hold spaces', 'remove them, or write %20');
  if (url.startsWith('-')) return invalid(url, 'must not start with "-"', 'start it with https://');
  if (url.includes('\\')) return invalid(url, 'must not hold a backslash', 'separate with /');
  return url.length > LONGEST ? invalid(url, `must have at most ${LONGEST} characters`, 'use a shorter URL') : undefined;
}

function noScheme(url: string): Finding {
  if (url.includes('::')) return invalid(url, 'must not name a remote helper', 'use https://');
  if (SCP_FORM.test(url)) return invalid(url, 'must not have the form user@host:path', 'write it as https://host/path');
  return invalid(url, 'must start with https:// or http://', 'use https://');
}

function authorityMistake(rest: string): [text: string, remedy: string] | undefined {
  const end = rest.search(/[/?#]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  const path = end < 0 ? '' : rest.slice(end);
  if (authority.includes('@')) return ['must not hold a user or a password', 'put them into a Secret and name it in secretRef'];
  if (authority === '' || authority.startsWith(':')) return ['must name a host', 'write https://HOST/PATH'];
  if (!AUTHORITY.test(authority) || (ODD.test(authority) && !URL.canParse(`https://${authority}/`)))
    return ['must name a host that can be one', 'write https://HOST/PATH'];
  if (path.includes('?')) return ['must not have a query', 'remove everything from the ? on'];
  return path.includes('#') ? ['must not have a fragment', 'remove everything from the # on'] : undefined;
}
