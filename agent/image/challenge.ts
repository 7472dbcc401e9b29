/** One way to authenticate that a registry offers. */
export interface Challenge {
  /** Lower case: `basic`, `bearer`. */
  scheme: string;
  /** Names in lower case. */
  parameters: ReadonlyMap<string, string>;
}

const SCHEME = /[\s,]*([A-Za-z][A-Za-z0-9-]*)(?=[\s,]|$)/y;
const PARAMETER = /[\s,]*([A-Za-z][A-Za-z0-9_-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/y;

/** Reads WWW-Authenticate (RFC 9110 §11.6.1): several challenges in one header, quoted values with commas in them. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  let at = 0;
  while (at < header.length) {
    SCHEME.lastIndex = at;
    const scheme = SCHEME.exec(header);
    if (!scheme) break;
    at = SCHEME.lastIndex;
    const parameters = new Map<string, string>();
    for (;;) {
      PARAMETER.lastIndex = at;
      const parameter = PARAMETER.exec(header);
      if (!parameter) break;
      at = PARAMETER.lastIndex;
      parameters.set(parameter[1]!.toLowerCase(), parameter[2]?.replace(/\\(.)/g, '$1') ?? parameter[3]!);
    }
    challenges.push({ scheme: scheme[1]!.toLowerCase(), parameters });
  }
  return challenges;
}

/** The first that can be met: basic or bearer. */
export function usableChallenge(header: string | undefined): Challenge | undefined {
  return parseChallenges((header ?? '').slice(0, 8_192)).find(({ scheme }) => scheme === 'basic' || scheme === 'bearer');
}
