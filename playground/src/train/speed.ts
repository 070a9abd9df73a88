/** The first steps say little: browsers compile while these run. */
const NOT_COUNTED = 2;
/** Fewer jump from one to the next. */
const LEAST = 3;
const MOST = 20;

/**
 * Tokens a second over the latest steps; undefined while there are too few that say something.
 *
 * @param speeds of each step so far, all with the same number of tokens
 */
export function recentSpeed(speeds: readonly number[]): number | undefined {
  const counted = speeds.slice(Math.max(NOT_COUNTED, speeds.length - MOST));
  if (counted.length < LEAST) return undefined;
  return counted.length / counted.reduce((time, speed) => time + 1 / speed, 0);
}
