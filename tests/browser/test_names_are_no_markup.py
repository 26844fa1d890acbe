"""Names, labels and values stand on LIT's page as they are, where LIT would make links and markup of them."""

from __future__ import annotations

from lit_page import LitPage

from lit_probe.lit.host.messages import as_markdown

TEXTS = [
    "[see](https://evil.example)",
    "![](https://evil.example/x.png)",
    "https://evil.example",
    "HTTPS://evil.example",
    "ftp://evil.example",
    "www.evil.example",
    "WWW.evil.example",
    "me@evil.example",
    "<https://evil.example>",
    "<b>bold</b>",
    "**bold** and _slanted_ and __both__ and ~~gone~~ and `code`",
    "# heading",
    "1. first",
    "12) twelfth",
    "- point",
    "+ point",
    "* point",
    "> quoted",
    "    code",
    "| a | b |\n| --- | --- |\n| c | d |",
    "title\n===",
    "title\n---",
    "---",
    "```\ncode\n```",
    "[x]: https://evil.example",
    "a\\*b",
    "&amp; &lt;b&gt;",
]
# What LIT's own reader of markdown makes of descriptions, and what our page lets it make of tooltips.
SHOWN = """async ([tag, property, place, texts]) => {
  const shown = [];
  for (const text of texts) {
    const element = document.createElement(tag);
    element[property] = text;
    document.body.append(element);
    await element.updateComplete;
    const found = element.shadowRoot.querySelector(place);
    const tags = [...found.querySelectorAll('*')].map((one) => one.localName).filter((name) => name !== 'p');
    shown.push([tags, found.textContent.trim()]);
    element.remove();
  }
  return shown;
}"""


def test_no_name_becomes_a_link_or_markup(lit: LitPage) -> None:
    lit.open(dataset="demo").wait_for_curve()
    plain = [[[], " ".join(text.split())] for text in TEXTS]
    controls = ["lit-interpreter-controls", "description", ".description", [as_markdown(text) for text in TEXTS]]
    assert lit.page.evaluate(SHOWN, controls) == plain
    assert lit.page.evaluate(SHOWN, ["lit-tooltip", "content", ".tooltip-text", TEXTS]) == plain
    # That they would become so is what makes this a test: LIT's own words do.
    [[tags, _]] = lit.page.evaluate(SHOWN, [*controls[:3], ["[see](https://evil.example)"]])
    assert tags == ["a"]


def test_what_is_said_about_a_panel_keeps_its_markup(lit: LitPage) -> None:
    lit.open(dataset="demo").wait_for_curve()
    bold = lit.page.evaluate(
        """() => {
          const found = [];
          const walk = (root) => {
            for (const element of root.querySelectorAll('*')) {
              if (element.localName === 'lit-widget-group') {
                const tips = [...element.shadowRoot.querySelectorAll('lit-tooltip')];
                found.push(...tips.map((one) => one.shadowRoot.querySelectorAll('strong').length));
              }
              if (element.shadowRoot) walk(element.shadowRoot);
            }
          };
          walk(document);
          return Math.max(...found);
        }"""
    )
    assert bold >= 1
