//! The front page: the provider that this server plays, its registered apps, and the valid logins.

use super::Rotation;
use super::client::{Client, Redirects};
use super::consent::disconnect_ticket;
use super::page::{BADGE, Look, escape, page};
use super::server::Desk;
use crate::world::http_server::serve::Response;

/// Makes the front page of a server.
pub fn page_of(desk: &Desk) -> std::io::Result<Response> {
    let behaviour = desk.behaviour();
    let life = desk.options.access_life.map_or("never expire".to_owned(), |s| format!("expire after {s} s"));
    let rotation = match desk.options.rotation {
        _ if !behaviour.refresh_tokens => "There are no refresh tokens.".to_owned(),
        Rotation::None => "Refresh tokens stay the same.".to_owned(),
        Rotation::Grace(seconds) => {
            format!("Refresh tokens are replaced at each use; the old one is good for {seconds} s more.")
        }
        Rotation::Once => "Refresh tokens are replaced at each use; the old one is dead at once.".to_owned(),
        Rotation::Strict => "Refresh tokens are replaced at each use; an old one used again ends the login.".to_owned(),
    };
    let body = format!(
        "{BADGE}<h1>{}</h1>\n\
         <p>Part of <code>oauthctl</code>, at <code>{}</code>. Nothing here is real, and nothing leaves this machine.</p>\n\
         <h2>Apps</h2>\n{}\n\
         <h2>Tokens</h2>\n<p>Access tokens {life}, codes after {} s. {rotation}</p>\n{}\
         <h2>Connected apps</h2>\n{}",
        escape(behaviour.title),
        escape(&desk.base),
        apps(&desk.options.clients),
        desk.options.code_life,
        not_verified(behaviour.not_verified),
        connected(desk)?,
    );
    Ok(page(200, &format!("{} · practice server", behaviour.title), Look { wide: true, ..Look::default() }, &body))
}

fn apps(clients: &[Client]) -> String {
    let row = |c: &Client| {
        let secret =
            c.secret.as_deref().map_or("no secret (PKCE)".to_owned(), |s| format!("<code>{}</code>", escape(s)));
        let (first, list) = match &c.redirects {
            Redirects::Loopback(list) => (Some("any address on this machine"), list),
            Redirects::Exact(list) => (list.is_empty().then_some("no login in the browser"), list),
        };
        let list = list.iter().map(|r| format!("<code>{}</code>", escape(r)));
        let redirects = first.map(str::to_owned).into_iter().chain(list).collect::<Vec<_>>().join("<br>");
        format!(
            "<tr><th scope=\"row\"><code>{}</code></th><td data-of=\"client secret\">{secret}</td><td data-of=\"redirect URLs\">{redirects}</td></tr>\n",
            escape(&c.id)
        )
    };
    let rows: String = clients.iter().map(row).collect();
    format!(
        "<table>\n<thead><tr class=\"soft\"><th scope=\"col\">client id</th><th scope=\"col\">client secret</th>\
         <th scope=\"col\">redirect URLs</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>"
    )
}

fn not_verified(unknown: &[&str]) -> String {
    if unknown.is_empty() {
        return String::new();
    }
    let items: String = unknown.iter().map(|n| format!("<li>{}</li>\n", escape(n))).collect();
    format!(
        "<h2>What isn’t verified</h2>\n<p class=\"soft\">No source says how the provider behaves here. This server behaves as follows.</p>\n<ul>\n{items}</ul>\n"
    )
}

/// Lists the valid logins, with the button that ends them.
fn connected(desk: &Desk) -> std::io::Result<String> {
    let all = desk.book.connected(desk.now())?;
    if all.is_empty() {
        return Ok("<p>No app is connected. A login that you allow appears here.</p>".to_owned());
    }
    let item = |(client, account): &(String, String)| {
        let whose = if client == account { "for itself".to_owned() } else { format!("as {}", escape(account)) };
        format!("<li><code>{}</code> {whose}</li>\n", escape(client))
    };
    let items: String = all.iter().map(item).collect();
    Ok(format!(
        "<ul>\n{items}</ul>\n<form method=\"post\" action=\"/disconnect\">\n\
         <input type=\"hidden\" name=\"ticket\" value=\"{}\">\n\
         <div class=\"choices\"><button>Disconnect all apps</button></div>\n</form>",
        disconnect_ticket(desk)
    ))
}
