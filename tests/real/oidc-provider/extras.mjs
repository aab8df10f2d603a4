// What the tests of grants need beyond a login (`EXTRAS=1`): pushed requests, details, resources, CIBA, registration, and two
// grants that the library leaves to its users, strict where a client has to be: an assertion's `aud` must be the token endpoint.
import * as oidc from 'oidc-provider';
import { importJWK, jwtVerify } from 'jose';
import { setTimeout as sleep } from 'node:timers/promises';

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const CIBA = 'urn:openid:params:grant-type:ciba';

// ASSERTION_KEY: the public key (JWK) of whoever signs assertions
const env = process.env;

const machine = (client_id, grant_types, more = {}) => ({
  client_id,
  client_secret: `a-secret-of-${client_id}`,
  token_endpoint_auth_method: 'client_secret_basic',
  redirect_uris: [],
  response_types: [],
  grant_types,
  ...more,
});

/** What the clients that are there anyway may ask for as well. */
export const allowed = (client) => ({ ...client, authorization_details_types: ['payment_initiation'] });

export const clients = [
  machine('exchanger', [EXCHANGE, 'client_credentials']),
  machine('asserter', [JWT_BEARER]),
  ...(env.ASSERTION_KEY ? [{
    client_id: 'signer',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    redirect_uris: ['http://127.0.0.1/callback'],
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token'],
    request_object_signing_alg: 'ES256',
    require_signed_request_object: true,
    jwks: { keys: [JSON.parse(env.ASSERTION_KEY)] },
  }] : []),
  machine('ciba', [CIBA, 'refresh_token'], { backchannel_token_delivery_mode: 'poll' }),
];

const resource = (id) => ({ scope: 'api:read api:write', audience: id, accessTokenFormat: 'opaque', accessTokenTTL: 600 });

export const features = {
  registration: { enabled: true },
  registrationManagement: { enabled: true, rotateRegistrationAccessToken: true },
  pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: env.REQUIRE_PAR === '1' },
  requestObjects: { enabled: true },
  resourceIndicators: {
    enabled: true,
    defaultResource: () => undefined,
    useGrantedResource: () => true,
    getResourceServerInfo(ctx, indicator) {
      if (!indicator.endsWith('.example.test/')) throw new oidc.errors.InvalidTarget();
      return resource(indicator);
    },
  },
  richAuthorizationRequests: {
    enabled: true,
    types: { payment_initiation: { validate() {} } },
    authorizationDetailsForGrantSource: (ctx) => details(ctx),
    authorizationDetailsForAccessToken: (ctx, token, source) => source?.rar ?? details(ctx),
    authorizationDetailsForIntrospection: (ctx, token) => token.rar,
  },
  ciba: {
    enabled: true,
    deliveryModes: ['poll'],
    processLoginHint: (ctx, hint) => (hint === 'alice' ? hint : undefined),
    processLoginHintToken: () => undefined,
    verifyUserCode() {},
    validateBindingMessage() {},
    validateRequestContext() {},
    async triggerAuthenticationDevice(ctx, request, account, client) {
      const op = ctx.oidc.provider;
      sleep(Number(env.CIBA_DECIDES_MS ?? 2500)).then(async () => {
        const grant = new op.Grant({ accountId: account.accountId, clientId: client.clientId });
        grant.addOIDCScope(request.scope);
        await grant.save();
        await op.backchannelResult(request, env.CIBA_SAYS === 'no' ? new oidc.errors.AccessDenied() : grant);
      });
    },
  },
};

function details(ctx) {
  const said = ctx.oidc?.params?.authorization_details;
  return said ? (typeof said === 'string' ? JSON.parse(said) : said) : undefined;
}

export function grants(op) {
  op.registerGrantType(EXCHANGE, async (ctx) => {
    const { client, params } = ctx.oidc;
    if (params.subject_token_type !== 'urn:ietf:params:oauth:token-type:access_token') {
      throw new oidc.errors.InvalidRequest('only access tokens are exchanged here');
    }
    const subject = await op.AccessToken.find(params.subject_token);
    if (!subject) throw new oidc.errors.InvalidRequest('the subject token is not known');
    const grant = new op.Grant({ accountId: subject.accountId, clientId: client.clientId });
    grant.addOIDCScope(params.scope ?? 'openid');
    const token = new op.AccessToken({
      client,
      accountId: subject.accountId,
      grantId: await grant.save(),
      scope: params.scope ?? 'openid',
      gty: 'token-exchange',
    });
    ctx.body = {
      access_token: await token.save(),
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: token.expiration,
      scope: token.scope,
    };
  }, ['subject_token', 'subject_token_type', 'actor_token', 'actor_token_type', 'requested_token_type', 'audience', 'scope', 'resource'], ['audience', 'resource']);

  op.registerGrantType(JWT_BEARER, async (ctx) => {
    const { client, params } = ctx.oidc;
    try {
      const key = await importJWK(JSON.parse(env.ASSERTION_KEY), JSON.parse(env.ASSERTION_KEY).alg);
      await jwtVerify(params.assertion, key, { audience: `${op.issuer}/token`, requiredClaims: ['iss', 'sub', 'exp'] });
    } catch (error) {
      throw new oidc.errors.InvalidGrant(`the assertion is not good: ${error.code ?? error.message}`);
    }
    const token = new op.ClientCredentials({ client, scope: params.scope });
    ctx.body = { access_token: await token.save(), token_type: 'bearer', expires_in: token.expiration };
  }, ['assertion', 'scope']);
}
