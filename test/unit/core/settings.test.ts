import { describe, expect, it } from 'vitest';
import { flagName, parseOneOf, parseText, parseWholeNumber, readSettings, settingsHelp, UsageError, variableName } from '#core/settings.ts';

const table = {
  namespace: { placeholder: 'NS', help: 'the namespace', parse: parseText },
  maxRequests: { placeholder: 'N', help: 'requests in flight', default: '32', parse: parseWholeNumber },
  logLevel: { placeholder: 'info|debug', help: 'level', default: 'info', parse: parseOneOf('info', 'debug') },
};

describe('settings', () => {
  it('spells one name in three ways', () => {
    expect([flagName('maxRequests'), variableName('maxRequests')]).toEqual(['max-requests', 'MAX_REQUESTS']);
  });

  it('takes a flag before a variable before the default', () => {
    const settings = readSettings(table, ['--namespace', 'a'], { NAMESPACE: 'b', MAX_REQUESTS: '7' });

    expect(settings).toEqual({ namespace: 'a', maxRequests: 7, logLevel: 'info' });
  });

  it('reports every mistake at once', () => {
    const read = (): unknown => readSettings(table, ['--max-requests', 'many'], { LOG_LEVEL: 'loud' });

    expect(read).toThrow(UsageError);
    expect(read).toThrow(
      [
        '--namespace (or NAMESPACE) is required: the namespace',
        '--max-requests: received "many": expected a whole number such as 10',
        '--log-level: received "loud": expected one of info, debug',
      ].join('\n'),
    );
  });

  it('refuses a flag that is not in the table', () => {
    expect(() => readSettings(table, ['--namespce', 'a'], {})).toThrow("Unknown option '--namespce'");
  });

  it('prints a line of help per setting', () => {
    expect(settingsHelp(table).split('\n')).toEqual([
      '  --namespace NS          the namespace (NAMESPACE, required)',
      '  --max-requests N        requests in flight (MAX_REQUESTS, default 32)',
      '  --log-level info|debug  level (LOG_LEVEL, default info)',
    ]);
  });
});
