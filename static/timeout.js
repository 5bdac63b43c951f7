'use strict';
// Before a session ends, this says so and offers to go on (WCAG 2.2, 2.2.1).
// How long the session lasts it asks the server, by GET /session, which is no
// activity: another tab may have made it longer or ended it, and a computer
// that sleeps counts no seconds. Whatever this script does, it is the server
// that ends the session; and every page works without the script.

const note = document.getElementById('timeout');
const [line, stay, again] = note.children;
const words = 'guest' in note.dataset ? {
  soon: when => `Your cart will be emptied ${when}.`,
  final: when => `Your cart will be emptied ${when}, and cannot be kept longer. Sign in now, and it comes along.`,
  ended: 'Your session has ended, and your cart is empty.',
} : {
  soon: when => `Your session ends ${when}.`,
  final: when => `Your session ends ${when}, and cannot be made longer. Please finish what you are doing now; then sign in again.`,
  ended: 'Your session has ended.',
};
note.setAttribute('role', 'alert');

let timer;
function askIn(seconds) {
  clearTimeout(timer);
  timer = setTimeout(ask, 1000 * seconds);
}

// The time to say so is two minutes before the end. A session that can be made
// longer, but never lasts much longer than that, is left alone for half its time.
// No timer runs for more than an hour: the computer may sleep.
function rest(seconds, final) {
  askIn(Math.min(Math.max(seconds - 120, final ? 0 : seconds / 2), 3600));
}

async function ask() { await send('/session', 'GET'); }
async function extend() { await send('/session/extend', 'POST'); }

async function send(path, method) {
  try {
    const answer = await fetch(path, { method, signal: AbortSignal.timeout(15000) });
    if (!answer.ok) throw new Error(answer.statusText);
    show(await answer.json(), method === 'POST');
  } catch {
    askIn(30); // nothing is known, so nothing is said
  }
}

function show({ seconds, final }, extended) {
  if (seconds <= 0) return say(words.ended, again);
  if (seconds > 120 || (extended && !final)) return hide(), rest(seconds, final);
  const when = seconds > 90 ? 'in 2 minutes' : seconds > 45 ? 'in a minute' : 'in less than a minute';
  if (final) say(words.final(when)); else say(words.soon(when), stay);
  askIn(Math.min(20, seconds + 1));
}

let before; // what had the focus: who was writing goes on writing
note.addEventListener('focusin', event => { if (!note.contains(event.relatedTarget)) before = event.relatedTarget; });

function say(text, control) {
  const inside = note.contains(document.activeElement);
  for (const each of [stay, again]) each.hidden = each !== control;
  note.hidden = false;
  if (line.textContent !== text) line.textContent = text; // a screen reader reads it once
  if (inside) (control ?? before)?.focus();
}

function hide() {
  if (note.contains(document.activeElement)) before?.focus();
  note.hidden = true;
}

stay.addEventListener('click', extend);
document.addEventListener('visibilitychange', () => { if (!document.hidden) ask(); });
rest(Number(note.dataset.seconds), 'final' in note.dataset);
