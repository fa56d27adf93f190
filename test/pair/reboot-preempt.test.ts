import { rebootTests } from './reboots.ts';

rebootTests(true);
