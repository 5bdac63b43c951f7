'use strict';
// Lets the two clocks of the X-ray run down. They are drawn by the server, and
// stand still without this; the server's own clock is what counts.

const opened = performance.now();

function parts(seconds) {
  const units = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];
  const first = units.findIndex(([size]) => seconds >= size);
  if (first < 0) return '0 s';
  return units.slice(first, first + 2).map(([size, name]) => {
    const n = Math.floor(seconds / size);
    seconds %= size;
    return n && `${n} ${name}`;
  }).filter(Boolean).join(' ');
}

function tick() {
  const gone = (performance.now() - opened) / 1000;
  for (const text of document.querySelectorAll('#xray[open] .clock-text')) {
    const whole = Number(text.dataset.whole);
    const left = Math.max(0, Math.floor(text.dataset.left - gone));
    text.textContent = `${parts(left)} left of ${parts(whole)}`;
    text.parentElement.querySelector('.clock-left').setAttribute('width', Math.min(100, 100 * left / whole));
  }
}

setInterval(tick, 1000);
