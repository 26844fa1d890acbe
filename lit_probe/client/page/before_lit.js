// @ts-check
/**
 * What has to be there before LIT's bundle runs. LIT's introduction draws itself unseen, and asks for pictures of half a megabyte each:
 * here it is drawn once somebody opens it.
 *
 * No module: those run after the bundle.
 */
{
  const {define} = customElements;
  customElements.define = function (tag, element, options) {
    const {prototype} = /** @type {any} */ (element);
    const {render} = prototype;
    if (tag === 'lit-documentation' && typeof render === 'function') {
      customElements.define = define;
      prototype.render = function () {
        return this.isOpen ? render.call(this) : undefined;
      };
    }
    define.call(this, tag, element, options);
  };
}
