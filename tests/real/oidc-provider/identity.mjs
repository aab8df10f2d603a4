// ID tokens of each algorithm, signed answers of every endpoint that can sign: what `server.mjs` adds where IDENTITY is set. The
// keys are made at each start, and at each rotation.
import { generateKeyPairSync } from 'node:crypto';

const made = (kind, options, alg) => ({
  ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }),
  kid: `key-${alg}-${generation}`,
  use: 'sig',
});
let generation = 0;

export function jwks() {
  generation += 1;
  return { keys: [made('rsa', { modulusLength: 2048 }, 'rsa'), made('ec', { namedCurve: 'P-256' }, 'ec'), made('ed25519', {}, 'ed')] };
}

const person = (client_id, more) => ({
  client_id,
  application_type: 'native',
  token_endpoint_auth_method: 'client_secret_basic',
  client_secret: 'a-secret-of-a-client-that-looks-at-signatures',
  redirect_uris: ['http://127.0.0.1/callback'],
  response_types: ['code'],
  grant_types: ['authorization_code', 'refresh_token'],
  ...more,
});

export const clients = () => [
  ...['RS256', 'PS256', 'ES256', 'EdDSA', 'HS256'].map((alg) => person(`id-${alg}`, { id_token_signed_response_alg: alg })),
  person('signs-all', {
    id_token_signed_response_alg: 'ES256',
    userinfo_signed_response_alg: 'PS256',
    introspection_signed_response_alg: 'EdDSA',
    authorization_signed_response_alg: 'RS256',
  }),
];

const algorithms = ['HS256', 'RS256', 'PS256', 'ES256', 'EdDSA'];

export const enabledJWA = {
  idTokenSigningAlgValues: algorithms,
  userinfoSigningAlgValues: algorithms,
  introspectionSigningAlgValues: algorithms,
  authorizationSigningAlgValues: algorithms,
};

export const features = {
  jwtIntrospection: { enabled: true },
  jwtResponseModes: { enabled: true },
  jwtUserinfo: { enabled: true },
};
