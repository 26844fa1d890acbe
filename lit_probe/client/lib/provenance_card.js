// @ts-check
import {download} from './download.js';
import {fileName} from './file_name.js';
import {html, nothing} from './lit_host.js';
import {provenanceRows} from './provenance_rows.js';
import {shellWords} from './shell_words.js';

/**
 * The card that reproduces numbers: what was loaded and how everything was set, and the command that does the same again.
 *
 * @param {any} card  as `lit_probe.provenance.card` writes it
 * @param {string} model  LIT's name, for the file
 * @param {string[]} [duplicates]  what is known about copies of texts across splits
 */
export function provenanceCard(card, model, duplicates = []) {
  const name = fileName(`card_${model}.json`);
  const save = () => download(name, 'application/json', JSON.stringify(card, null, 2) + '\n');
  return html`<div class="provenance">
    ${provenanceRows(card).map(({title, facts}) => html`<table class="facts"><caption>${title}</caption>
      <tbody>${facts.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`)}</tbody></table>`)}
    ${card.flags ? html`<div class="caption">This computes the same numbers again:</div>
      <div class="command">${shellWords(['lit-probe', 'layers', ...card.flags])}</div>` : nothing}
    <div class="notes">${[...(card.notes ?? []), ...duplicates].map((/** @type {string} */ note) => html`<div>${note}</div>`)}
      <div>Saved as a file, the card does so too, and checks first that model and data are the same ones:
        <code>lit-probe layers --from=${name}</code></div></div>
    <div class="caption"><button class="hairline-button save-card" title="Download the card as a JSON file" @click=${save}>Save the card</button></div>
  </div>`;
}
