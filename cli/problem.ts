import { type Cause, Failure } from '#api/failure.ts';
import { reasonCode } from '#api/reasons.ts';
import { messageOf, oneLine } from '#core/errors.ts';
import { CommandError, type Exit, exit } from './exit.ts';
import { type Io, style } from './io.ts';

const MAX_SENTENCE = 8_192;

/** Whatever ended a command, on stderr: one line, or one per cause. Resolves to the exit status. */
export function reportProblem(io: Io, thrown: unknown): Exit {
  if (thrown instanceof CommandError) {
    complain(io, thrown.remedy ? `${thrown.message}; ${thrown.remedy}` : thrown.message);
    return thrown.exit;
  }
  if (thrown instanceof Failure) {
    if (thrown.causes.length > 0) printCauses(io, thrown.causes);
    else complain(io, `${reasonCode(thrown.reason)}: ${thrown.sentence}`);
    return thrown.reason === 'ClusterUnavailable' || thrown.reason === 'KustomizeNotFound' ? exit.couldNotAsk : exit.no;
  }
  complain(io, `INTERNAL: ${messageOf(thrown)}; this is a defect of Lateen: please report it`);
  return exit.no;
}

function complain(io: Io, sentence: string): void {
  io.stderr.write(`${style(io, io.stderr, 'red', 'lateen:')} ${oneLine(sentence, MAX_SENTENCE)}\n`);
}

/** `file:line: CODE: message; remedy`, one line per cause. */
export function printCauses(io: Io, causes: readonly Cause[]): void {
  for (const cause of causes) io.stderr.write(`${causeLine(cause, (code) => style(io, io.stderr, 'red', code))}\n`);
}

/** `file:line: warning: CODE: …`: what does not end the command. */
export function printWarnings(io: Io, causes: readonly Cause[]): void {
  for (const cause of causes) io.stderr.write(`${causeLine(cause, (code) => style(io, io.stderr, 'yellow', `warning: ${code}`))}\n`);
}

function causeLine({ file, line, code, message, remedy }: Cause, colour: (code: string) => string): string {
  const place = file ? `${oneLine(file)}${line ? `:${line}` : ''}: ` : '';
  return `${place}${colour(reasonCode(code))}: ${oneLine(message, MAX_SENTENCE)}${remedy ? `; ${oneLine(remedy)}` : ''}`;
}
