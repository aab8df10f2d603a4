//! What the RFCs say, as pure functions: each exchange is a request function and a reading function. Nothing here does I/O or
//! reads the clock; `now` is an argument.

pub mod answer;
pub mod api_error;
pub mod assertion;
pub mod authorization_details;
pub mod authorize;
pub mod binding;
pub mod ciba;
pub mod client;
pub mod client_auth;
pub mod device;
pub mod dpop;
pub mod explain;
pub mod form;
pub mod id_token;
pub mod jarm;
pub mod jose;
pub mod jwt;
pub mod metadata;
pub mod par;
pub mod pkce;
pub mod redirect;
pub mod registration;
pub mod request_object;
pub mod retry_after;
pub mod signed;
pub mod token_exchange;
pub mod token_request;
pub mod trace;
