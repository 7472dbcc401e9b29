import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import { systemClock } from '#core/clock.ts';
import type { Container, Probe } from './pod.ts';

/** What a kubelet's defaults are (Probe in the API reference). */
const PERIOD_SECONDS = 10;
const TIMEOUT_SECONDS = 1;
const FAILURES = 3;

export interface Probing {
  container: Container;
  address: string;
  /** Aborts when the container has ended. */
  signal: AbortSignal;
  onReady: (ready: boolean) => void;
  /** The liveness probe, or the startup probe, has failed too often. */
  onDead: (why: string) => void;
}

/** Runs the probes of a container until the signal. */
export async function probe({ container, address, signal, onReady, onDead }: Probing): Promise<void> {
  const { startupProbe, livenessProbe, readinessProbe } = container;
  const ask = (one: Probe): Promise<boolean> => isWell(one, container, address);
  if (startupProbe && !(await untilWell(startupProbe, ask, signal))) return signal.aborted ? undefined : onDead('it did not start');
  if (!readinessProbe) onReady(true);
  await Promise.all([
    readinessProbe && follow(readinessProbe, ask, signal, (failures) => onReady(failures === 0)),
    livenessProbe &&
      follow(
        livenessProbe,
        ask,
        signal,
        (failures) => failures >= (livenessProbe.failureThreshold ?? FAILURES) && onDead('its liveness probe failed'),
      ),
  ]);
}

type Ask = (probe: Probe) => Promise<boolean>;

async function untilWell(one: Probe, ask: Ask, signal: AbortSignal): Promise<boolean> {
  for (let failures = 0; failures < (one.failureThreshold ?? FAILURES) && !signal.aborted; failures += 1) {
    if (await ask(one)) return true;
    await pause(one, signal);
  }
  return false;
}

async function follow(one: Probe, ask: Ask, signal: AbortSignal, told: (failures: number) => void): Promise<void> {
  for (let failures = 0; !signal.aborted; await pause(one, signal)) {
    failures = (await ask(one)) ? 0 : failures + 1;
    if (!signal.aborted) told(failures);
  }
}

function pause({ periodSeconds = PERIOD_SECONDS }: Probe, signal: AbortSignal): Promise<void> {
  return systemClock.sleep(periodSeconds * 1000, signal).catch(() => undefined);
}

/** The port of a probe, by its number or by the name that the container gives it. */
function portOf({ name, ports = [] }: Container, port: number | string): number {
  if (typeof port === 'number') return port;
  const found = ports.find((one) => one.name === port);
  if (!found) throw new Error(`the container ${name} has no port ${port}`);
  return found.containerPort;
}

function isWell({ httpGet, timeoutSeconds = TIMEOUT_SECONDS }: Probe, container: Container, address: string): Promise<boolean> {
  const options = {
    host: address,
    port: portOf(container, httpGet.port),
    path: httpGet.path,
    agent: false as const,
    rejectUnauthorized: false,
    timeout: timeoutSeconds * 1000,
  };
  const get = httpGet.scheme === 'HTTPS' ? getHttps : getHttp;
  return new Promise((resolve) => {
    const asked = get(options, (response) => {
      response.resume();
      response.on('end', () => resolve((response.statusCode ?? 0) >= 200 && (response.statusCode ?? 0) < 400));
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(false));
    asked.on('close', () => resolve(false));
  });
}
