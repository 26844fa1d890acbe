// @ts-check
import {html, nothing} from '../page/lit_host.js';
import {download, fileName} from '../words/files.js';
import {provenanceRows} from './provenance_rows.js';

/**
 * The card that reproduces numbers: what was loaded and how everything was set, and the command that does the same again.
 *
 * @param {any} card  as `lit_probe.provenance.card` writes it
 * @param {string} model  LIT's name, for the file
 * @param {string[]} [duplicates]  what is known about copies of texts across splits
 * @param {{command: ?string[], statement: string}} [number]  of a card opened from a number: the command that computes it, and what has to be said
 */
export function provenanceCard(card, model, duplicates = [], number = undefined) {
  const name = fileName(`card_${model}.json`);
  const save = () => download(name, 'application/json', JSON.stringify(card, null, 2) + '\n');
  const command = number ? number.command : card.flags && ['lit-probe', 'layers', ...card.flags];
  const groups = provenanceRows(card);
  return html`<div class="provenance">
    ${number ? [renderFacts(groups[0]), renderCommand(command, number.statement)] : nothing}
    ${groups.slice(number ? 1 : 0).map(renderFacts)}
    ${number ? nothing : renderCommand(command, '')}
    <div class="notes">${[...(card.notes ?? []), ...duplicates].map((/** @type {string} */ note) => html`<div>${note}</div>`)}
      <div>Saved as a file, the card does so too, and checks first that model and data are the same ones:
        <code>lit-probe layers --from=${name}</code></div></div>
    <div class="caption"><button class="hairline-button save-card" title="Download the card as a JSON file" @click=${save}>Save the card</button></div>
  </div>`;
}

/** @param {ReturnType<typeof provenanceRows>[number]} group */
function renderFacts({title, facts}) {
  return html`<table class="facts"><caption>${title}</caption>
    <tbody>${facts.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`)}</tbody></table>`;
}

/** @param {?string[]} command @param {string} statement */
function renderCommand(command, statement) {
  return [
    command ? html`<div class="caption">On the command line:</div><div class="command">${shellWords(command)}</div>` : nothing,
    statement ? html`<div class="remark statement">${statement}</div>` : nothing,
  ];
}

/**
 * Words as one types them into a POSIX shell.
 *
 * @param {string[]} words
 * @returns {string}
 */
export function shellWords(words) {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}
