//! `cargo xtask loom`: every loom model in a process of its own, and the negative twins.
//!
//! A model is a test named `model_NN_...`. Its twins are named in comments right above it,
//! `// twin: NAME`, one to a line: running the model with `AQUEDUCT_TWIN=NAME` weakens one ordering
//! or skips one step in the code under test, and then the model must fail. A model that passes with
//! a weakened twin proves nothing.

use std::collections::BTreeSet;
use std::env;
use std::process::Command;
use std::time::Duration;

use crate::process::{Outcome, root, run_limited, tail};
use crate::source::{Source, collect};
use crate::test_binary::{TestBinary, build, short};
use crate::workspace::published;

const USAGE: &str = "takes --twins or --deep, and a part of the models' names";

/// Not cargo's own `loom` cfg, which would change every crate in the graph.
const FLAGS: &str = "--cfg aqueduct_loom";

/// Loom explores all interleavings up to this many preemptions; most bugs need two.
const PREEMPTIONS: &str = "4";

/// A model that takes longer should bound itself; this only keeps a stuck one from hanging us.
const LIMIT: Duration = Duration::from_secs(600);

/// What `--deep` tries, deepest first, until one ends: all interleavings, then up to so many preemptions.
/// Most models that end without a bound do so within seconds.
const DEPTHS: [(Option<&str>, Duration); 4] =
    [(None, Duration::from_secs(60)), (Some("5"), LIMIT), (Some("4"), LIMIT), (Some("3"), LIMIT)];

/// A model as its source declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) twins: Vec<String>,
}

pub(crate) fn run(args: &[String]) -> Outcome {
    let (options, names): (Vec<_>, Vec<_>) = args.iter().partition(|arg| arg.starts_with("--"));
    let (twins, deep) = match options.iter().map(|option| option.as_str()).collect::<Vec<_>>()[..] {
        [] => (false, false),
        ["--twins"] => (true, false),
        ["--deep"] => (false, true),
        _ => return Err(USAGE.to_owned()),
    };
    if names.len() > 1 {
        return Err(USAGE.to_owned());
    }
    let name = names.first().map_or("", |name| name.as_str());
    let sources = collect(&root(), &["crates"])?;
    let models: Vec<Model> = sources
        .iter()
        .flat_map(|source| models(source, "model_"))
        .filter(|model| model.name.contains(name))
        .collect();
    if models.is_empty() {
        return Err("no model of that name in crates/".to_owned());
    }
    if twins && name.is_empty() {
        let idle = idle_twins(&sources, &models);
        if !idle.is_empty() {
            return Err(format!(
                "no model names the twin, so nothing proves it:\n{}",
                idle.join("\n")
            ));
        }
    }
    let binaries = build_models(&models)?;
    let mut jobs = Vec::new();
    for model in &models {
        jobs.extend(jobs_of(model, &binaries, twins)?);
    }
    // Of the processor's time: others may use the machine.
    println!("{:<64} {:>8}  result", if twins { "twin" } else { "model" }, "seconds");
    let mut bad = Vec::new();
    for job in &jobs {
        bad.extend(if deep { job.run_deep()? } else { job.run()? });
    }
    let kind = if twins { "twins that must fail" } else { "models" };
    println!("loom: {} {kind}, {} not as they should be", jobs.len(), bad.len());
    if bad.is_empty() { Ok(()) } else { Err(bad.join("\n")) }
}

/// The models of one file: what is named so.
pub(crate) fn models(source: &Source, prefix: &str) -> Vec<Model> {
    let mut found = Vec::new();
    let mut twins = Vec::new();
    let lines = source.text.lines().zip(source.code.lines()).enumerate();
    for (i, (text, code)) in lines {
        let code = code.trim();
        if let Some(twin) = text.trim().strip_prefix("// twin:") {
            twins.push(twin.trim().to_owned());
        } else if code.is_empty() || code.starts_with("#[") {
            // Comments and attributes may stand between a twin and its model.
        } else {
            let name = code.split("fn ").nth(1).and_then(|rest| rest.split('(').next());
            let twins = std::mem::take(&mut twins);
            if let Some(name) = name.filter(|name| name.starts_with(prefix)) {
                let (name, path) = (name.trim().to_owned(), source.path.clone());
                found.push(Model { name, path, line: i + 1, twins });
            }
        }
    }
    found
}

/// Twins that the code offers and that no model has above it.
fn idle_twins(sources: &[Source], models: &[Model]) -> Vec<String> {
    let mut idle = Vec::new();
    for source in sources {
        for call in ["twin::order(", "twin::is("] {
            for (at, _) in source.code.match_indices(call) {
                // The name is a string, which only the original text has.
                let Some(name) = source.text[at + call.len()..].split('"').nth(1) else { continue };
                if !models.iter().any(|model| model.twins.iter().any(|twin| twin == name)) {
                    idle.push(format!("{}:{}: {name}", source.path, source.line(at)));
                }
            }
        }
    }
    idle
}

