/** Resolves once everything that waits has had its turn: between the pieces of long work. */
export const othersTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
