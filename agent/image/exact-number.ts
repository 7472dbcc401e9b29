/**
 * A number as Go's ParseFloat spells it (spec/image-automation.md §3.1), kept exactly: time stamps and build numbers
 * beyond 2^53 would be equal as doubles. The value is sign × 0.digits × 10^exponent.
 */
export interface ExactNumber {
  sign: -1 | 0 | 1;
  /** Without zeros at either end; '' for zero. */
  digits: string;
  /** Infinity where it is infinite. */
  exponent: number;
}

const DIGITS = '\\d(?:_?\\d)*';
const HEX_DIGITS = '[0-9a-fA-F](?:_?[0-9a-fA-F])*';
const DECIMAL = new RegExp(`^([+-]?)(?:(${DIGITS})\\.?(${DIGITS})?|\\.(${DIGITS}))(?:[eE]([+-]?${DIGITS}))?$`);
const HEX = new RegExp(`^([+-]?)0[xX]_?(?:(${HEX_DIGITS})\\.?(${HEX_DIGITS})?|\\.(${HEX_DIGITS}))[pP]([+-]?${DIGITS})$`);
const WHOLE = /^[1-9]\d{0,299}$/;
const INFINITE = /^([+-]?)(?:inf|infinity)$/i;
/** What is below 2^-1100 is zero to Go, what is from 2^1024 on an error. */
const MAX_EXPONENT = 1_100;

/** Undefined where the text is no number, is not a number by name (NaN), or is too large for a double, as in Go. */
export function parseExactNumber(text: string): ExactNumber | undefined {
  // What nearly all tags have; a double holds any number of 300 digits.
  if (WHOLE.test(text)) return { sign: 1, digits: withoutZeros(text), exponent: text.length };
  const infinite = INFINITE.exec(text);
  if (infinite) return { sign: signOf(infinite[1]), digits: '1', exponent: Number.POSITIVE_INFINITY };
  const decimal = DECIMAL.exec(text);
  if (decimal) return decimalNumber(text, decimal);
  const hex = HEX.exec(text);
  return hex ? hexNumber(hex) : undefined;
}

/** Without zeros at the end. */
function withoutZeros(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  return digits.slice(0, end);
}

function decimalNumber(text: string, [, sign, whole = '', part, bare, exponent = '0']: RegExpExecArray): ExactNumber | undefined {
  const plain = (digits: string): string => digits.replaceAll('_', '');
  if (!Number.isFinite(Number(plain(text)))) return undefined;
  return normal(signOf(sign), plain(whole), plain(part ?? bare ?? ''), Number(plain(exponent)));
}

function hexNumber([, sign, whole = '', part = '', bare, exponent = '0']: RegExpExecArray): ExactNumber | undefined {
  const plain = (digits: string): string => digits.replaceAll('_', '');
  const fraction = plain(bare ?? part);
  const mantissa = BigInt(`0x${plain(whole)}${fraction}`);
  const power = Number(plain(exponent)) - 4 * fraction.length;
  if (mantissa === 0n || power < -MAX_EXPONENT - mantissa.toString(2).length) return normal(0, '', '', 0);
  if (mantissa.toString(2).length + power > 1024) return undefined;
  if (power >= 0) return normal(signOf(sign), (mantissa << BigInt(power)).toString(), '', 0);
  // m × 2^-n = m × 5^n × 10^-n.
  return normal(signOf(sign), (mantissa * 5n ** BigInt(-power)).toString(), '', power);
}

function signOf(sign: string | undefined): -1 | 1 {
  return sign === '-' ? -1 : 1;
}

/** `whole`.`part` × 10^`power`. */
function normal(sign: -1 | 0 | 1, whole: string, part: string, power: number): ExactNumber {
  const all = whole + part;
  const leading = /^0*/.exec(all)![0].length;
  const digits = withoutZeros(all.slice(leading));
  if (digits === '') return { sign: 0, digits: '', exponent: 0 };
  return { sign, digits, exponent: whole.length - leading + power };
}

/** Negative, zero or positive. */
export function compareExact(a: ExactNumber, b: ExactNumber): number {
  if (a.sign !== b.sign) return a.sign - b.sign;
  return a.sign * compareMagnitude(a, b);
}

function compareMagnitude(a: ExactNumber, b: ExactNumber): number {
  if (a.exponent !== b.exponent) return a.exponent < b.exponent ? -1 : 1;
  if (a.digits === b.digits) return 0;
  return a.digits < b.digits ? -1 : 1;
}
