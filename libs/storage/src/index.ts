export { StorageError, type StorageErrorCode } from './error.ts';
export type {
  ObjectContent,
  ObjectHead,
  ObjectLocation,
  ObjectStore,
  PresignOptions,
  StoredObject,
  WrittenObject,
} from './object-store.ts';
export { s3ObjectStore, type S3StoreConfig } from './s3-object-store.ts';
