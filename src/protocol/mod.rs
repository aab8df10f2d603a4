//! The protocols of the RFCs as pure functions: each exchange has a function for the request and
//! one for the response. They do no I/O and read no clock; `now` is an argument.

pub mod age;
pub mod api_error;
pub mod assertion;
pub mod authorization_details;
pub mod authorization_request;
pub mod authorization_response;
pub mod ciba;
pub mod client;
pub mod client_auth;
pub mod device;
pub mod dpop;
pub mod earlier_secret;
pub mod explain;
pub mod form;
pub mod id_token;
pub mod jarm;
pub mod jose;
pub mod metadata;
pub mod par;
pub mod pkce;
pub mod registration;
pub mod request_object;
pub mod retry_after;
pub mod sender_constrained;
pub mod token_exchange;
pub mod token_request;
pub mod token_response;
pub mod trace;
