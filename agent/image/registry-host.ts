import { BlockList, isIP } from 'node:net';
import { DOCKER_HUB } from '#api/image/reference.ts';

/** Networks that a registry must not lead us into (RFC 1918, 3927, 4193, 6598 and the like). */
const PRIVATE = new BlockList();
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  PRIVATE.addSubnet(net, prefix, 'ipv4');
for (const [net, prefix] of [
  ['::1', 128],
  ['::', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  PRIVATE.addSubnet(net, prefix, 'ipv6');
PRIVATE.addSubnet('::ffff:0:0', 96, 'ipv6');

/** The origin that answers for a registry; Docker Hub lists its tags under another name. */
export function hostOf(registry: string): string {
  return registry === DOCKER_HUB ? 'registry-1.docker.io' : registry;
}

/** `localhost`, `x.localhost`, 127.0.0.0/8 and ::1, with or without a port. */
export function isLoopback(registry: string): boolean {
  const { host } = split(registry);
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** An address of a private network, written as one. */
export function isPrivateAddress(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  const version = isIP(host);
  if (version === 0) return host === 'localhost' || host.endsWith('.localhost');
  return PRIVATE.check(host, version === 4 ? 'ipv4' : 'ipv6');
}

function split(registry: string): { host: string } {
  const bracketed = /^\[([^\]]+)\]/.exec(registry);
  return { host: (bracketed?.[1] ?? registry.replace(/:\d+$/, '')).toLowerCase() };
}
