// @ts-check
import {fileName} from './file_name.js';

/** Milliseconds after which a file's content is let go: some browsers begin to read it after the click only. */
const KEPT = 10_000;

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
  link.download = fileName(filename);
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT);
}
