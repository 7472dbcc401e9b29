import { covers, expiryOf, renewalOf } from './expiry.ts';
import { issueAuthority, issueServing, type KeyPair } from './issue.ts';

/**
 * How certificates follow each other. All replicas serve what stands in one Secret, so that a step is one write to it: the
 * state before and after differs by that step alone, and of two replicas that take it at the same time one is refused.
 *
 * A new authority first stands in the bundle of both webhook configurations for a sixth of the life of a server certificate;
 * only then is a certificate signed by it. The old one leaves the bundle when its last certificate has expired.
 */

export interface CertificateState {
  authority: KeyPair;
  serving: KeyPair;
  /** The authority to come: in the bundle, signs nothing yet. */
  next?: KeyPair & { standingSinceMs?: number };
  /** Authorities that sign no more, until their last certificate has expired. */
  old: { cert: string; untilMs: number }[];
}

export interface Lives {
  servingMs: number;
  authorityMs: number;
}

/** An authority lives as long as four certificates: enough for its last one, the sixth in the bundle, and a third to spare. */
export function livesOf(servingMs: number): Lives {
  return { servingMs, authorityMs: servingMs * 4 };
}

export interface RotationInput {
  state: CertificateState | undefined;
  nowMs: number;
  lives: Lives;
  hosts: readonly string[];
  /** Both webhook configurations hold all of the bundle. */
  standing: boolean;
}

export type Step = 'create' | 'prepare' | 'stand' | 'fall' | 'promote' | 'renew' | 'forget' | 'none';

/** The one step that is due, and why. Pure. */
export function dueStep(input: RotationInput): { step: Step; why: string } {
  const { state, nowMs, lives, hosts } = input;
  if (!state) return { step: 'create', why: 'there is no certificate yet' };
  if (expiryOf(state.authority.cert) <= nowMs) return { step: 'create', why: 'the authority has expired' };
  const ofNext = stepOfNext(input, state);
  if (ofNext) return ofNext;
  if (!state.next && renewalOf(state.authority.cert, lives.authorityMs) <= nowMs)
    return { step: 'prepare', why: 'two thirds of the life of the authority are over' };
  if (!covers(state.serving.cert, hosts)) return { step: 'renew', why: 'the certificate is for other host names' };
  if (renewalOf(state.serving.cert, lives.servingMs) <= nowMs)
    return { step: 'renew', why: 'two thirds of the life of the certificate are over' };
  if (state.old.some(({ untilMs }) => untilMs <= nowMs))
    return { step: 'forget', why: 'the last certificate of an old authority has expired' };
  return { step: 'none', why: 'nothing is due' };
}

function stepOfNext(
  { nowMs, lives, standing }: RotationInput,
  { next, authority }: CertificateState,
): { step: Step; why: string } | undefined {
  if (!next) return undefined;
  if (!standing)
    return next.standingSinceMs === undefined
      ? late(authority, nowMs, lives)
      : { step: 'fall', why: 'a webhook configuration lost the bundle' };
  if (next.standingSinceMs === undefined) return { step: 'stand', why: 'both webhook configurations hold the new authority' };
  if (nowMs - next.standingSinceMs >= lives.servingMs / 6) return { step: 'promote', why: 'the new authority has stood long enough' };
  return undefined;
}

/** A new authority that got into no configuration must not keep the certificate from being renewed by the old one. */
function late(authority: KeyPair, nowMs: number, lives: Lives): { step: Step; why: string } | undefined {
  const left = expiryOf(authority.cert) - nowMs;
  return left < lives.servingMs / 6 ? { step: 'promote', why: 'the old authority is about to expire' } : undefined;
}

/** The state after a step. Issues what it needs. */
export async function afterStep(step: Step, input: RotationInput): Promise<CertificateState> {
  const { state, nowMs, lives, hosts } = input;
  const serving = (authority: KeyPair): Promise<KeyPair> => issueServing(authority, hosts, { nowMs, lifeMs: lives.servingMs });
  if (step === 'create' || !state) {
    const authority = await issueAuthority({ nowMs, lifeMs: lives.authorityMs });
    return { authority, serving: await serving(authority), old: [] };
  }
  const { next, ...rest } = state;
  switch (step) {
    case 'prepare':
      return { ...rest, next: await issueAuthority({ nowMs, lifeMs: lives.authorityMs }) };
    case 'stand':
      return next ? { ...rest, next: { ...next, standingSinceMs: nowMs } } : state;
    case 'fall':
      return next ? { ...rest, next: { cert: next.cert, key: next.key } } : state;
    case 'promote': {
      if (!next) return state;
      const authority = { cert: next.cert, key: next.key };
      const retired = { cert: state.authority.cert, untilMs: expiryOf(state.serving.cert) };
      return { authority, serving: await serving(authority), old: [...state.old, retired] };
    }
    case 'renew':
      return { ...state, serving: await serving(state.authority) };
    case 'forget':
      return { ...state, old: state.old.filter(({ untilMs }) => untilMs > nowMs) };
    case 'none':
      return state;
  }
}

/** Every authority that a certificate in use may have, as one PEM text: what the API server has to trust. */
export function bundleOf({ authority, next, old }: CertificateState): string {
  return [...(next ? [next.cert] : []), authority.cert, ...old.map(({ cert }) => cert)].map((pem) => `${pem.trim()}\n`).join('');
}
