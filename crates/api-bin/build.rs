//! Putting the built dashboard into the program: a table of its files, empty before it is built.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Where `npm run build` puts it. The folder is always there, so that cargo can watch it.
const DIST: &str = "../../dashboard/dist";

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed={DIST}");
    let dist = PathBuf::from(DIST);
    let mut files = Vec::new();
    if dist.join("index.html").is_file() {
        collect(&dist, &mut files)?;
    }
    files.sort();
    let mut table = String::from("&[\n");
    for file in files {
        let name = file.strip_prefix(&dist).map_err(io::Error::other)?;
        let whole = fs::canonicalize(&file)?;
        let (name, whole) = (name.to_string_lossy(), whole.to_string_lossy());
        writeln!(table, "    ({name:?}, include_bytes!({whole:?})),").map_err(io::Error::other)?;
    }
    table.push_str("]\n");
    let output = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("no OUT_DIR"))?;
    fs::write(Path::new(&output).join("dashboard.rs"), table)
}

/// All files in a folder and below, but for hidden ones.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else if !hidden {
            files.push(entry.path());
        }
    }
    Ok(())
}
