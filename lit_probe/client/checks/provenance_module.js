// @ts-check
/** The panel "Provenance": what the numbers of a model's probes were computed from, and the command that computes them again. */
/** @import {Provenance} from '../page/types.js' */
import {definePanel, html} from '../page/lit_host.js';
import {checkPanel} from '../panels/check_panel.js';
import {provenanceCard} from '../panels/provenance_card.js';

const GUIDE = html`
  <p><b>The question.</b> Could someone else get these very numbers? The card holds everything that decides them: the encoder by the
    sha256 of its weights, configuration and tokenizer; how texts were read and pooled; the data by the sha256 of each split; seeds and
    library versions.</p>
  <p><b>The command</b> computes them again. Given the saved card, <code>lit-probe layers --from=…</code> also checks that model and data
    are the same ones, to the byte, and says what differs if they are not.</p>
  <p>“Texts truncated” is the share of texts that are longer than the encoder’s limit, of which a part was not read.</p>`;

definePanel('provenance-module', (LitPanel) => class ProvenanceModule extends checkPanel(LitPanel) {
  static title = 'Provenance';
  static infoMarkdown = `**Where do these numbers come from?** Model, data, settings, seeds and versions behind them, and the command that computes
them again.`;
  static interpreter = 'provenance';
  static guide = GUIDE;

  question() {
    return {interpreter: 'provenance', config: {}};
  }

  /** @param {Provenance} answer */
  renderAnswer(answer) {
    return provenanceCard(answer.card, this.seen.model, answer.near_duplicates?.notes);
  }
});
