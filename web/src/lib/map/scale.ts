/** The scale of a map: a round length and how wide it is drawn. */

const EARTH = 2 * Math.PI * 6_378_137;

/** Metres that a pixel shows in Web Mercator, where the world is `world` pixels wide. */
export function metresPerPixel(latitude: number, world: number): number {
  return (EARTH * Math.cos((latitude * Math.PI) / 180)) / world;
}

/** A round length of at most `most` pixels. `unit` is one of Intl's. */
export function scaleBar(
  perPixel: number,
  most: number,
  miles: boolean,
): { value: number; unit: "foot" | "mile" | "meter" | "kilometer"; pixels: number } {
  const metres = perPixel * most;
  const [unit, size] = (
    miles
      ? metres >= 1609.344 / 2
        ? ["mile", 1609.344]
        : ["foot", 0.3048]
      : metres >= 1000
        ? ["kilometer", 1000]
        : ["meter", 1]
  ) as ["foot" | "mile" | "meter" | "kilometer", number];
  const length = metres / size;
  const power = 10 ** Math.floor(Math.log10(length));
  const value = ([5, 2, 1].find((step) => step * power <= length) ?? 1) * power;
  return { value, unit, pixels: (value * size) / perPixel };
}

/** Whether the reader counts in miles. */
export function usesMiles(): boolean {
  return /-(US|GB|LR|MM)$/.test(navigator.language);
}
