import { createHash } from 'node:crypto';
import * as v from 'valibot';

/** What a file holds as JSON under a checksum, so that one that was cut short is known as such. */
export interface Sealed<T> {
  /** One line, `{"version":…,"sha256":…,"NAME":…}`, with its end. */
  text(value: T): string;
  /** Null for what is not whole, not of this version, or not what `body` asks for. */
  read(text: string): T | null;
}

/** Values of `body` under this name and version. */
export function sealed<T>(
  name: string,
  version: number,
  body: v.GenericSchema<unknown, T>,
): Sealed<T> {
  const file = v.strictObject({
    version: v.literal(version),
    sha256: v.string(),
    [name]: v.string(),
  });
  return {
    text(value) {
      const inner = JSON.stringify(value);
      return `${JSON.stringify({ version, sha256: checksum(inner), [name]: inner })}\n`;
    },
    read(text) {
      const outer = v.safeParse(file, fromJson(text));
      const inner = outer.success ? outer.output[name] : null;
      if (typeof inner !== 'string' || !outer.success) return null;
      if (outer.output.sha256 !== checksum(inner)) return null;
      const found = v.safeParse(body, fromJson(inner));
      return found.success ? found.output : null;
    },
  };
}

const checksum = (text: string): string => createHash('sha256').update(text).digest('hex');

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
