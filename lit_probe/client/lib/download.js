// @ts-check

/**
 * Hands a text to the user as a file.
 *
 * @param {string} filename
 * @param {string} mimeType
 * @param {string} text
 */
export function download(filename, mimeType, text) {
  const url = URL.createObjectURL(new Blob([text], {type: `${mimeType};charset=utf-8`}));
  const link = document.createElement('a');
  link.href = url;
  link.download = filename;
  link.click();
  URL.revokeObjectURL(url);
}
