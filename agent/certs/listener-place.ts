/** Where a listener is reached from this host. */
export interface ListenerPlace {
  readonly host: string;
  readonly port: number;
  readonly unix: string | null;
  readonly proxy: 'no' | 'yes' | 'maybe';
}
