export { LocalStackError, type LocalStackErrorCode } from './error.ts';
export { startPostgres, type LocalPostgres, type PostgresOptions } from './postgres.ts';
export { startRedis, type LocalRedis, type RedisOptions } from './redis.ts';
export { createSoftHsm, findSoftHsmModule, type SoftHsm, type TokenOptions } from './soft-hsm.ts';
export { stopLeftover } from './run-record.ts';
export { secretFile } from './secret-file.ts';
export { startService, type ServiceOptions, type ServiceProcess } from './service-process.ts';
export { startS3, startS3Process, type LocalS3, type S3Options } from './s3.ts';
