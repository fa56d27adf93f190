import { drains } from './drains.ts';
import { forces } from './forces.ts';
import { noGift } from './no-gift.ts';
import { notAsked } from './not-asked.ts';
import { noTheft } from './no-theft.ts';
import { history } from './history.ts';
import { nothingLeft } from './nothing-left.ts';
import { oneMaster } from './one-master.ts';
import { sameIntents } from './same-intents.ts';
import { served } from './served.ts';
import { settled } from './settled.ts';
import { someMaster } from './some-master.ts';
import { steady } from './steady.ts';
import type { Check } from './truth.ts';

export type { Check } from './truth.ts';

/** Every invariant, new for one world. */
export const checks = (): Check[] => [
  oneMaster(),
  someMaster(),
  noGift(),
  notAsked(),
  nothingLeft(),
  sameIntents(),
  drains(),
  settled(),
  steady(),
  served(),
  noTheft(),
  forces(),
  history(),
];
