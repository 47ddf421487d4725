import type { Plugin } from "vite";
/** Folder of the files that are made. */
export const FOLDER: string;
/** Writes the files unless they are newer than what they are made from; says whether it wrote. */
export function makeMapData(options?: { force?: boolean }): boolean;
/** For Vite and Vitest: the data is there before anything imports it. */
export function mapData(): Plugin;
