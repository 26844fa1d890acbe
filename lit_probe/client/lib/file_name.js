// @ts-check

/**
 * A file's name that every system takes as it is: names of models and classes may hold slashes, colons and more.
 *
 * @param {string} name
 * @returns {string}
 */
export function fileName(name) {
  return name.replace(/[^A-Za-z0-9._-]+/g, '_').replace(/^\.+/, '');
}
