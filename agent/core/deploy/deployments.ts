/** What became of a signed configuration on one host. */
export type DeployAnswer =
  /** `lines`: what the check printed, such as warnings. */
  | { readonly kind: 'done'; readonly lines: readonly string[] }
  /** Root takes none of it, and changed nothing: the signature, the time, the place. */
  | { readonly kind: 'refused'; readonly why: string }
  /** HAProxy's own check says no; nothing was changed. */
  | { readonly kind: 'unsound'; readonly why: string; readonly lines: readonly string[] }
  /** Root could not: no room, for example. `state()` says what is there. */
  | { readonly kind: 'failed'; readonly why: string }
  /** No answer came; it may be done, or be done later. */
  | { readonly kind: 'unknown'; readonly why: string };

/** One configuration that was installed on this host. */
interface DeployedVersion {
  readonly number: number;
  /** The operator who signed it. */
  readonly who: string;
  /** Unix seconds by the clock of who signed, and by this host's when it was installed. */
  readonly madeS: number;
  readonly installedS: number;
  /** Of it, and of what it took the place of. As `DeployState.digest`. */
  readonly digest: string;
  readonly before: string;
  readonly reason: string;
}

/** What root knows of the configurations on this host. */
export interface DeployState {
  /**
   * SHA-256 of what is there now, in hex: of the one file, or of a directory that of a line
   * `HEX *./PATH` for each file in it, sorted by the bytes of their paths.
   */
  readonly digest: string;
  readonly form: 'file' | 'directory';
  /** The last number that was begun here; 0: none. The next one has to be greater. */
  readonly last: number;
  /** Of the last: it can still be taken back, it is there for good, or it was taken back. */
  readonly state: 'none' | 'pending' | 'kept' | 'back';
  /** The newest first; at most ten are kept. */
  readonly versions: readonly DeployedVersion[];
}

/** Signed configurations on this host, done by root where root allows it. Nothing of it reloads HAProxy. */
export interface Deployments {
  /** Why it does nothing; empty: root allows it. */
  readonly refuses: string;
  /** PEM lists of who was revoked: root keeps the newest of each CA. Rejects with an error where it cannot. */
  revocations(lists: string): Promise<void>;
  /** Verifies and checks a message (CMS in DER), and leaves nothing. */
  check(message: Uint8Array): Promise<DeployAnswer>;
  /**
   * The same, and puts it in the place of haproxy.conf, if that still has this digest (null:
   * whatever is there). It uses up its number even where it fails.
   */
  install(message: Uint8Array, digest: string | null): Promise<DeployAnswer>;
  /** What was there before the last one, byte for byte with owner and mode; done twice it is the same. */
  back(number: number): Promise<DeployAnswer>;
  /** The last one is not taken back any more; done twice it is the same. */
  keep(number: number): Promise<DeployAnswer>;
  /** Rejects with an error where root cannot say. */
  state(): Promise<DeployState>;
  /** The message of a version, as it was signed. Rejects with an error where it is not kept. */
  message(number: number): Promise<Uint8Array>;
}
