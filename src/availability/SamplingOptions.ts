/** Columns that may fail before a block no longer passes by its samples, as far as sampling goes on. */
export const mostFailures = 4
