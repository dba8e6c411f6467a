// What answers the page: the server that it came from, or Python in a worker of this browser.

const LATE = 60; // seconds after which a call in the browser is stopped

function failure(text) {
  return { status: "error", text, data: { type: "Error", line: 0, column: 0 } };
}

function server() {
  let control = new AbortController();
  async function ask(tool, given) {
    try {
      const response = await fetch(`api/${tool}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(given),
        signal: control.signal,
      });
      return await response.json();
    } catch (error) {
      return failure(error.name === "AbortError" ? "stopped" : "the server does not answer: is `matcalc serve` still running?");
    }
  }
  function stop() {
    control.abort();
    control = new AbortController();
  }
  return { ask, stop, starting: () => null };
}

function browser() {
  let worker = null;
  let ready = false;
  let calls = new Map();
  let number = 0;

  function begin() {
    ready = false;
    worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => {
      ready = true;
      calls.get(data.number)?.(data.answer);
      calls.delete(data.number);
    };
    worker.onerror = (event) => end(`Python could not be started: ${event.message ?? "the worker failed"}`);
  }

  function end(message) {
    worker?.terminate();
    worker = null;
    for (const answer of calls.values()) answer(failure(message));
    calls = new Map();
  }

  function ask(tool, given) {
    if (worker === null) begin();
    const mine = (number += 1);
    return new Promise((resolve) => {
      const timer = ready ? setTimeout(() => end(`this took more than ${LATE} seconds and was stopped`), LATE * 1000) : 0;
      calls.set(mine, (answer) => { clearTimeout(timer); resolve(answer); });
      worker.postMessage({ number: mine, tool, given: JSON.stringify(given) });
    });
  }
  return { ask, stop: () => end("stopped"), starting: () => (ready ? null : "Loading Python …") };
}

export function backend(kind) {
  return kind === "browser" ? browser() : server();
}
