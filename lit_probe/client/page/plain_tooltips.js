// @ts-check
/**
 * LIT (lit-nlp 1.3.1) reads every tooltip as markdown, and many hold a label, a column or a model's name. Only what is said about a
 * panel, beside its title, was written as markdown; everything else is shown as it is.
 */
import {asMarkdown} from '../words/markdown.js';
import {replace} from './lit_frame.js';

/** Changes LIT's tooltips. Called once, before LIT starts. */
export function showTooltipsAsTheyAre() {
  replace('lit-tooltip', 'render', (render) => /** @this {any} */ function () {
    if (this.getRootNode().host?.localName === 'lit-widget-group') return render.call(this);
    const content = this.content ? asMarkdown(String(this.content)) : this.content;
    return render.call(Object.create(this, {content: {value: content}, renderAriaLabel: {value: () => this.renderAriaLabel()}}));
  });
}
