/** A set-up step that cannot go on, with a message for the person at the terminal. */
export class SetupFailure extends Error {}

/** Runs `main`; a SetupFailure becomes one line and exit code 1. */
export async function runMain(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error;
    console.error(`signfleet: ${error.message}`);
    process.exitCode = 1;
  }
}
