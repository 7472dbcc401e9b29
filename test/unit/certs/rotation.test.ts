import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { covers, expiryOf, hostsOf } from '#certs/expiry.ts';
import { issueAuthority, issueServing } from '#certs/issue.ts';
import { afterStep, bundleOf, type CertificateState, dueStep, livesOf, type RotationInput, type Step } from '#certs/rotation.ts';
import { secretData, stateOfSecret } from '#certs/secret.ts';

const NOW = Date.parse('2026-03-01T00:00:00Z');
const LIFE = 120_000;
const lives = livesOf(LIFE);
const hosts = ['lateen-webhook', 'lateen-webhook.lateen-system', 'lateen-webhook.lateen-system.svc', '127.0.0.1'];

let made: CertificateState;

beforeAll(async () => {
  made = await afterStep('create', input({ state: undefined }));
});

function input(changes: Partial<RotationInput> = {}): RotationInput {
  return { state: made, nowMs: NOW, lives, hosts, standing: true, ...changes };
}

const due = (changes: Partial<RotationInput>): Step => dueStep(input(changes)).step;

describe('certificates', () => {
  it('are for the names and addresses, signed by the authority, and of random positive serials', async () => {
    const { authority, serving } = made;
    const [root, leaf] = [new X509Certificate(authority.cert), new X509Certificate(serving.cert)];
    expect(leaf.verify(root.publicKey)).toBe(true);
    expect(leaf.checkIssued(root)).toBe(true);
    expect([root.ca, leaf.ca]).toEqual([true, false]);
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(covers(serving.cert, hosts)).toBe(true);
    expect(covers(serving.cert, ['other'])).toBe(false);
    expect(hostsOf(serving.cert)).toBe(`DNS:${hosts.slice(0, 3).join(', DNS:')}, IP Address:127.0.0.1`);
    const serials = [root.serialNumber, leaf.serialNumber];
    expect(new Set(serials).size).toBe(2);
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
  });

  it('are valid from five minutes ago to the end of their life, and no longer than their authority', async () => {
    const leaf = new X509Certificate(made.serving.cert);
    expect(Date.parse(leaf.validFrom)).toBe(NOW - 300_000);
    expect(expiryOf(made.serving.cert)).toBe(NOW + LIFE);
    expect(expiryOf(made.authority.cert)).toBe(NOW + 4 * LIFE);
    const authority = await issueAuthority({ nowMs: NOW, lifeMs: 60_000 });
    expect(expiryOf((await issueServing(authority, hosts, { nowMs: NOW, lifeMs: LIFE })).cert)).toBe(NOW + 60_000);
  });
});

describe('the step that is due', () => {
  const later = (share: number): number => NOW + LIFE * share;
  const withNext = (standingSinceMs?: number): CertificateState => ({
    ...made,
    next: { ...made.authority, ...(standingSinceMs === undefined ? {} : { standingSinceMs }) },
  });

  it.each<[string, () => Partial<RotationInput>, Step]>([
    ['at the first start', () => ({ state: undefined }), 'create'],
    ['while all is young', () => ({ nowMs: later(0.6) }), 'none'],
    ['at two thirds of a certificate', () => ({ nowMs: later(0.67) }), 'renew'],
    ['for another host name', () => ({ hosts: [...hosts, 'webhook.example'] }), 'renew'],
    ['at two thirds of an authority', () => ({ nowMs: later(2.67) }), 'prepare'],
    ['after everything has expired', () => ({ nowMs: later(5) }), 'create'],
    ['with a new authority that both configurations hold', () => ({ state: withNext() }), 'stand'],
    ['with a new authority that one of them lacks', () => ({ state: withNext(), standing: false }), 'none'],
    ['with one that has not stood long enough', () => ({ state: withNext(NOW), nowMs: later(0.16) }), 'none'],
    ['with one that has stood for a sixth', () => ({ state: withNext(NOW), nowMs: later(0.17) }), 'promote'],
    ['with one that fell out of a configuration', () => ({ state: withNext(NOW), standing: false }), 'fall'],
    [
      'with one that no configuration takes, while the certificate ages',
      () => ({ state: withNext(), standing: false, nowMs: later(0.7) }),
      'renew',
    ],
    ['with one that no configuration takes, at the very end', () => ({ state: withNext(), standing: false, nowMs: later(3.9) }), 'promote'],
    ['with an old authority in use', () => ({ state: { ...made, old: [{ cert: made.authority.cert, untilMs: NOW + 1 }] } }), 'none'],
    ['with an old authority of no use', () => ({ state: { ...made, old: [{ cert: made.authority.cert, untilMs: NOW }] } }), 'forget'],
  ])('%s', (_, changes, step) => {
    expect(due(changes())).toBe(step);
  });
});

