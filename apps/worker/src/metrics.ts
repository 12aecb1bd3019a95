import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { SigningStage } from './stage-clock.ts';

/** Milliseconds to minutes: one signature takes ~10 ms, an S3 outage may take long. */
const STAGE_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];

/** What the worker counts, in the words of Prometheus (base units: seconds, bytes). */
export interface Metrics {
  readonly registry: Registry;
  /** A signing reached `outcome`: completed, failed, released, dropped. */
  signing(outcome: 'completed' | 'failed' | 'released' | 'dropped', code: string): void;
  stage(stage: SigningStage, milliseconds: number): void;
  enrolment(outcome: 'completed' | 'failed' | 'released', code: string): void;
  delivery(outcome: 'delivered' | 'retried' | 'gave_up' | 'dropped'): void;
  reconciled(what: string, rows: number): void;
  /** Jobs in the queue of that kind: waiting, active, delayed. */
  queued(kind: string, counts: Readonly<Record<string, number>>): void;
  dependency(name: string, up: boolean): void;
  inFlight(kind: string, change: 1 | -1): void;
  /** `locked`: the HSM itself refuses to unwrap a key in an extractable form; see docs/security-model.md. */
  securityLevel(level: string): void;
}

/** A registry of its own per worker, so that two workers in one test process do not collide. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name: `signfleet_${name}`, help, labelNames, registers });
  const gauge = (name: string, help: string, labelNames: string[]) =>
    new Gauge({ name: `signfleet_${name}`, help, labelNames, registers });

  const signings = counter('signings_total', 'Signings by outcome and code', ['outcome', 'code']);
  const stages = new Histogram({
    name: 'signfleet_signing_stage_seconds',
    help: 'Time of one document by stage',
    labelNames: ['stage'],
    buckets: STAGE_BUCKETS,
    registers,
  });
  const enrolments = counter('enrolments_total', 'Key enrolments', ['outcome', 'code']);
  const deliveries = counter('webhook_deliveries_total', 'Webhook delivery attempts', ['outcome']);
  const reconciled = counter('reconciled_total', 'Rows picked up by the reconciler', ['what']);
  const dependencies = gauge('dependency_up', '1 if the dependency answers', ['dependency']);
  const queued = gauge('queue_jobs', 'Jobs in the queue', ['kind', 'state']);
  const inFlight = gauge('jobs_in_flight', 'Jobs this worker has in hand', ['kind']);
  const securityLevel = gauge('hsm_security_level', '1 for the level reached', ['level']);

  return {
    registry,
    signing: (outcome, code) => signings.inc({ outcome, code }),
    stage: (stage, milliseconds) => stages.observe({ stage }, milliseconds / 1_000),
    enrolment: (outcome, code) => enrolments.inc({ outcome, code }),
    delivery: (outcome) => deliveries.inc({ outcome }),
    reconciled: (what, rows) => reconciled.inc({ what }, rows),
    queued: (kind, counts) => {
      for (const [state, jobs] of Object.entries(counts)) queued.set({ kind, state }, jobs);
    },
    dependency: (name, up) => dependencies.set({ dependency: name }, up ? 1 : 0),
    inFlight: (kind, change) => inFlight.inc({ kind }, change),
    securityLevel: (level) => {
      securityLevel.reset();
      securityLevel.set({ level }, 1);
    },
  };
}
