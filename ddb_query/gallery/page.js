const figures = [...document.querySelectorAll('figure')];
const box = document.querySelector('input');
const shown = document.querySelector('output');

function filter() {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const figure of figures) {
    const parts = [...figure.querySelectorAll('.prompt, .settings')];
    const text = parts.map(part => part.textContent).join(' ').toLowerCase();
    figure.hidden = !words.every(word => text.includes(word));
    count += !figure.hidden;
  }
  shown.textContent = words.length ? `${count} of ${figures.length} on this page` : '';
}

async function copy(button) {
  const text = button.closest('figcaption').querySelector('.prompt').textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Pages opened from a file may not use the clipboard; a selection can always be copied.
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  button.textContent = 'Copied';
  setTimeout(() => { button.textContent = 'Copy prompt'; }, 1500);
}

box.addEventListener('input', filter);
document.addEventListener('click', event => {
  const button = event.target.closest('button');
  if (button === null) return;
  if (button.className === 'veil') button.closest('figure').classList.remove('veiled');
  else copy(button);
});
filter();
