import { logTail } from './lifeline.ts';

/** Enough for a few lines that carry a stack. */
const TAIL_BYTES = 32_768;
const LINES = 8;

function fieldText([name, value]: [string, unknown]): string {
  return `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`;
}

/** A line of the agent's log (core/log.ts) as people read it: without its stack, which is for us. Others stay as they are. */
function readableLogLine(line: string): string {
  try {
    const { time, level, message, stack: _stack, ...fields } = JSON.parse(line) as Record<string, unknown>;
    return [time, level, message, ...Object.entries(fields).map(fieldText)].join(' ');
  } catch {
    return line;
  }
}

/** The last lines of an agent's log, for a message. */
export async function agentLogTail(logFile: string): Promise<string> {
  const tail = await logTail(logFile, TAIL_BYTES);
  const lines = tail.split('\n').slice(-LINES).map(readableLogLine);
  return lines.map((line) => `  ${line}`).join('\n');
}
