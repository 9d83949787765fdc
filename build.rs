//! Embeds GraphiQL's compressed assets: lists `graphiql/dist/*.br` for `src/http/graphiql.rs`. It builds no assets.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

// Cargo reads a build script's standard output.
#[allow(clippy::print_stdout)]
fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=graphiql/dist");
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let mut names = Vec::new();
    for entry in fs::read_dir(Path::new(&root).join("graphiql/dist"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".br") {
            names.push(name);
        }
    }
    names.sort();
    let mut list = String::from("&[\n");
    for name in names {
        // The folder is left to the compiler: checkouts that share a target folder share this list, and not their files.
        let file = format!("/graphiql/dist/{name}");
        writeln!(list, "    ({name:?}, include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {file:?}))),")
            .map_err(io::Error::other)?;
    }
    list.push_str("]\n");
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("graphiql_files.rs"), list)
}
