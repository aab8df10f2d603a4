//! `help TOPIC`: texts that belong to no single command. The first line of a file is its title.

/// The name and the text of each topic.
pub const TOPICS: &[(&str, &str)] = &[
    ("providers", include_str!("topics/providers.md")),
    ("own-provider", include_str!("topics/own-provider.md")),
    ("provider-keys", include_str!("topics/provider-keys.md")),
    ("practice", include_str!("topics/practice.md")),
    ("sign-in", include_str!("topics/sign-in.md")),
    ("ssh", include_str!("topics/ssh.md")),
    ("grants", include_str!("topics/grants.md")),
    ("keys", include_str!("topics/keys.md")),
    ("scripts", include_str!("topics/scripts.md")),
    ("requests", include_str!("topics/requests.md")),
    ("recipes", include_str!("topics/recipes.md")),
    ("ci", include_str!("topics/ci.md")),
    ("storage", include_str!("topics/storage.md")),
    ("store-programs", include_str!("topics/store-programs.md")),
    ("team", include_str!("topics/team.md")),
    ("configuration", include_str!("topics/configuration.md")),
    ("exit-codes", include_str!("topics/exit-codes.md")),
];

/// Other names that a topic is asked for by.
const ALSO: [(&str, &str); 3] = [("environment", "configuration"), ("files", "configuration"), ("formats", "scripts")];

/// The text of a topic.
pub fn find(name: &str) -> Option<&'static str> {
    let name = ALSO.iter().find(|(also, _)| *also == name).map_or(name, |(_, name)| name);
    TOPICS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The title of a topic's text.
pub fn title(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim_start_matches("# ")
}

/// The names of all topics, with their titles.
pub fn list() -> String {
    let rows = TOPICS.iter().map(|(name, text)| format!("  {name:<15}{}", title(text)));
    format!("Topics (oauthctl help TOPIC):\n{}", rows.collect::<Vec<_>>().join("\n"))
}

/// A line of a topic, without the fences around code.
pub enum Line<'a> {
    Text(&'a str),
    Code(&'a str),
}

/// The lines of a topic.
pub fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut code = false;
    text.lines().filter_map(move |line| {
        if line.trim_start().starts_with("```") {
            code = !code;
            return None;
        }
        Some(if code { Line::Code(line) } else { Line::Text(line) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::definition;

    #[test]
    fn every_file_is_a_topic_with_a_title_and_no_topic_is_a_command() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/command/topics");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), TOPICS.len());
        let commands = definition();
        assert!(ALSO.iter().all(|(also, _)| find(also).is_some() && commands.find_subcommand(also).is_none()));
        for (name, text) in TOPICS {
            assert!(commands.find_subcommand(name).is_none(), "`help {name}` is a command's");
            assert!(text.starts_with("# ") && !title(text).is_empty(), "{name}");
            assert_eq!(text.matches("\n```").count() % 2, 0, "{name}: a fence is open");
            for line in lines(text) {
                let Line::Text(line) = line else { continue };
                assert!(line.chars().count() <= 80, "{name}: {line}");
                assert!(!line.starts_with('|') && !line.contains("]("), "{name}: {line}");
            }
        }
    }
}
