// @ts-check

/**
 * Words as one types them into a POSIX shell.
 *
 * @param {string[]} words
 * @returns {string}
 */
export function shellWords(words) {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}
