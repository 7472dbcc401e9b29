import type { Finding } from './schema.ts';
import { quote, shorten } from './wording.ts';

// RFC 1123 as Kubernetes reads it (k8s.io/apimachinery, validation): lower case only.
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL_VALUE_LENGTH = 63;
const SUBDOMAIN_LENGTH = 253;

/** An Application's name: a DNS-1123 subdomain, of at most 63 characters since it becomes the value of a label. */
export function applicationNameRule(name: string): Finding[] {
  return nameMistakes(name, SUBDOMAIN, LABEL_VALUE_LENGTH);
}

/** The name of a component: it becomes a label, a Deployment, a Service and a container. */
export function labelRule(name: string): Finding[] {
  return nameMistakes(name, LABEL, LABEL_VALUE_LENGTH);
}

/** The name of an object such as a ConfigMap. */
export function objectNameRule(name: string): Finding[] {
  return nameMistakes(name, SUBDOMAIN, SUBDOMAIN_LENGTH);
}

/** The name of a Secret. The value is not shown: a token lands here more often than one would think (spec/sync.md A15). */
export function secretNameRule(name: string): Finding[] {
  if (name.length <= SUBDOMAIN_LENGTH && SUBDOMAIN.test(name)) return [];
  return [
    {
      code: 'InvalidName',
      text: 'must be the name of a Secret of this namespace: lower-case letters, digits, "-" and "."',
      remedy: 'write the name of the Secret, not what is in it',
    },
  ];
}

function nameMistakes(name: string, pattern: RegExp, longest: number): Finding[] {
  if (name === '') return [{ code: 'InvalidName', text: 'must not be empty', value: '', remedy: 'write a name' }];
  if (name.length > longest) {
    const text = `must have at most ${longest} characters, received ${name.length}`;
    return [{ code: 'InvalidName', text, value: shorten(name), remedy: 'use a shorter name' }];
  }
  if (pattern.test(name)) return [];
  const dots = pattern === SUBDOMAIN ? ', "-" and "."' : ' and "-"';
  const text = `must consist of lower-case letters, digits${dots}, with a letter or digit at both ends, received ${quote(name)}`;
  const better = name.toLowerCase().replace(/_/g, '-');
  return [{ code: 'InvalidName', text, value: shorten(name), remedy: pattern.test(better) ? `write ${better}` : 'use another name' }];
}
