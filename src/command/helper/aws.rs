//! `credential_process` of the AWS SDKs: the keys of a role, which AWS' Security Token Service
//! (STS) gives for an ID token (AssumeRoleWithWebIdentity).

use std::time::Duration;

use clap::Args;
use serde_json::json;
use zeroize::Zeroizing;

use super::chosen::ForIdentity;
use crate::address::Service;
use crate::command::token::mask;
use crate::command::{Global, duration, one_line, print};
use crate::error::{Error, Kind};
use crate::grant;
use crate::protocol::form;
use crate::secret::Secret;
use crate::text::safe;
use crate::wire::{Request, Response};
use crate::world::World;

#[derive(Args, Debug)]
#[command(
    after_help = "The ID token goes to the STS of the region, `sts.REGION.amazonaws.com`, or to that of `--endpoint-url`,
if the profile has it in `helper-hosts`. The keys of the role are stored nowhere: each call asks the
STS anew, and the SDK keeps them until they expire.

To set it up, as the profile `work` in ~/.aws/config:
  oauthctl profile set work helper-hosts sts.eu-west-1.amazonaws.com
  oauthctl helper install aws --profile work -- --region eu-west-1 --role-arn ARN

Examples:
  oauthctl helper aws --region eu-west-1 --role-arn arn:aws:iam::12:role/ci"
)]
pub struct AwsArgs {
    #[command(flatten)]
    who: ForIdentity,
    /// The role to assume; its trust policy must name the provider.
    #[arg(long, value_name = "ARN", value_parser = one_line)]
    role_arn: String,
    /// The region whose STS is asked.
    #[arg(long, value_name = "REGION", value_parser = region, required_unless_present = "endpoint_url")]
    region: Option<String>,
    /// Another STS.
    #[arg(long, value_name = "URL", conflicts_with = "region")]
    endpoint_url: Option<String>,
    /// The session's name, which AWS' logs show.
    #[arg(long, value_name = "NAME", value_parser = one_line, default_value = "oauthctl")]
    session_name: String,
    /// How long the keys are valid [default: the STS decides]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    duration: Option<Duration>,
}

pub fn run(args: &AwsArgs, global: &Global, world: &mut World) -> Result<u8, Error> {
    let region = args.region.as_deref().unwrap_or_default();
    let usual = || format!("https://sts.{region}.amazonaws.com/");
    let address = args.endpoint_url.clone().unwrap_or_else(usual);
    let Some(set) = args.who.chosen(None).at(world, global, &address)? else { return Ok(1) };
    let url = Service::of(&address).ok().and_then(|service| service.url());
    let url = url.ok_or_else(|| Error::usage("an STS is a web server: `https://…`"))?;
    let response = grant::send(world, &assuming(args, url.as_str(), &set.access_token))?;
    let answer = std::str::from_utf8(&response.body).unwrap_or_default();
    let keys = ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"].map(|name| element(answer, name));
    let ([Some(id), Some(secret), Some(token), Some(expiration)], 200) = (keys, response.status) else {
        return Err(refused(&response, answer));
    };
    let (secret, token) = (Secret::new(secret), Secret::new(token));
    mask(world, secret.expose());
    mask(world, token.expose());
    let said = json!({
        "Version": 1,
        "AccessKeyId": id,
        "SecretAccessKey": secret.expose(),
        "SessionToken": token.expose(),
        "Expiration": expiration,
    });
    print(world, Zeroizing::new(format!("{said}\n")).as_bytes()).map(|()| 0)
}

/// The request, which no key of AWS' signs.
fn assuming(args: &AwsArgs, url: &str, token: &Secret) -> Request {
    let seconds = args.duration.map(|time| time.as_secs().to_string());
    let fields = [
        ("Action", Some("AssumeRoleWithWebIdentity")),
        ("Version", Some("2011-06-15")),
        ("RoleArn", Some(&*args.role_arn)),
        ("RoleSessionName", Some(&*args.session_name)),
        ("DurationSeconds", seconds.as_deref()),
        ("WebIdentityToken", Some(token.expose())),
    ];
    let form = form::encode(fields.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let mut request = Request::new("POST", url).header("content-type", "application/x-www-form-urlencoded");
    request.body = Some(Secret::unlisted(form.as_str()));
    request
}

/// The text of the first element with this name: in the STS's answers each stands once, and has no
/// attributes.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

fn refused(response: &Response, answer: &str) -> Error {
    const WHAT: &str = "the STS gives no keys for the role";
    match (grant::redirected(response, WHAT), element(answer, "Code"), element(answer, "Message")) {
        (None, Some(code), message) => {
            let kind = if response.is_unavailable() { Kind::TryLater } else { Kind::Refused };
            let message = message.map(|text| format!(": {}", safe(text))).unwrap_or_default();
            Error::new(kind, WHAT).because(format!("it answered `{}`{message}", safe(code)))
        }
        _ => grant::answered(response, WHAT),
    }
}

/// A region's name, a part of a host's.
fn region(text: &str) -> Result<String, &'static str> {
    match !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        true => Ok(text.to_owned()),
        false => Err("write it as `eu-central-1`"),
    }
}
