//! What an engine must allow, as its own policies say it: to readers, and to who may renew.

use super::place::Place;
use crate::world::item_name;

/// Two policies in HCL. Without a profile: for all of them.
pub fn policy(place: &Place, profile: Option<&str>) -> String {
    let name = profile.map_or_else(|| "+".to_owned(), item_name);
    let path = |kind: &str, part: &str| format!("{}/{kind}/{}/{name}{part}", place.mount(), place.path());
    let rule = |path: &str, may: &str| format!("path \"{path}\" {{\n  capabilities = [{may}]\n}}\n");
    let (shown, whole) = (path("data", ""), path("data", "/renew"));
    let all = "\"create\", \"read\", \"update\"";
    [
        "# reader: the access token and its expiry, nothing else\n".to_owned(),
        rule(&shown, "\"read\""),
        "\n# renewer: signs in, refreshes, signs out\n".to_owned(),
        rule(&shown, all),
        rule(&whole, all),
        rule(&path("metadata", ""), "\"delete\""),
        rule(&path("metadata", "/renew"), "\"delete\""),
        rule(&format!("{}/metadata/{}", place.mount(), place.path()), "\"list\""),
    ]
    .concat()
}
