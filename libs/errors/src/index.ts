export { CodedError, type CodedErrorOptions } from './coded-error.ts';
export { ResourceStack, type Release } from './resource-stack.ts';
