//! Makes sure that the web viewer was built before it is put inside the binary. Must not build it itself.

use std::path::Path;

fn main() {
    let folder = "../../web-viewer/dist";
    println!("cargo::rerun-if-changed={folder}");
    if !Path::new(folder).join("index.html").is_file() {
        println!(
            "cargo::error=web viewer not built: run `make viewer` first (web-viewer/dist/index.html is missing)"
        );
    }
}
