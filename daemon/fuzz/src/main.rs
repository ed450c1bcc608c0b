//! `porthole-fuzz`: hands every target as many inputs as it is told to, and ends with 1 if one of them does harm.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;
use porthole_fuzz::harness::{self, Finding};
use porthole_fuzz::{TARGETS, Target, target};

/// Tries what strangers could send, changed by chance.
#[derive(Debug, Parser)]
#[command(name = "porthole-fuzz")]
struct Flags {
    /// Inputs for each target.
    #[arg(long, default_value_t = 1_000_000)]
    inputs: u64,
    /// Where chance begins; another one each time unless given.
    #[arg(long)]
    seed: Option<u64>,
    /// Only this target; may be given several times.
    #[arg(long)]
    target: Vec<String>,
    /// Where an input that does harm is written.
    #[arg(long, default_value = "target/fuzz")]
    out: PathBuf,
    /// Writes the corpus of each target below this folder, for libFuzzer, and ends.
    #[arg(long)]
    write_corpus: Option<PathBuf>,
    /// Instead of inventing any: these inputs, for the one target that is given.
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    match perform(&flags) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(64)
        }
    }
}

/// Whether nothing did harm.
fn perform(flags: &Flags) -> Result<bool, String> {
    let targets = wanted(&flags.target)?;
    if let Some(folder) = &flags.write_corpus {
        return targets
            .iter()
            .try_for_each(|target| write_corpus(target, &folder.join(target.name)))
            .map(|()| true);
    }
    if !flags.files.is_empty() {
        let [only] = targets[..] else {
            return Err("name the one --target that the files are for".to_owned());
        };
        return repeat(only, &flags.files);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| now.as_secs());
    let seed = flags.seed.unwrap_or(now);
    println!("seed {seed}");
    let mut harmless = true;
    for target in targets {
        let report = harness::run(target, flags.inputs, seed);
        let each = report.took.as_secs_f64() * 1e6 / report.inputs as f64;
        println!(
            "{:>12}: {} inputs in {:.0} s ({each:.0} µs each, slowest {:.1} ms), {} outcomes, {}",
            target.name,
            report.inputs,
            report.took.as_secs_f64(),
            report.slowest.as_secs_f64() * 1e3,
            report.outcomes,
            if report.finding.is_some() { "A FINDING" } else { "no finding" }
        );
        if let Some(finding) = &report.finding {
            harmless = false;
            tell(target, finding, &flags.out)?;
        }
    }
    Ok(harmless)
}

fn wanted(names: &[String]) -> Result<Vec<&'static Target>, String> {
    if names.is_empty() {
        return Ok(TARGETS.iter().collect());
    }
    let known = || TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(", ");
    names
        .iter()
        .map(|name| target(name).ok_or_else(|| format!("no target {name} (known: {})", known())))
        .collect()
}

fn repeat(target: &Target, files: &[PathBuf]) -> Result<bool, String> {
    let mut harmless = true;
    for file in files {
        let input = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let came = harness::attempt(target, &input);
        println!("{}: {}", file.display(), came.as_ref().map_or_else(String::as_str, |_| "harmless"));
        harmless &= came.is_ok();
    }
    Ok(harmless)
}

fn tell(target: &Target, finding: &Finding, out: &Path) -> Result<(), String> {
    let file = out.join(format!("{}-{}", target.name, finding.input.len()));
    let failed = |error| format!("{}: {error}", file.display());
    fs::create_dir_all(out).map_err(failed)?;
    fs::write(&file, &finding.input).map_err(failed)?;
    println!(
        "{}\nthe input is in {} (once mended, keep it in daemon/fuzz/found/{}/):",
        finding.message,
        file.display(),
        target.name
    );
    println!("{}", String::from_utf8_lossy(&finding.input).chars().take(4_000).collect::<String>());
    Ok(())
}

fn write_corpus(target: &Target, folder: &Path) -> Result<(), String> {
    let failed = |error| format!("{}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(failed)?;
    for (number, input) in (target.corpus)().iter().enumerate() {
        fs::write(folder.join(number.to_string()), input).map_err(failed)?;
    }
    Ok(())
}
