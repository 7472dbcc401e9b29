/** Removes what must never be seen from every text that leaves the process: logs, status, events, errors. */
export interface Redactor {
  /** Makes a secret known; from then on it is removed from every text, in plain, base64 and URL-encoded form. */
  register(secret: string): void;
  scrub(text: string): string;
}

/** Shorter values are not registered: they would blank out ordinary words. */
const MIN_SECRET_LENGTH = 4;
/** Enough for the credentials of one namespace; the oldest is forgotten first. */
const MAX_SECRETS = 2_000;
const MASK = '***';

/** `https://user:token@host` and `https://token@host` lose what stands before the `@`, whatever the scheme. */
const URL_USER_INFO = /:\/\/[^\s/@'"]+@/g;
const AUTHORIZATION = /\b(authorization:?\s*(?:basic|bearer|token)\s+)[^\s'"]+/gi;
const PEM_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;

export function createRedactor(): Redactor {
  const forms = new Map<string, string[]>();

  function register(secret: string): void {
    if (secret.length < MIN_SECRET_LENGTH || forms.has(secret)) return;
    const oldest = forms.keys().next();
    if (forms.size >= MAX_SECRETS && !oldest.done) forms.delete(oldest.value);
    const base64 = Buffer.from(secret).toString('base64');
    forms.set(secret, [...new Set([secret, base64, base64.replace(/=+$/, ''), encodeURIComponent(secret)])]);
  }

  function scrub(text: string): string {
    let clean = text;
    for (const spellings of forms.values()) {
      for (const spelling of spellings) if (clean.includes(spelling)) clean = clean.replaceAll(spelling, MASK);
    }
    return clean.replace(URL_USER_INFO, `://${MASK}@`).replace(AUTHORIZATION, `$1${MASK}`).replace(PEM_KEY, MASK);
  }

  return { register, scrub };
}
