// Made by scripts/compile-checks.ts from the schemas beside these: what runs on a device has no schema compiler.
import type { ValidateFunction } from 'ajv';

export const configuration: ValidateFunction;
export const story: ValidateFunction;
/** All that is wrong with a manifest. */
export const manifest: ValidateFunction;
/** Only the first thing that is wrong with it. */
export const longManifest: ValidateFunction;
export const savedState: ValidateFunction;
export const persistedSnapshot: ValidateFunction;
export const context: ValidateFunction;
export const actorInput: ValidateFunction;
export const release: ValidateFunction;
export const stagedRelease: ValidateFunction;
export const addedPaths: ValidateFunction;
export const journalMark: ValidateFunction;
export const journalBody: ValidateFunction;
