// A person at a real browser: headless Chromium opens the address, logs in, presses the consent button and follows the
// redirect to the listener. It shares the settings of robot.py (ROBOT_ACTION, ROBOT_LOG, ROBOT_CA) and adds
//
//   ROBOT_SHOTS   a folder for pictures: `consent.png`, the page before the button is pressed, and `done.png`, where it ended
//   ROBOT_KEEP    a folder for the browser's own files, history among them, as they are after its end
//   CHROMIUM      the browser (default /usr/bin/chromium)
//
// No name but the loopback's resolves in it, and it trusts ROBOT_CA through a throw-away store: no check is turned off.
import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const { ROBOT_ACTION: action = 'approve', ROBOT_LOG, ROBOT_CA, ROBOT_SHOTS, CHROMIUM = '/usr/bin/chromium' } = process.env;
const TIMEOUT = 90_000;
const LONGEST_WALK = 10;
const address = process.argv[2];
if (!address) { console.error('usage: chromium.mjs URL'); process.exit(2); }

const log = (step) => { if (ROBOT_LOG) appendFileSync(ROBOT_LOG, `${JSON.stringify({ at: Date.now() / 1000, ...step })}\n`); };
const words = async (page) => (await page.innerText('body')).replace(/\s+/g, ' ').trim().slice(0, 400);
const shoot = (page, name) => ROBOT_SHOTS && page.screenshot({ path: join(ROBOT_SHOTS, `${name}.png`) });

const home = mkdtempSync(join(tmpdir(), 'oauthctl-chromium-'));
if (ROBOT_CA) {
  const store = join(home, '.pki/nssdb');
  mkdirSync(store, { recursive: true });
  execFileSync('certutil', ['-d', `sql:${store}`, '-N', '--empty-password']);
  execFileSync('certutil', ['-d', `sql:${store}`, '-A', '-t', 'C,,', '-n', 'tests', '-i', ROBOT_CA]);
}

let context;
let code = 1;
try {
  context = await chromium.launchPersistentContext(join(home, 'profile'), {
    executablePath: CHROMIUM,
    headless: true,
    timeout: TIMEOUT,
    viewport: { width: 880, height: 620 },
    env: { ...process.env, HOME: home },
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
      '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost , EXCLUDE [::1]'],
  });
  const page = context.pages()[0] ?? await context.newPage();
  page.setDefaultTimeout(TIMEOUT);
  const foreign = []; // what the pages loaded from anywhere but where they stand
  page.on('request', (request) => {
    if (!request.isNavigationRequest() && new URL(request.url()).origin !== new URL(page.url()).origin) foreign.push(request.url());
  });
  await page.goto(address);
  // the address may be the listener's own, which leads on once
  const server = new URL(page.url()).origin;
  const press = async (button) => {
    const text = (await button.innerText()).trim();
    log({ pressed: text, at_page: page.url() });
    await Promise.all([page.waitForNavigation(), button.click()]);
  };
  for (let step = 0; step < LONGEST_WALK && new URL(page.url()).origin === server; step += 1) {
    const name = page.locator('input[name=login]');
    const answer = page.locator(action === 'deny' ? 'button[value=deny]' : 'button[value=allow]').first();
    if (await name.count()) {
      await name.fill('alice');
      await page.locator('input[type=password]').fill("alice's password");
      await press(page.locator('button[type=submit]').first());
    } else if (await answer.count()) {
      await shoot(page, 'consent');
      await press(answer);
    } else {
      await shoot(page, 'consent');
      await press(page.locator('button[type=submit]').first());
    }
  }
  await page.waitForLoadState('load');
  // the listener answers after it has exchanged the code; its page may then change its own address
  await page.waitForTimeout(300);
  await shoot(page, 'done');
  log({ ended: page.url(), says: await words(page), foreign });
  code = 0;
} catch (error) {
  log({ error: String(error.message).split('\n')[0] });
  console.error(String(error));
} finally {
  await context?.close().catch(() => {});
  if (process.env.ROBOT_KEEP) {
    cpSync(join(home, 'profile'), process.env.ROBOT_KEEP, { recursive: true });
    log({ kept: process.env.ROBOT_KEEP });
  }
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}
process.exit(code);
