// Made by scripts/compile-checks.ts from the schemas of the orders: what runs on a device has no schema compiler.
import type { ValidateFunction } from 'ajv';

export const downloadBody: ValidateFunction;
export const updateBody: ValidateFunction;
export const cancelBody: ValidateFunction;
export const rollbackBody: ValidateFunction;
