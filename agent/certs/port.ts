import type { CertificateReport } from '../core/model.ts';
import type { LoadedEntry } from '../haproxy/crt-list-commands.ts';
import type { SwapJournal } from './journal.ts';
import type { ListenerPlace } from './listener-place.ts';

/** HAProxy's certificate verbs, as a swap needs them. Each rejects when HAProxy did not confirm. */
export interface HaproxyCertificates {
  /** As `show version` prints it, e.g. "2.6.12-1+deb12u4". */
  version(): Promise<string>;
  /** Of all that it has loaded, empty ones too. */
  paths(): Promise<readonly string[]>;
  /** What is in HAProxy's memory now. */
  list(): Promise<readonly CertificateReport[]>;
  /** One of `list`, without reading the others; null where it is not loaded. */
  loaded(path: string): Promise<CertificateReport | null>;
  /** `loaded` of several, in few commands; in the order of `paths`. */
  loadedAll(paths: readonly string[]): Promise<readonly (CertificateReport | null)[]>;
  /** Path of the one open transaction, whoever opened it; null: none. */
  openTransaction(): Promise<string | null>;
  /** Opens a transaction on `path`, or overwrites the one that is open on it. */
  stage(path: string, pem: string): Promise<void>;
  /** SHA-1 of the leaf in the open transaction on `path`, lower case hex. */
  staged(path: string): Promise<string>;
  /** Resolves to the path of a transaction that is open afterwards, whoever opened it; null: none. */
  commit(path: string): Promise<string | null>;
  abort(path: string): Promise<void>;
  /** Paths of the crt-lists that it uses, and of directories. */
  crtLists(): Promise<readonly string[]>;
  /** The lines of a crt-list; none where it does not use it. */
  listed(list: string): Promise<readonly LoadedEntry[]>;
  /** A certificate without content, for `stage` and `commit`. */
  create(path: string): Promise<void>;
  /** Deletes a certificate that no listener uses. */
  drop(path: string): Promise<void>;
  /** Adds a line at the end of a crt-list; said twice it is there twice. */
  addToList(list: string, line: string): Promise<void>;
  removeFromList(list: string, entry: LoadedEntry): Promise<void>;
}

/** A file's whole new content. */
export interface NewFile {
  readonly path: string;
  readonly pem: string;
}

/** Certificate files on disk, so that a privileged helper can stand behind it. */
export interface CertificateFiles {
  /** The file's text as it is. */
  read(path: string): Promise<string>;
  /**
   * Everything `install` does but the last step, and so rejects where `install` would. What it
   * wrote stays beside each file, on disk, until `install` or `unstage`.
   */
  stage(files: readonly NewFile[]): Promise<void>;
  /**
   * Puts each in its place in one step, owner and mode kept; on disk when it resolves. One that
   * is not staged any more, or with other content, is written first.
   */
  install(files: readonly NewFile[]): Promise<void>;
  /** Removes what `stage` left beside these paths. Done twice it changes nothing. */
  unstage(paths: readonly string[]): Promise<void>;
  /** Removes the file itself, on disk when it resolves. Done twice it changes nothing. */
  remove(path: string): Promise<void>;
}

/** One listener of this host's HAProxy that serves TLS. */
export interface Listener {
  /** "frontend web (:443)". */
  readonly name: string;
  readonly place: ListenerPlace;
  /** Why it cannot be asked; empty: one may try. */
  readonly barrier: string;
  /** What explains that a handshake fails; empty: nothing that is known. */
  readonly hint: string;
  /** What it shows is not taken for verified: see TlsBind. */
  readonly wantsClient: boolean;
  /** Its crt-lists, as its bind line names them. */
  readonly lists: readonly string[];
  /** What it serves as HAProxy has it loaded; filters empty: under the certificate's own names. */
  readonly holds: readonly { readonly path: string; readonly filters: readonly string[] }[];
}

/**
 * SHA-1 (lower case hex) of what a client gets there for a server name; null: none is sent.
 * `keyType`: a client that takes only such keys, "RSA" or "EC"; empty: any. Rejects where nothing
 * is shown.
 */
type AskListener = (
  place: ListenerPlace,
  servername: string | null,
  keyType: string,
) => Promise<string>;

/** The files of one certificate. Null: HAProxy looks for none. */
export interface Place {
  /** Leaf and chain, and the key too unless it has a file of its own. */
  readonly certificate: string;
  /** Where the key is when the certificate's file holds none. */
  readonly key: string | null;
  readonly ocsp: string | null;
  readonly issuer: string | null;
  readonly sctl: string | null;
}

/** What one node's part of a swap works with. */
export interface NodeSwapParts {
  /** This node's name. */
  readonly node: string;
  readonly haproxy: HaproxyCertificates;
  readonly files: CertificateFiles;
  readonly journal: SwapJournal;
  readonly listeners: () => Promise<readonly Listener[]>;
  readonly ask: AskListener;
  /** Runs the configured reload; resolves once the new process answers, rejects with the cause. */
  readonly reload: () => Promise<void>;
  readonly canReload: boolean;
  /** Unix ms. */
  readonly wallMs: () => number;
  /** Paths on this host by the name they have on every node: [certificates] map. */
  readonly map: Readonly<Record<string, string>>;
  /** Where HAProxy has the certificate it calls `path` from; rejects with ActFailure. */
  readonly placeOf: (path: string) => Promise<Place>;
  /** The same for many: one reading of haproxy.conf is for all of them. */
  readonly placing: () => (path: string) => Promise<Place>;
  /** Its key as HAProxy names it, "RSA2048", "EC256"; empty: not known. */
  readonly algorithm: (path: string) => Promise<string>;
}
