// Clients that prove who they are by a key or a certificate, and tokens bound to one: what `server.mjs` adds where BOUND names a
// folder with the public halves (`rs.pub`, `es.pub`, `ed.pub`; `self.crt` is a certificate that its client made itself).
//
//   BOUND_NONCE   1: both endpoints want their nonce in each DPoP proof
import { X509Certificate, createPublicKey, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

const env = process.env;
const jwk = (file) => createPublicKey(readFileSync(`${env.BOUND}/${file}`)).export({ format: 'jwk' });

const machine = (client_id, method, more) => ({
  client_id,
  token_endpoint_auth_method: method,
  redirect_uris: [],
  response_types: [],
  grant_types: ['client_credentials'],
  ...more,
});
const person = (client_id, more = {}) => ({
  client_id,
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  redirect_uris: ['http://127.0.0.1/callback'],
  response_types: ['code'],
  grant_types: ['authorization_code', 'refresh_token'],
  ...more,
});
const keyed = (alg, file) =>
  machine(`by-${alg}`, 'private_key_jwt', { token_endpoint_auth_signing_alg: alg, jwks: { keys: [jwk(file)] } });

export const clients = () => [
  keyed('RS256', 'rs.pub'),
  keyed('PS256', 'rs.pub'),
  keyed('ES256', 'es.pub'),
  keyed('EdDSA', 'ed.pub'),
  machine('by-secret', 'client_secret_jwt', { client_secret: 'a-secret-of-the-client-that-signs-with-it' }),
  person('keyed-person', {
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'ES256',
    jwks: { keys: [jwk('es.pub')] },
  }),
  person('dpop', { dpop_bound_access_tokens: true }),
  person('certified', { tls_client_certificate_bound_access_tokens: true }),
  machine('by-authority', 'tls_client_auth', { tls_client_auth_subject_dn: 'CN=client' }),
  machine('by-own', 'self_signed_tls_client_auth', {
    tls_client_certificate_bound_access_tokens: true,
    jwks: { keys: [{ ...jwk('self.crt'), x5c: [new X509Certificate(readFileSync(`${env.BOUND}/self.crt`)).raw.toString('base64')] }] },
  }),
];

export const clientAuthMethods = [
  'none', 'client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'tls_client_auth',
  'self_signed_tls_client_auth',
];

export const features = {
  dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => env.BOUND_NONCE === '1' },
  mTLS: {
    enabled: true,
    certificateBoundAccessTokens: true,
    selfSignedTlsClientAuth: true,
    tlsClientAuth: true,
    getCertificate: (ctx) => ctx.socket.getPeerX509Certificate?.(),
    certificateAuthorized: (ctx) => ctx.socket.authorized,
    certificateSubjectMatches: (ctx, property, expected) =>
      property === 'tls_client_auth_subject_dn' && ctx.socket.getPeerX509Certificate()?.subject === expected,
  },
};

// asks for a certificate and takes any: which of them proves what is for the library to judge
export const tls = { requestCert: true, rejectUnauthorized: false };
