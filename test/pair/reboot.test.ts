import { rebootTests } from './reboots.ts';

rebootTests(false);
