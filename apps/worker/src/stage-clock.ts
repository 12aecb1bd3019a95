/** The stages of one document, in their order. */
export const signingStages = [
  'load',
  'prepare',
  'hsmWait',
  'hsm',
  'seal',
  'verify',
  'store',
  'complete',
] as const;
export type SigningStage = (typeof signingStages)[number];

/** Milliseconds by stage, rounded to a hundredth; stages not reached are absent. */
export type StageMillis = Partial<Record<SigningStage, number>>;

/** Measures where the time of one document goes. */
export class StageClock {
  readonly #millis: StageMillis = {};

  /** Runs `work` and adds its duration to `stage`, also when it throws. */
  async measure<T>(stage: SigningStage, work: () => Promise<T> | T): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.add(stage, performance.now() - start);
    }
  }

  add(stage: SigningStage, milliseconds: number): void {
    const total = (this.#millis[stage] ?? 0) + milliseconds;
    this.#millis[stage] = Math.round(total * 100) / 100;
  }

  /** The stages reached, in order, with their milliseconds. */
  entries(): [SigningStage, number][] {
    return signingStages.flatMap((stage) => {
      const millis = this.#millis[stage];
      return millis === undefined ? [] : [[stage, millis] as [SigningStage, number]];
    });
  }

  /** A copy of what was measured so far. */
  millis(): StageMillis {
    return { ...this.#millis };
  }
}
