// One connection for all tabs of a browser: whoever holds the lock has it and passes on what it hears.
const NAME = "lian-live";
const LOST_AFTER = 6000, LONGEST_PAUSE = 60000;
const REMEMBERED = 60;

const shares = Boolean(navigator.locks && window.BroadcastChannel);
const since = Number(document.body.dataset.now);
const heard = [];
let latest = since, receive = () => {};
let pause = LOST_AFTER;
let channel, source, letGo, waiting, trouble;

export function join(hear) {
  receive = hear;
  if (!shares) {
    if (!document.hidden) connect();
    return;
  }
  channel = new BroadcastChannel(NAME);
  channel.onmessage = ({ data }) => ("ask" in data ? repeat(data.ask) : pass(data));
  channel.postMessage({ ask: since });
  waiting = new AbortController();
  navigator.locks.request(NAME, { signal: waiting.signal }, () => new Promise((resolve) => {
    letGo = resolve;
    connect();
  })).catch(() => {}); // left before its turn came
}

export function part() {
  source?.close();
  waiting?.abort();
  letGo?.();
  channel?.close();
  source = letGo = channel = undefined;
}

function connect() {
  source?.close();
  source = new EventSource(`/desk/live?since=${latest}`);
  source.addEventListener("news", ({ data }) => tell(JSON.parse(data)));
  source.addEventListener("beat", ({ data }) => tell(JSON.parse(data)));
  source.addEventListener("open", () => (pause = LOST_AFTER));
  source.addEventListener("error", () => {
    trouble ??= setTimeout(() => tell({ lost: true }), LOST_AFTER);
    if (source?.readyState !== EventSource.CLOSED) return; // it tries again by itself
    setTimeout(() => source && connect(), pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  });
}

function tell(news) {
  if (!news.lost) {
    clearTimeout(trouble);
    trouble = undefined;
  }
  if (news.cases || news.everything) heard.push(news);
  while (heard.length && heard[0].at < news.at - REMEMBERED) heard.shift();
  channel?.postMessage(news);
  pass(news);
}

function pass(news) {
  latest = Math.max(latest, news.at ?? 0);
  receive(news);
}

// A tab that was just made asks what it missed since its page was; only whoever has the connection answers.
function repeat(from) {
  if (source) for (const news of heard) if (news.at >= from - 2) channel.postMessage(news);
}

// Where tabs cannot share, only those that are looked at have a connection.
export const listensUnseen = shares;
