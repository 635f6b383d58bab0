// Made by scripts/compile-checks.ts from the schemas of the answers: what runs on a device has no schema compiler.
import type { ValidateFunction } from 'ajv';

export const status: ValidateFunction;
export const versions: ValidateFunction;
export const history: ValidateFunction;
export const transition: ValidateFunction;
export const progress: ValidateFunction;
