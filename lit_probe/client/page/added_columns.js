// @ts-check

/** The columns that lit_probe adds to a data set's own. */
export const ADDED_COLUMNS = ['truncated', 'in_train'];
