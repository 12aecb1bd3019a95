/** Apart from the commands, so that only those that talk to an HSM load PKCS#11. */
export { readTokenStatus } from '@signfleet/hsm';
