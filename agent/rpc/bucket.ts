/** So many a second, after a burst. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** What is left to somebody of a rate, as of `atMs`. */
export interface Bucket {
  tokens: number;
  atMs: number;
}

export const fullBucket = ({ burst }: Rate, nowMs: number): Bucket => ({
  tokens: burst,
  atMs: nowMs,
});

/** The same bucket with what time has given back. */
export function refilled<B extends Bucket>(
  bucket: B,
  { perSecond, burst }: Rate,
  nowMs: number,
): B {
  bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) * perSecond) / 1000);
  bucket.atMs = nowMs;
  return bucket;
}
