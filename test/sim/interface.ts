/** The one interface of every host that is on the LAN and carries the vhids. */
export const INTERFACE = 'vtnet0';
