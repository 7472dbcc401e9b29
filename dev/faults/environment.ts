/** A whole number of the environment. Throws where the variable holds something else. */
export function numberOf(variable: string, otherwise: number): number {
  const text = process.env[variable];
  if (text === undefined || text === '') return otherwise;
  if (!/^\d+$/.test(text)) throw new Error(`${variable}=${text}: expected a whole number`);
  return Number(text);
}
