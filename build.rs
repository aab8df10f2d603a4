//! Links the unwinder into the program, where the C compiler at hand has it as an archive: one shared library less to load is a
//! tenth of what `oauthctl token` takes. Without it the build is what it would be without this file. Writes nothing.

#![expect(
    clippy::disallowed_methods,
    reason = "a build script hears from its environment and speaks to cargo by printing"
)]

use std::env::var;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CC");
    let is = |name: &str, value: &str| var(name).as_deref() == Ok(value);
    // where the build is for another machine the compiler at hand would name the wrong archive
    let here = var("HOST") == var("TARGET") && is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if !here || var("CARGO_CFG_TARGET_FEATURE").is_ok_and(|f| f.split(',').any(|f| f == "crt-static")) {
        return;
    }
    let cc = var("CC").unwrap_or_else(|_| "cc".to_owned());
    let Ok(asked) = Command::new(cc).arg("-print-file-name=libgcc_eh.a").output() else { return };
    let archive = String::from_utf8_lossy(&asked.stdout);
    // a compiler that doesn't have it repeats the bare name
    let Some(folder) = Path::new(archive.trim()).parent().filter(|f| f.is_absolute() && f.is_dir()) else { return };
    println!("cargo::rustc-link-search=native={}", folder.display());
    println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
}
