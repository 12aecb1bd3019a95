import { describeHsmConformance } from './conformance.ts';
import { initializedHsm } from './soft-hsm.ts';

describeHsmConformance('SoftHSM2', initializedHsm);
