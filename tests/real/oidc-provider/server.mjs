// A certified authorization server (npm's `oidc-provider`) on loopback, strict where `oauthctl` has to be careful: refresh
// tokens are good once and a second use revokes the whole grant, public clients must use PKCE, every redirect carries `iss`.
//
//   node server.mjs      prints `READY {"http": ISSUER, "https": ISSUER}` once it listens; ends on SIGTERM
//
// Settings, all from the environment:
//   PKI                  folder with server.crt, server.key, … (tests/real/pki.sh); without it there is no https issuer
//   CERTIFICATE          which of them https shows: server (default), expired, wronghost
//   BOUND                a folder of keys: clients that prove themselves by one, bound tokens (bound.mjs)
//   ACCESS_TTL           seconds an access token lives (default 3600)
//   EXTRAS               1: what extras.mjs adds (PAR, RAR, resources, CIBA, registration, token exchange, assertions)
//   REGISTERS_AS         the `token_endpoint_auth_method` of every client that registers, whatever it asks for (with EXTRAS)
//   IDENTITY             1: ID tokens of each algorithm, signed answers (identity.mjs)
//   CLOCK_TOLERANCE      seconds it goes on living after that (default 0; the library's own default is 15)
//
// Beside OAuth it has a log and faults, for the tests:
//   GET    /test/log     what came in: [{method, path, query, headers, body, status}]
//   DELETE /test/log
//   POST   /test/access-ttl  seconds that access tokens live from now on, instead of ACCESS_TTL
//   POST   /test/faults  {"path": "/token", "times": 1, "status": 503, "headers": {}, "type": "text/html", "body": "…",
//                         "delay_ms": 0, "after": false, "drop": false}
//                        `after`: the server does its work first, then the answer is replaced or dropped
//   POST   /test/rotate  {"keep": true}: signs with new keys from now on; those before stay among the public ones, or go
//                        (with IDENTITY)
import * as bound from './bound.mjs';
import * as oidc from 'oidc-provider';
import * as extras from './extras.mjs';
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import * as identity from './identity.mjs';

const HOST = '127.0.0.1';
const env = process.env;

// ---- who may ask -----------------------------------------------------------------------------------------------------
const REDIRECTS = ['http://127.0.0.1/callback', 'http://127.0.0.1', 'http://localhost/callback', 'http://[::1]/callback'];
const login = (client_id, secret, method, more = {}) => ({
  client_id,
  application_type: 'native', // loopback redirects on any port (RFC 8252, section 7.3)
  token_endpoint_auth_method: method,
  ...(secret ? { client_secret: secret } : {}),
  redirect_uris: REDIRECTS,
  response_types: ['code'],
  grant_types: ['authorization_code', 'refresh_token'],
  ...more,
});
const machine = (client_id, secret, method) =>
  login(client_id, secret, method, { redirect_uris: [], response_types: [], grant_types: ['client_credentials'] });

const clients = [
  login('public', undefined, 'none'),
  login('confidential', 'a-secret-of-the-confidential-client', 'client_secret_basic'),
  // every character that has to be form-encoded before base64 (RFC 6749, section 2.3.1)
  login('odd:id +%', 'p@ss word:/+%&=~!$^`|', 'client_secret_basic'),
  login('posts', 'a-secret-of-the-posting-client', 'client_secret_post'),
  // a redirect that isn't on loopback, for the pasted address
  login('pasted', undefined, 'none', { redirect_uris: ['https://app.example.test/done'] }),
  // a machine without a browser (RFC 8628)
  login('device', undefined, 'none', {
    redirect_uris: [],
    response_types: [],
    grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
  }),
  machine('machine', 'a-secret-of-the-machine', 'client_secret_basic'),
  machine('odd:machine +%', 'p@ss word:/+%&=~!$^`|', 'client_secret_basic'),
];

if (env.EXTRAS) clients.splice(0, clients.length, ...clients.map((c) => (c.client_id === 'public' ? extras.allowed(c) : c)), ...extras.clients);
if (env.BOUND) clients.push(...bound.clients());
if (env.IDENTITY) clients.push(...identity.clients());

let accessTtl = Number(env.ACCESS_TTL ?? 3600);

const people = { alice: { name: 'Alice Example', email: 'alice@example.test' } };

