/** How much each version is turned down so that all that are compared are equally loud. */
export interface Loud {
  id: string;
  group: string;
  stem: string | null;
  loudness_lufs: number | null;
}

const SILENCE_LUFS = -60; // what is softer is remains: nothing is matched to it

/** Gains in dB, 0 or less: each is brought down to the softest of those it is compared with – whole mixes with
 * whole mixes, a stem with what was made of it –, so that nothing can clip. */
export function matchingGains(versions: readonly Loud[]): Map<string, number> {
  const softest = new Map<string, number>();
  const family = (version: Loud) => version.stem ?? "";
  const heard = versions.filter((version) => (version.loudness_lufs ?? -Infinity) > SILENCE_LUFS);
  for (const version of heard) {
    const level = version.loudness_lufs as number;
    softest.set(family(version), Math.min(softest.get(family(version)) ?? level, level));
  }
  return new Map(
    versions.map((version) => {
      const level = heard.includes(version) ? version.loudness_lufs : null;
      return [version.id, level === null ? 0 : (softest.get(family(version)) as number) - level];
    }),
  );
}

/** Factors of two sounds alike in their music and not in their waves, so that together they are as loud as each.
 * share: of the second, 0 to 1. */
export function equalPower(share: number): [number, number] {
  return [Math.sqrt(1 - share), Math.sqrt(share)];
}

export function factor(gain_db: number): number {
  return 10 ** (gain_db / 20);
}
