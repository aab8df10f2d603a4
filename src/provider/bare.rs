//! What a provider is where its file says nothing: the RFCs' own defaults.

use std::collections::BTreeMap;

use super::{
    Announced, Api, ApiAuth, ApiAuthPlace, Authorize, AuthorizeParamsIn, Callback, ClientAuth, Endpoint, ExpiresUnit,
    Identity, Limits, LoopbackMode, Pages, ParamsIn, Pkce, PkceMethod, PkceMode, Provider, Redirect, Refresh,
    RefreshSource, ResponseShape, Rotates, Scopes, StateEcho, Wanted, ZeroExpires,
};

impl Provider {
    /// A provider of which nothing is known but its name: every other value is what the RFCs say.
    pub fn bare(id: &str) -> Provider {
        let token = Endpoint {
            url: None,
            method: "POST".to_owned(),
            // RFC 6749, section 2.3.1: a server must support Basic for clients with a secret
            auth: vec![ClientAuth::Basic, ClientAuth::None],
            params_in: ParamsIn::Form,
            params: BTreeMap::new(),
            rename: BTreeMap::new(),
            headers: BTreeMap::new(),
            send_redirect_uri: true,
            ok_status: vec![200],
        };
        let mut provider = Provider {
            id: id.to_owned(),
            name: id.to_owned(),
            docs: None,
            console_url: None,
            practice: None,
            aliases: Vec::new(),
            issuer: None,
            client_id: None,
            vars: BTreeMap::new(),
            environments: Vec::new(),
            authorize: Authorize {
                url: None,
                params: BTreeMap::new(),
                rename: BTreeMap::new(),
                send_redirect_uri: true,
                state: StateEcho::Required,
                params_in: AuthorizeParamsIn::Query,
                raw: Vec::new(),
            },
            callback: Callback { code_param: "code".to_owned(), token_host_from: None, token_host_allow: Vec::new() },
            scopes: Scopes {
                known: Vec::new(),
                default: Vec::new(),
                always: Vec::new(),
                offline: None,
                separator: " ".to_owned(),
                param: "scope".to_owned(),
            },
            pkce: Pkce { mode: PkceMode::Supported, method: PkceMethod::S256 },
            refresh: Refresh {
                endpoint: token.clone(),
                supported: true,
                grant_type: "refresh_token".to_owned(),
                token_param: "refresh_token".to_owned(),
                source: RefreshSource::RefreshToken,
                rotates: Rotates::Maybe,
                max_idle_s: None,
                max_age_s: None,
            },
            response: ResponseShape {
                root: None,
                access_token: "access_token".to_owned(),
                refresh_token: "refresh_token".to_owned(),
                expires_in: "expires_in".to_owned(),
                scope: "scope".to_owned(),
                token_type: "token_type".to_owned(),
                default_token_type: None,
                expires_unit: ExpiresUnit::Seconds,
                default_expires_s: None,
                zero_expires: ZeroExpires::Now,
                claims_from_jwt: false,
                ok_field: None,
                error: vec!["error".to_owned()],
                error_description: vec!["error_description".to_owned()],
                capture: BTreeMap::new(),
            },
            device: None,
            revoke: None,
            client_credentials: None,
            own_account: false,
            implicit: false,
            // RFC 8252, section 7.3
            redirect: Redirect {
                loopback: LoopbackMode::AnyPort,
                host: None,
                ports: Vec::new(),
                path: None,
                paste: None,
            },
            api: Api {
                base_url: None,
                headers: BTreeMap::new(),
                auth: ApiAuth {
                    place: ApiAuthPlace::Header,
                    name: "Authorization".to_owned(),
                    scheme: "Bearer".to_owned(),
                },
                hosts: Vec::new(),
                pages: Pages::default(),
            },
            whoami: None,
            errors: Vec::new(),
            limits: Limits::default(),
            notes: Vec::new(),
            sources: Vec::new(),
            checked: None,
            not_verified: Vec::new(),
            announced: Announced::default(),
            grant_types: None,
            par_url: None,
            par: Wanted::Auto,
            par_required: false,
            request_object: Wanted::Auto,
            request_object_required: false,
            ciba: None,
            registration_url: None,
            openid: false,
            identity: Identity::default(),
            introspect: None,
            token,
        };
        provider.complete_from_token();
        provider
    }

    /// A provider known by its issuer alone: its discovery document says the rest.
    pub fn of_issuer(issuer: &str) -> Provider {
        let id = issuer.split_once("://").map_or(issuer, |(_, rest)| rest).trim_end_matches('/');
        Provider { issuer: Some(issuer.to_owned()), ..Provider::bare(id) }
    }

    /// What `refresh` and `client-credentials` are where the file says nothing else: the token endpoint, its address and its
    /// manners.
    pub(super) fn complete_from_token(&mut self) {
        self.refresh.endpoint = self.like_token();
        self.client_credentials = Some(self.like_token());
    }

    /// The token endpoint as a grant without a redirect uses it.
    pub(super) fn like_token(&self) -> Endpoint {
        Endpoint { send_redirect_uri: false, ..self.token.clone() }
    }

    /// The token endpoint's manner of knowing the client, for an endpoint with an address and parameters of its own.
    pub(super) fn beside_token(&self) -> Endpoint {
        Endpoint {
            url: None,
            method: "POST".to_owned(),
            params_in: ParamsIn::Form,
            params: BTreeMap::new(),
            rename: BTreeMap::new(),
            send_redirect_uri: false,
            ok_status: vec![200],
            ..self.token.clone()
        }
    }
}
