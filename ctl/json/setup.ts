type What = 'new' | 'changed';

/** The `result` of `setup --example`. */
export interface ExampleJson {
  readonly example: string;
}

/** The answer file to edit. */
export const exampleResult = (example: string): ExampleJson => ({ example });

/** The `result` of `setup --out`, and of answers that were only checked. */
export interface SetupJson {
  readonly files: readonly { readonly path: string; readonly what: What }[];
}

/** Files that were written, below the directory. */
export const setupResult = (files: SetupJson['files']): SetupJson => ({
  files: files.map(({ path, what }) => ({ path, what })),
});

/** The `result` of `setup --write`. */
export interface HostJson {
  readonly host: string;
  readonly files: readonly {
    readonly path: string;
    readonly what: What;
    readonly backup: string | null;
  }[];
  readonly commands: readonly string[];
}

/** Files of a host that were put in place, or would be, and what is to be run then. */
export const hostResult = (
  host: string,
  files: HostJson['files'],
  commands: readonly string[],
): HostJson => ({
  host,
  files: files.map(({ path, what, backup }) => ({ path, what, backup })),
  commands,
});