describe('a rotation', () => {
  /** Steps through time until `untilMs`, a tick at a time; what was served and trusted at each. */
  async function play(untilMs: number, tickMs: number): Promise<{ atMs: number; step: Step; state: CertificateState }[]> {
    const seen: { atMs: number; step: Step; state: CertificateState }[] = [];
    let state: CertificateState | undefined;
    for (let atMs = NOW; atMs <= untilMs; atMs += tickMs) {
      for (let step: Step = 'create'; step !== 'none'; ) {
        const now = input({ state, nowMs: atMs });
        ({ step } = dueStep(now));
        state = await afterStep(step, now);
        seen.push({ atMs, step, state });
      }
    }
    return seen;
  }

  it('never serves a certificate of an authority that has not stood, nor one that has expired, nor one that is not trusted', async () => {
    const seen = await play(NOW + 9 * LIFE, 4_000);
    const enteredAt = new Map<string, number>();
    for (const { atMs, state } of seen) {
      const authorities = [state.next?.cert, state.authority.cert, ...state.old.map(({ cert }) => cert)].filter((one) => one !== undefined);
      for (const cert of authorities) if (!enteredAt.has(cert)) enteredAt.set(cert, atMs);
      const signer = authorities.find((cert) => new X509Certificate(state.serving.cert).checkIssued(new X509Certificate(cert)))!;
      expect(bundleOf(state)).toContain(signer.trim());
      expect(expiryOf(state.serving.cert)).toBeGreaterThan(atMs);
      if (seen[0]?.state.authority.cert !== signer) expect(atMs - enteredAt.get(signer)!).toBeGreaterThanOrEqual(LIFE / 6);
    }
    const count = (wanted: Step): number => seen.filter(({ step }) => step === wanted).length;
    expect([count('create'), count('promote'), count('forget'), count('fall')]).toEqual([1, 3, 3, 0]);
    expect(count('renew')).toBeGreaterThanOrEqual(9);
    expect(Math.max(...seen.map(({ state }) => bundleOf(state).split('BEGIN').length - 1))).toBe(2);
  });
});

describe('the Secret', () => {
  it('holds the state and what tools expect', () => {
    const data = secretData(made);
    expect(Object.keys(data).toSorted()).toEqual(['ca.crt', 'state.json', 'tls.crt', 'tls.key']);
    expect(Buffer.from(data['tls.crt']!, 'base64').toString()).toBe(made.serving.cert);
    expect(stateOfSecret(data)).toEqual(made);
  });

  it.each<[string, Record<string, string> | undefined]>([
    ['nothing', undefined],
    ['an empty Secret', {}],
    ['no JSON', { 'state.json': Buffer.from('x').toString('base64') }],
    ['half a state', { 'state.json': Buffer.from('{"authority":{}}').toString('base64') }],
    ['no keys', { 'state.json': Buffer.from('{"authority":{"cert":"x"},"serving":{"cert":"x"},"old":[]}').toString('base64') }],
  ])('of %s is as good as none', (_, data) => {
    expect(stateOfSecret(data)).toBeUndefined();
  });
});