/// Builds the binaries that hold the models, and no other: the rest may not compile under loom.
fn build_models(models: &[Model]) -> Result<Vec<TestBinary>, String> {
    let packages = published()?;
    let mut args = BTreeSet::new();
    for model in models {
        let owner = packages.iter().find(|p| model.path.starts_with(&format!("{}/", p.folder)));
        let Some(owner) = owner else {
            return Err(format!(
                "{}:{}: a model outside a published crate",
                model.path, model.line
            ));
        };
        let inside = &model.path[owner.folder.len() + 1..];
        let target = match inside.strip_prefix("tests/") {
            Some(rest) => {
                let name = rest.split('/').next().unwrap_or(rest).trim_end_matches(".rs");
                format!("--test={name}")
            }
            None => "--lib".to_owned(),
        };
        args.insert(format!("--package={}", owner.name));
        args.insert(target);
    }
    let mut all = vec!["--release", "--target-dir=target/loom"];
    all.extend(args.iter().map(String::as_str));
    build(&all, &[("RUSTFLAGS", FLAGS)])
}

/// One run of one model.
struct Job<'a> {
    binary: &'a TestBinary,
    /// The test's full name in its binary.
    test: String,
    twin: Option<String>,
}

fn jobs_of<'a>(
    model: &Model,
    binaries: &'a [TestBinary],
    twins: bool,
) -> Result<Vec<Job<'a>>, String> {
    let place = format!("{}:{}: {}", model.path, model.line, model.name);
    for binary in binaries {
        let tests = binary.tests()?;
        let Some(test) = tests.iter().find(|test| short(test) == model.name) else { continue };
        let job = |twin| Job { binary, test: test.clone(), twin };
        if !twins {
            return Ok(vec![job(None)]);
        }
        if model.twins.is_empty() {
            return Err(format!("{place} has no twin: name one above it, `// twin: NAME`"));
        }
        return Ok(model.twins.iter().cloned().map(|twin| job(Some(twin))).collect());
    }
    Err(format!("{place} is in the source and in no test binary: is its cfg `aqueduct_loom`?"))
}

impl Job<'_> {
    fn command(&self) -> Command {
        let mut command = self.binary.command();
        command.args(["--exact", &self.test, "--include-ignored"]).env_remove("AQUEDUCT_TWIN");
        command
    }

    /// Prints the deepest bound at which the model ends in time, and how long that took.
    fn run_deep(&self) -> Result<Option<String>, String> {
        let name = short(&self.test);
        for (bound, limit) in DEPTHS {
            let mut command = self.command();
            command.env_remove("LOOM_MAX_PREEMPTIONS");
            command.envs(bound.map(|bound| ("LOOM_MAX_PREEMPTIONS", bound)));
            let finished = run_limited(&mut command, limit)?;
            let Some(status) = finished.status else { continue };
            let good = status.success() && finished.output.contains("1 passed");
            let bound =
                bound.map_or("all interleavings".to_owned(), |n| format!("{n} preemptions"));
            let result = if good { "passed" } else { "FAILED" };
            println!("{name:<64} {:>8.2}  {result}, {bound}", finished.computed);
            return Ok((!good).then(|| format!("{name}: failed, {bound}")));
        }
        println!("{name:<64} {:>8}  no end in sight", "");
        Ok(Some(format!("{name}: no end in sight")))
    }

    /// Prints a line, and gives a message if the model did not do what it should.
    fn run(&self) -> Result<Option<String>, String> {
        let mut command = self.command();
        if env::var_os("LOOM_MAX_PREEMPTIONS").is_none() {
            command.env("LOOM_MAX_PREEMPTIONS", PREEMPTIONS);
        }
        if let Some(twin) = &self.twin {
            command.env("AQUEDUCT_TWIN", twin);
        }
        let finished = run_limited(&mut command, LIMIT)?;
        let passed = finished.status.is_some_and(|status| status.success());
        let (result, good) = match (finished.status, self.twin.is_some()) {
            (None, _) => ("no end in sight", false),
            // An exact name that matches nothing passes too.
            (Some(_), false) if passed => ("passed", finished.output.contains("1 passed")),
            (Some(_), false) => ("FAILED", false),
            (Some(_), true) if passed => ("PASSED, though weakened", false),
            (Some(_), true) => ("failed, as it must", true),
        };
        let name = match &self.twin {
            Some(twin) => format!("{} / {twin}", short(&self.test)),
            None => short(&self.test).to_owned(),
        };
        println!("{name:<64} {:>8.2}  {result}", finished.computed);
        if !good {
            print!("{}", tail(&finished.output, 20));
        }
        Ok((!good).then(|| format!("{name}: {result}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_name_is_not_passed_over() {
        let args = ["model_01", "model_98"].map(str::to_owned);
        assert_eq!(run(&args).unwrap_err(), USAGE);
    }

    #[test]
    fn a_twin_without_a_model_is_idle() {
        let code = Source::new(
            "a.rs",
            "f(twin::order(\n    \"seen\", A, B));\nif twin::is(\"idle\") {}\n",
        );
        let model = Source::new("m.rs", "// twin: seen\nfn model_01_a() {}\n");
        assert_eq!(idle_twins(&[code], &models(&model, "model_")), ["a.rs:3: idle"]);
    }

    #[test]
    fn twins_belong_to_the_model_below_them() {
        let text = "\
// twin: last_drop
// twin: count_up
/// Clone and drop.
#[test]
fn model_01_clone() {
    // twin: not_here
    go();
}

#[test]
fn model_02_bare() {}
// twin: stray
fn helper() {}
fn model_03_bare() {}
";
        let found = models(&Source::new("a.rs", text), "model_");
        let twins: Vec<(&str, usize, usize)> =
            found.iter().map(|m| (m.name.as_str(), m.line, m.twins.len())).collect();
        assert_eq!(
            twins,
            [("model_01_clone", 5, 2), ("model_02_bare", 11, 0), ("model_03_bare", 14, 0)]
        );
    }
}