const configuration = {
  clients,
  ...(env.IDENTITY ? { jwks: identity.jwks(), enabledJWA: identity.enabledJWA } : {}),
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
  claims: { openid: ['sub'], profile: ['name'], email: ['email'] },
  scopes: ['openid', 'offline_access', 'api:read', 'api:write'],
  cookies: { keys: [randomBytes(24).toString('hex')] },
  clientAuthMethods: env.BOUND ? bound.clientAuthMethods : ['none', 'client_secret_basic', 'client_secret_post'],
  clockTolerance: Number(env.CLOCK_TOLERANCE ?? 0),
  rotateRefreshToken: true,
  issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token'),
  expiresWithSession: () => false,
  features: {
    devInteractions: { enabled: true }, // the library's own login and consent pages
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    revocation: { enabled: true },
    introspection: { enabled: true },
    userinfo: { enabled: true },
    ...(env.EXTRAS ? extras.features : {}),
    ...(env.BOUND ? bound.features : {}),
    ...(env.IDENTITY ? identity.features : {}),
  },
  ttl: {
    AccessToken: () => accessTtl,
    ClientCredentials: () => accessTtl,
    AuthorizationCode: 60, IdToken: 3600, RefreshToken: 86400, Interaction: 600, Session: 86400, Grant: 86400,
  },
};

// ---- the log, and answers that go wrong --------------------------------------------------------------------------------
const log = [];
const faults = [];

const text = async (stream) => { let all = ''; for await (const chunk of stream) all += chunk; return all; };
const json = (ctx, value) => { ctx.status = 200; ctx.type = 'json'; ctx.body = JSON.stringify(value); };

async function control(ctx, next) {
  if (ctx.path === '/test/log') {
    if (ctx.method === 'DELETE') log.length = 0;
    return json(ctx, log);
  }
  if (ctx.path === '/test/access-ttl') {
    accessTtl = JSON.parse(await text(ctx.req));
    return json(ctx, accessTtl);
  }
  if (ctx.path === '/test/faults') {
    faults.push({ times: 1, ...JSON.parse(await text(ctx.req)) });
    return json(ctx, faults.length);
  }
  if (ctx.path === '/test/rotate') {
    const { keep } = JSON.parse(await text(ctx.req));
    const before = configuration.jwks.keys;
    configuration.jwks = { keys: [...identity.jwks().keys, ...(keep ? before : [])] };
    for (const issuer of Object.keys(handles)) handles[issuer] = provider(issuer);
    return json(ctx, configuration.jwks.keys.map(({ kid }) => kid));
  }
  const entry = { method: ctx.method, path: ctx.path, query: ctx.querystring, headers: ctx.req.headers };
  log.push(entry);
  const fault = faults.find((f) => f.path === ctx.path && f.times > 0);
  if (!fault) {
    if (env.REGISTERS_AS && ctx.path === '/reg' && ctx.method === 'POST') {
      ctx.req.body = { ...JSON.parse(await text(ctx.req)), token_endpoint_auth_method: env.REGISTERS_AS };
    }
    await next();
    if (ctx.oidc?.body) entry.body = { ...ctx.oidc.body };
    entry.status = ctx.status;
    return undefined;
  }
  fault.times -= 1;
  if (fault.after) await next();
  else entry.raw = await text(ctx.req);
  if (fault.delay_ms) await sleep(fault.delay_ms);
  if (fault.drop) {
    ctx.respond = false;
    ctx.req.socket.destroy();
  } else if (fault.status) {
    ctx.set(fault.headers ?? {});
    ctx.status = fault.status;
    ctx.type = fault.type ?? 'application/json';
    ctx.body = fault.body ?? '';
    entry.status = fault.status;
  } else if (!fault.after) {
    throw new Error('a fault without `status` or `drop` needs `after`'); // the body has been read already
  }
  return undefined;
}

// ---- both issuers ------------------------------------------------------------------------------------------------------
const memories = {}; // by issuer: what it has issued outlives a change of its keys

function provider(issuer) {
  memories[issuer] ??= createMemoryAdapter(configuration.clockTolerance);
  const op = new oidc.Provider(issuer, { ...configuration, adapter: memories[issuer] });
  op.use(control);
  if (env.EXTRAS) extras.grants(op);
  for (const event of ['grant.error', 'authorization.error', 'revocation.error', 'userinfo.error']) {
    op.on(event, (ctx, error) => console.error(event, ctx.oidc?.client?.clientId ?? '-', error.error, error.error_detail ?? error.error_description));
  }
  op.on('server_error', (ctx, error) => console.error('server_error', ctx.path, error));
  return op.callback();
}

const handles = {};

// the port is known only once it is bound, and the issuer only with the port
async function serve(server, name, scheme) {
  server.on('request', (request, response) => handles[issuer](request, response));
  await new Promise((done, failed) => server.once('error', failed).listen(0, HOST, done));
  const issuer = `${scheme}://${name}:${server.address().port}`;
  handles[issuer] = provider(issuer);
  return issuer;
}

const ready = { http: await serve(createHttp(), HOST, 'http') };
if (env.PKI) {
  const file = (kind) => readFileSync(`${env.PKI}/${env.CERTIFICATE ?? 'server'}.${kind}`);
  ready.https = await serve(createHttps({ cert: file('crt'), key: file('key'), ...(env.BOUND ? { ca: readFileSync(`${env.PKI}/ca.crt`), ...bound.tls } : {}) }), 'localhost', 'https');
}
console.log(`READY ${JSON.stringify(ready)}`);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));
