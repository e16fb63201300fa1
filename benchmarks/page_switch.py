"""How long a page of the studio takes to stand after a click, timed inside the browser.

Two times are told, both from the click as the browser got it to the frame that shows the change:

- *first screen*: the last change within what the window shows without scrolling. Headings, text, widgets,
  drawn charts, loaded pictures and the map's first frame count, so does what pushes them about or is stale.
- *whole page*: the last change anywhere on the page, before nothing changes for `QUIET` milliseconds.

Thumbnails the map fetches after its first frame are in neither: `first paint` never meant them.
"""

from __future__ import annotations

from typing import Any

QUIET = 600

WATCH = """() => {
  if (globalThis.__switch) return;
  const seen = globalThis.__switch = { clicked: 0, changes: [], last: 0, unpainted: 0 };
  const inside = new WeakSet();
  const painted = (nodes) => {
    seen.unpainted++;
    requestAnimationFrame(() => {
      const channel = new MessageChannel(); // a message sent before a frame arrives after it
      channel.port1.onmessage = () => {
        seen.unpainted--;
        seen.last = performance.now();
        seen.changes.push([seen.last, nodes]);
      };
      channel.port2.postMessage(0);
    });
  };
  const changed = (records) => {
    const nodes = [];
    for (const one of records) {
      if (one.attributeName === 'data-frames' && one.target.dataset.frames !== '1') continue;
      if (one.type !== 'childList') nodes.push(one.target);
      else nodes.push(...one.addedNodes, ...(one.removedNodes.length ? [one.nextSibling] : []));
    }
    if (nodes.length) painted(nodes.filter(Boolean));
    for (const host of document.querySelectorAll('[data-testid=stBidiComponentIsolated]')) {
      if (host.shadowRoot && !inside.has(host.shadowRoot)) {
        watch(host.shadowRoot);
        painted([host]);
      }
    }
  };
  const observer = new MutationObserver(changed);
  const watch = (root) => {
    inside.add(root);
    observer.observe(root, {
      childList: true, subtree: true, characterData: true, attributeFilter: ['data-stale', 'data-frames'],
    });
    root.addEventListener('load', (event) => painted([event.target]), true);
  };
  watch(document.body);
  document.addEventListener('click', (event) => {
    Object.assign(seen, { clicked: event.timeStamp, changes: [], last: event.timeStamp });
  }, true);
}"""
STANDS = """([title, last, mapped, quiet]) => {
  const seen = globalThis.__switch;
  if (!seen.clicked || seen.unpainted || performance.now() - seen.last < quiet) return false;
  const main = document.querySelector('.stMain');
  if (!main?.textContent.toLowerCase().includes(last)) return false;
  if (main.querySelector('[data-stale=true]')) return false;
  const current = document.querySelector('[data-testid=stTopNavLink][aria-current=page]');
  if (!current?.textContent.includes(title)) return false;
  const kept = globalThis.__studioLatentMaps?.get('explore')?.instance;
  if (mapped && !(kept?.n && kept.panel.frame.isConnected && kept.panel.frame.dataset.frames)) return false;
  const place = (node) => (node instanceof Element ? node : node.parentElement ?? node.getRootNode().host);
  const ours = (element) => {
    for (let at = element; at; at = at.getRootNode().host)
      if (at.closest('.stMain, [data-testid=stSidebar]')) return true;
    return false;
  };
  let [first, whole] = [0, 0];
  for (const [time, nodes] of seen.changes) {
    for (const node of nodes) {
      const element = node.isConnected ? place(node) : null;
      if (!element || !ours(element)) continue;
      whole = Math.max(whole, time);
      const box = element.getBoundingClientRect();
      if (box.width && box.height && box.top < innerHeight && box.bottom > 0) first = Math.max(first, time);
    }
  }
  return [(first - seen.clicked) / 1000, (whole - seen.clicked) / 1000];
}"""


def switched(page: Any, title: str, last: str, *, mapped: bool) -> tuple[float, float]:
    """Click a page's link; return the seconds until its first screen stands, and until the whole page does.

    Parameters
    ----------
    page : playwright page
    title : str
        What the link says.
    last : str
        Words of the page's last block, in lower case.
    mapped : bool
        Whether the page shows the map.
    """
    page.evaluate(WATCH)
    page.evaluate("globalThis.__switch.clicked = 0")
    page.get_by_role("link", name=title, exact=True).first.click()
    wanted = [title, last, mapped, QUIET]
    first, whole = page.wait_for_function(STANDS, arg=wanted, timeout=60_000, polling=200).json_value()
    return first, whole
