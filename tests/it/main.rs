//! One test binary; a file per topic.

mod configuration;
mod providers;
