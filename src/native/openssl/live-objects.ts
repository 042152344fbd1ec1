/** Objects of OpenSSL that this thread owns: what a leak test looks at. */
export const live = { contexts: 0, connections: 0, sessions: 0 };
